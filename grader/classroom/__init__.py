"""A whole class: who handed in what and when, what the checks said of it, and the marks."""
