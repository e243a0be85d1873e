"""What leaves the markbook: marks and results in the formats of other programs, read back by their rules."""
