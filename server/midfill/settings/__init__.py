"""What a user can set, and where the values come from."""
