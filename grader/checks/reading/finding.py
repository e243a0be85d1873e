"""Whether a wording stands in a sentence, where, and whether it is denied there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate

from grader.checks.reading.clauses import Sentence
from grader.checks.reading.tokens import common
from grader.checks.reading.wording import Lexicon, Term, Wording

# Words of one wording stand at most this far from the first to the last.
_SPAN = 22
# Small words that may stand within words in a row: « table des pages », "table of the pages".
_GAP = 2
# Words that join two clauses, so that the second may say another thing.
_JOINS = frozenset(common()["joins"].split())

Place = tuple[int, ...]


class State(IntEnum):
    """How an idea stands in a text."""

    NOT = 0
    DENIED = 1
    SAID = 2


@dataclass(frozen=True)
class Match:
    """A wording found: how it stands there, and in which places of which sentence."""

    state: State
    sentence: int
    places: Place


@dataclass(frozen=True)
class Read:
    """A sentence with the atoms of each of its words, and the number of the clause that each stands in."""

    number: int
    sentence: Sentence
    atoms: tuple[frozenset[str], ...]
    clauses: tuple[int, ...]

    @classmethod
    def of(cls, number: int, sentence: Sentence, lexicon: Lexicon) -> Read:
        """Read a sentence with the words of a lexicon."""
        none: frozenset[str] = frozenset()
        atoms = tuple(none if one.is_mark else lexicon.atoms(one.plain) for one in sentence.tokens)
        clauses = tuple(accumulate(int(one.is_mark or one.plain in _JOINS) for one in sentence.tokens))
        return cls(number, sentence, atoms, clauses)

    def places(self, forms: Sequence[Sequence[str]]) -> list[Place]:
        """Return where one of the forms stands, each as the places of its words."""
        found = []
        for form in forms:
            for start, atoms in enumerate(self.atoms):
                if form[0] in atoms and (place := self._row(form, start)):
                    found.append(place)
        return found

    def _row(self, form: Sequence[str], start: int) -> Place | None:
        places = [start]
        at = start
        for part in form[1:]:
            for step in range(at + 1, min(at + 2 + _GAP, len(self.atoms))):
                if part in self.atoms[step]:
                    at = step
                    break
                token = self.sentence.tokens[step]
                if token.is_mark or token.plain not in common()["stop"]:
                    return None
            else:
                return None
            places.append(at)
        return tuple(places)

    def is_denied(self, place: Place) -> bool:
        """Say whether a negation reaches the words of a place."""
        return any(at in self.sentence.denied for at in place)


def find(wording: Wording, reads: Sequence[Read]) -> Match | None:
    """Return the best match of a wording in the sentences: said before denied, early before late."""
    best: Match | None = None
    for read in reads:
        match = _in_sentence(wording.terms, read)
        if match and (best is None or match.state > best.state):
            best = match
            if best.state is State.SAID:
                return best
    return best


def _in_sentence(terms: Sequence[Term], read: Read) -> Match | None:
    wanted: list[tuple[list[Place], bool]] = []
    for term in terms:
        places = read.places(term.forms)
        if term.mode == "without":
            if any(not read.is_denied(place) for place in places):
                return None
            continue
        if term.mode == "no":
            places = [place for place in places if read.is_denied(place)]
        if not places:
            return None
        wanted.append((places, term.mode == "said"))
    clean = [([place for place in places if not (said and read.is_denied(place))]) for places, said in wanted]
    if all(clean) and (place := _together(clean)):
        return Match(State.SAID, read.number, place)
    place = _together([places for places, _ in wanted])
    return Match(State.DENIED, read.number, place) if place else None


def _together(wanted: Sequence[Sequence[Place]]) -> Place | None:
    """Choose one place a term, without two terms on one word, and near each other."""
    if not wanted:
        return None
    anchor_term = min(range(len(wanted)), key=[len(places) for places in wanted].__getitem__)
    for anchor in wanted[anchor_term]:
        used = set(anchor)
        for index, places in enumerate(wanted):
            free = [place for place in places if not used & set(place)]
            if index != anchor_term and not free:
                break
            if index != anchor_term:
                nearest = min((abs(place[0] - anchor[0]), place) for place in free)
                used |= set(nearest[1])
        else:
            if max(used) - min(used) <= _SPAN:
                return tuple(sorted(used))
    return None
