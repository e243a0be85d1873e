"""Measuring: what is asked for, thin collectors, pure parsers, and the record of what was measured."""
