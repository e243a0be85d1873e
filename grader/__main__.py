"""``python -m grader``: the same as the command ``tdlab``."""

from grader.cli import main

main()
