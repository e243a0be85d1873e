"""What a lab's own checks are written against: ``from grader.api import both, question``.

A check is an ordinary pytest test in ``labs/<lab>/checks/test_*.py`` that names its question. The fixtures
that it may ask for are in :mod:`grader.api.fixtures`; CONTRIBUTING.md shows one.
"""

from grader.api.marking import question
from grader.lab.questions import Measure, Ratio
from grader.language.bilingual import Bilingual, both

__all__ = ["Bilingual", "Measure", "Ratio", "both", "question"]
