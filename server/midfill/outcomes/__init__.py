"""What happened to requests and suggestions. It is recorded for the user and stays on this machine."""
