"""What a student gets back: one page with the mark, what was seen, and nothing of anybody else."""
