"""What was found on a student's lab host: how it is collected, and how it is kept."""
