"""Experiments of a lab: what each says of itself, how it is run, and what it leaves."""
