"""A student's own folder, from ``tdlab start`` to ``tdlab submit``."""
