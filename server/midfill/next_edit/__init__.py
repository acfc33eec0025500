"""The next edit: what the user is likely to change next, at the cursor or elsewhere, after the changes made so far."""
