"""What comes from a user: numbers, arrays and frames, refused by name where they are wrong."""
