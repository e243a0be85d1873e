"""What checks said, what it is worth, and its history."""
