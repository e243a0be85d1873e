"""A lab proves itself: its samples over many students' variants, and mutants of its solution."""
