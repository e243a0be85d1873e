"""Who does what in a text: « l'hyperviseur modifie ses tables » says nothing of the guest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.checks.reading.tokens import Token, common

_BY = frozenset(common()["by"].split())
_BEING = frozenset(common()["being"].split())
_PRONOUNS = frozenset(common()["pronouns"].split())
# So many words before a verb is who does it, and so many after a « par ».
_BEFORE = 7
_AFTER = 4
_NOBODY: frozenset[str] = frozenset()
_AND = frozenset(common()["and"].split())
_STOP = frozenset(common()["stop"])


def agents(
    tokens: Sequence[Token], clauses: Sequence[int], known: Mapping[int, frozenset[str]], at: int
) -> frozenset[str]:
    """Return who is named for the verb at a place, or nobody: behind a « par », else before in its clause.

    ``known``: the places at which somebody is named, and the names.
    """
    ends = min(at + 1 + _AFTER, len(tokens))
    for step in range(at + 1, ends):
        if tokens[step].is_mark:
            break
        if tokens[step].plain in _BY:
            return next(
                (known[one] for one in range(step + 1, min(step + 4, len(tokens))) if one in known), _NOBODY
            )
    if at and tokens[at - 1].plain in _BEING:
        # « la table est modifiée »: what stands before did nothing.
        return _NOBODY
    for step in range(at - 1, max(-1, at - 1 - _BEFORE), -1):
        if clauses[step] != clauses[at]:
            return _first(tokens, clauses, known, step + 1, at)
        if tokens[step].plain in _PRONOUNS:
            break
        if step in known:
            return known[step]
    return _NOBODY


def _first(
    tokens: Sequence[Token], clauses: Sequence[int], known: Mapping[int, frozenset[str]], join: int, at: int
) -> frozenset[str]:
    """« l'hyperviseur tourne et passe la main »: who does the second thing began the clause before."""
    between = tokens[join + 1 : at]
    is_same = all(one.plain in _STOP and one.plain not in _PRONOUNS for one in between)
    if tokens[join].plain not in _AND or not is_same:
        return _NOBODY
    last = join - 1 - tokens[join - 1].is_mark
    start = last
    while start > 0 and clauses[start - 1] == clauses[last]:
        start -= 1
    for step in range(max(start, 0), join):
        if tokens[step].plain in _PRONOUNS:
            break
        if step in known:
            return known[step]
    return _NOBODY
