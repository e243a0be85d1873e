"""A class as it was downloaded: its files, and whose they are by the platform that gave them."""
