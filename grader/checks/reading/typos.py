"""What a mistyped word was meant to be, when only one word of the subject is near enough."""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz import process
from rapidfuzz.distance import OSA

from grader.checks.reading.stems import stems
from grader.checks.reading.tokens import LONGEST_WORD

_SHORTEST = 5
_LONG = 8


def meant(word: str, known: Sequence[str]) -> str | None:
    """Return the nearest of the known words, or None: one slip in a word, two in a long one.

    The caller asks only for words that are not known themselves, so that no word becomes another. Short words
    are never corrected: one letter makes ``exit`` of ``edit``, and ``vmx`` of ``svm``.
    """
    if not _SHORTEST <= len(word) <= LONGEST_WORD or not word.isalpha():
        return None
    slips = 1 if len(word) < _LONG else 2
    near = process.extract(word, known, scorer=OSA.distance, score_cutoff=slips, limit=8)
    near = [one for one in near if len(one[0]) >= _SHORTEST and one[0][0] == word[0]]
    if not near:
        return None
    best = min(distance for _, distance, _ in near)
    nearest = [name for name, distance, _ in near if distance == best]
    # Two words as near as each other: which was meant is a guess, unless they are forms of one word.
    return nearest[0] if frozenset.intersection(*map(stems, nearest)) else None
