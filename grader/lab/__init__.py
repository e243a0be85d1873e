"""A lab as its author writes it: parts, questions, and the units that their answers come in."""
