"""What a text says beside the ideas that were found in it: nothing, hints of more, or something unknown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from grader.checks.reading.finding import Match, Place, Read, find
from grader.checks.reading.rubric import Rubric
from grader.checks.reading.tokens import common

# So many words after a "but" make an objection of their own.
_OBJECTION = 2
# So many words in a clause of their own may tell an idea in words of every day.
_TELLING = 3
# « pour AMD je ne sais plus »: what stands beside is not told.
_UNSURE = re.compile(
    r"\b((je|j) (ne )?(me )?(sais|souviens|rappelle|connais|ai) (plus|pas|oublie)"
    r"|(do|can) not (know|remember|recall)|i forgot|dunno|idk|no (idea|clue)"
    r"|aucune idee|pas d idee|(ai|j ai) oublie)\b"
)
# Without one of these nobody says so.
_NOT_KNOWING = frozenset(common()["not_knowing"].split())
# So many unknown words beside an idea are how it is told.
_FEW = 3
# Of a text about something else two words, or one in so many, are none that the question or its ideas know.
_SHARE = 3
# In so many words a hint of an idea is chance, and so are two: the text is about something else.
_MANY = 4
_CHANCE = 2


class Left(NamedTuple):
    """A word that no idea was found in."""

    word: str
    atoms: frozenset[str]
    is_denied: bool
    clause: int


class Rest:
    """What a text says beside the ideas that were found in it."""

    def __init__(self, rules: Rubric, read: Read, found: Sequence[Match]) -> None:
        used = {at for match in found for at in match.places}
        stop = common()["stop"]
        self._rules = rules
        self._read = read
        self._words = len(used)
        # The clauses in which an idea was found.
        self._told = {read.clauses[at] for at in used}
        unsure = _unsure(read)
        self._unsure = {
            atom
            for at, atoms in enumerate(read.atoms)
            if read.clauses[at] in unsure and read.tokens[at].plain not in stop
            for atom in atoms
        }
        self._left = [
            Left(token.plain, read.atoms[at], at in read.denied, read.clauses[at])
            for at, token in enumerate(read.tokens)
            if not token.is_mark
            and at not in used
            and token.plain not in stop
            and read.clauses[at] not in unsure
        ]

    def signs(self, missing: Sequence[str], *, elsewhere: bool = False) -> int:
        """Count undenied words that hint at a missing idea; ``elsewhere``: in clauses of their own."""
        hints = frozenset(atom for name in missing for atom in self._rules.signs[name])
        denied = frozenset(atom for name in missing for atom in self._rules.denied_signs[name])
        return sum(
            bool(one.atoms & (denied if one.is_denied else hints))
            and not (elsewhere and one.clause in self._told)
            for one in self._left
        )

    def objects(self) -> bool:
        """Say whether something unknown is set against the ideas: « …, mais le cache garde les octets »."""
        known = self._rules.background.union(*self._rules.own.values())
        counts = Counter(
            one.clause
            for one in self._left
            if not one.is_denied and one.clause not in self._told and not one.atoms & known
        )
        against = common()["against"].split()
        return any(
            counts[self._read.clauses[at]] >= _OBJECTION
            for at, token in enumerate(self._read.tokens)
            if token.plain in against
        )

    def is_asked(self, match: Match) -> bool:
        """Say whether an idea was found in words of the question alone, which may only repeat it."""
        return all(self._read.tokens[at].plain in self._rules.asked for at in match.places)

    def is_elsewhere(self, missing: Sequence[str]) -> bool:
        """Say whether a text is about something else: words of its own, and hardly a hint of any idea."""
        if any(not self._unsure.isdisjoint(self._rules.signs[name]) for name in missing):
            return False
        known = self._rules.background.union(*(self._rules.signs[name] for name in missing))
        own = sum(self._is_own(one, known) for one in self._left)
        if len(self._left) > _TELLING and own < 2 and own * _SHARE < len(self._left):
            return False
        signs = self.signs(missing)
        return signs * _MANY <= len(self._left) and signs <= (1 if self._rules.subjects else _CHANCE)

    def _is_own(self, one: Left, known: Set[str]) -> bool:
        """Say whether a word belongs to the text alone: to no idea, and to no text of every day.

        Of pairs, what is known may be half of a choice.
        """
        if self._rules.subjects and one.atoms:
            return False
        return not one.atoms & known and not self._rules.says_nothing(one.word)

    def is_clear(self, missing: Sequence[str]) -> bool:
        """Say whether the missing ideas are surely not there: no hint of them, and little else is said."""
        own = frozenset(
            atom for name, atoms in self._rules.own.items() if name not in missing for atom in atoms
        )
        hints = frozenset(atom for name in missing for atom in self._rules.signs[name]) - own
        beside = [one for one in self._left if not one.atoms & own]
        if any(one.atoms & hints for one in beside if not one.is_denied):
            return False
        # What is denied beside an idea may take it back.
        if any(one.is_denied and not one.atoms & self._rules.wrong for one in self._new(beside)):
            return False
        new = [one for one in self._new(beside) if not one.is_denied]
        # « <script>alert(1)</script> » : one word vouches for one that is not known, and not for more.
        if len(new) > min(_FEW, self._words):
            return False
        told = self._told | {self._read.clauses[at] for place in self._again(missing) for at in place}
        # A few such words are little beside an idea, and fewer in clauses of their own.
        is_little = sum(one.clause not in told for one in new) < _FEW
        return is_little and not self._is_more_told(told)

    def _is_more_told(self, told: Set[int]) -> bool:
        """Say whether a clause that tells no idea is long enough to tell one in everyday words."""
        counts = Counter(one.clause for one in self._left if one.clause not in told)
        return any(count >= _TELLING for count in counts.values())

    def _again(self, missing: Sequence[str]) -> Iterator[Place]:
        """Yield where the ideas that are not missing are told, in any of their wordings."""
        for way in (way for name, ways in self._rules.ideas.items() if name not in missing for way in ways):
            if len(way.terms) == 1:
                yield from self._read.of_term(way.terms[0])
            elif not way.subjects and (match := find(way, self._read)):
                yield match.places

    def is_little(self) -> bool:
        """Say whether hardly a word is said that is neither denied nor known to hint at nothing."""
        return len(self._new([one for one in self._left if not one.is_denied])) <= 1

    def _new(self, words: Sequence[Left]) -> list[Left]:
        quiet = self._rules.background
        return [one for one in words if not one.atoms & quiet and not self._rules.says_nothing(one.word)]


def _unsure(read: Read) -> set[int]:
    """Return the clauses in which the writer says not to know."""
    if _NOT_KNOWING.isdisjoint(token.plain for token in read.tokens):
        return set()
    clauses: dict[int, list[str]] = {}
    for at, token in enumerate(read.tokens):
        if not token.is_mark:
            clauses.setdefault(read.clauses[at], []).append(token.plain)
    return {number for number, words in clauses.items() if _UNSURE.search(" ".join(words))}
