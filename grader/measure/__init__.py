"""Measuring: pure parsers of what tools print, and thin collectors that run them."""
