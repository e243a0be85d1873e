"""Two specs side by side: what differs, and what to learn from it."""
