"""What one client works with, free of the protocol."""
