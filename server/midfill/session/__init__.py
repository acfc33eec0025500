"""The parts of the server that serve one client, without the protocol."""
