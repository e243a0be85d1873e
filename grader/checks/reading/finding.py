"""Whether a wording stands in a text, where, and whether it is denied there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from grader.checks.reading.agents import agents
from grader.checks.reading.clauses import Sentence
from grader.checks.reading.tokens import Token, common
from grader.checks.reading.wording import Forms, Lexicon, Term, Wording

# Words of one wording stand at most this far from the first to the last, in one sentence or in two.
_SPAN = 22
_SPAN_OF_TWO = 16
_SPAN_OF_DENIAL = 8
# Small words that may stand within words in a row: « table des pages », "table of the pages".
_GAP = 2
# « physique vers hôte » is no « physique hôte ».
_SMALL = common()["stop"] - frozenset(common()["leading"].split())
# « écriture d'un registre … - exit - QEMU imite »: a single word is a step of what is told.
_STEP = 1
# Words that join two clauses, so that the second may say another thing.
_JOINS = frozenset(common()["joins"].split())
_GOES_ON = frozenset(common()["goes_on"].split())
# Terms that a denial takes back.
_SAYING = frozenset({"said", "after", "close"})
_DENYING = frozenset({*common()["negation"]["own"].split()})
_STOP = Token(".", ".", is_mark=True)

Place = tuple[int, ...]


class State(IntEnum):
    """How an idea stands in a text."""

    NOT = 0
    DENIED = 1
    SAID = 2


@dataclass(frozen=True)
class Match:
    """A wording found: how it stands there, and in which words of the text."""

    state: State
    places: Place


@dataclass(frozen=True)
class Read:
    """All words and marks of a text: what each stands for, its clause, its sentence, whether it is denied."""

    tokens: tuple[Token, ...]
    atoms: tuple[frozenset[str], ...]
    clauses: tuple[int, ...]
    sentences: tuple[int, ...]
    denied: frozenset[int]
    # Sentences that speak on of what the one before named: « Elles coûtent cher. »
    going_on: frozenset[int]
    # Where each atom stands.
    index: Mapping[str, Sequence[int]]
    # The atoms that stand anywhere.
    present: frozenset[str]
    # Where somebody is named who may do something.
    named: Mapping[int, frozenset[str]]
    # What was looked for already: a term stands in many wordings.
    _found: dict[str, list[Place]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, sentences: Sequence[Sentence], lexicon: Lexicon, doers: Mapping[str, frozenset[str]]) -> Read:
        """Read sentences with the words of a lexicon; ``doers``: who is named by an atom."""
        tokens: list[Token] = []
        numbers: list[int] = []
        denied: set[int] = set()
        for number, sentence in enumerate(sentences):
            denied.update(len(tokens) + at for at in sentence.denied)
            tokens += [*sentence.tokens, _STOP]
            numbers += [number] * (len(sentence.tokens) + 1)
        none: frozenset[str] = frozenset()
        arrow = lexicon.atoms(">")
        atoms = tuple(
            lexicon.atoms(one.plain) if not one.is_mark else arrow if one.is_arrow else none for one in tokens
        )
        index: dict[str, list[int]] = {}
        named: dict[int, frozenset[str]] = {}
        clauses: list[int] = []
        clause = 0
        for at, token in enumerate(tokens):
            clause += token.is_mark or token.plain in _JOINS
            clauses.append(clause)
            for atom in atoms[at]:
                index.setdefault(atom, []).append(at)
                if atom in doers:
                    named[at] = named.get(at, none) | doers[atom]
        going_on = frozenset(
            number
            for number, sentence in enumerate(sentences)
            if sentence.tokens[0].plain in _GOES_ON or len(sentence.tokens) <= _STEP
        )
        return cls(
            tuple(tokens),
            atoms,
            tuple(clauses),
            tuple(numbers),
            frozenset(denied),
            going_on,
            index,
            frozenset(index),
            named,
        )

    def places(self, heads: Mapping[str, Forms]) -> list[Place]:
        """Return where one of the forms stands, each as the places of its words, in their order."""
        found = [
            place
            for head in heads.keys() & self.index.keys()
            for form in heads[head]
            for start in self.index[head]
            if (place := self._row(form, start))
        ]
        return sorted(found)

    def _row(self, form: Sequence[str], start: int) -> Place | None:
        if len(form) == 1:
            return (start,)
        places = [start]
        at = start
        for part in form[1:]:
            for step in range(at + 1, min(at + 2 + _GAP, len(self.atoms))):
                if part in self.atoms[step]:
                    at = step
                    break
                token = self.tokens[step]
                if token.is_mark or token.plain not in _SMALL:
                    return None
            else:
                return None
            places.append(at)
        return tuple(places)

    def lacks(self, wording: Wording) -> bool:
        """Say whether a term is wanted of which no form begins anywhere."""
        present = self.present
        for heads in wording.wanted:  # noqa: SIM110 - asked of every wording of every text
            if present.isdisjoint(heads):
                return True
        return False

    def of_term(self, term: Term) -> list[Place]:
        """Return where a term stands, done by one of those who are to do it."""
        found = self._found.get(term.written)
        if found is None:
            found = self._found[term.written] = self.places(term.heads)
        if not term.by:
            return found
        named = [(place, self._agents(place[0])) for place in found]
        return [place for place, by in named if by & term.by or not (by or term.is_strict)]

    def _agents(self, at: int) -> frozenset[str]:
        return agents(self.tokens, self.clauses, self.named, at)

    def is_denied(self, place: Place) -> bool:
        """Say whether a negation reaches the words of a place; « sans intermédiaire » holds its own."""
        first = place[0]
        if len(place) > 1 and self.tokens[first].plain in _DENYING:
            return first in self.denied
        return any(at in self.denied for at in place)


def find(wording: Wording, read: Read) -> Match | None:
    """Return the best match of a wording: said before denied, in one sentence before two."""
    wanted: list[tuple[Term, list[Place]]] = []
    # Most wordings lack a word altogether, which is seen before any place is looked for.
    if wording.is_hint or read.lacks(wording):
        return None
    for term in wording.terms:
        places = read.of_term(term)
        if not places and term.mode != "without":
            return None
        wanted.append((term, places))
    best: Match | None = None
    units = read.clauses if wording.is_close else read.sentences
    for first, last in _windows(read, units, wanted):
        match = _within(wanted, read, units, first, last)
        if match and (best is None or match.state > best.state):
            best = match
            if best.state is State.SAID:
                break
    return best


def is_denied(wording: Wording, read: Read, but: frozenset[int], *, at_once: bool = False) -> bool:
    """Say whether a wording stands somewhere with a word that is denied, whatever it says elsewhere.

    ``but``: places whose denial takes nothing back; ``at_once``: in a single clause.
    """
    wanted: list[tuple[list[Place], bool]] = []
    for term in wording.terms:
        places = read.of_term(term)
        if term.mode == "without":
            if any(not read.is_denied(place) for place in places):
                return False
        elif not places:
            return False
        else:
            wanted.append((places, term.mode in _SAYING))
    for at, (places, is_said) in enumerate(wanted):
        taken_back = [place for place in places if is_said and read.is_denied(place) and not but & {*place}]
        others = [other for number, (other, _) in enumerate(wanted) if number != at]
        place = _together([taken_back, *others], _SPAN_OF_DENIAL) if taken_back else None
        if place and at_once and len({read.clauses[one] for one in place}) > 1:
            continue
        if place and read.sentences[place[0]] == read.sentences[place[-1]]:
            return True
    return False


def _windows(
    read: Read, units: Sequence[int], wanted: Sequence[tuple[Term, Sequence[Place]]]
) -> Iterator[tuple[int, int]]:
    """Yield the sentences or clauses, then the pairs of neighbouring sentences, that hold all terms."""
    held = [{units[place[0]] for place in places} for term, places in wanted if term.mode != "without"]
    if not held:
        return
    for number in sorted(set.intersection(*held)):
        yield number, number
    if len(held) > 1 and units is read.sentences:
        for number in sorted(set.union(*held)):
            if number + 1 in read.going_on and all(here & {number, number + 1} for here in held):
                yield number, number + 1


def _within(
    wanted: Sequence[tuple[Term, Sequence[Place]]], read: Read, units: Sequence[int], first: int, last: int
) -> Match | None:
    chosen: list[tuple[list[Place], bool]] = []
    # « plus besoin d'émuler le processeur » denies both words, and says what is wanted.
    by_denial = any(term.mode == "no" for term, _ in wanted)
    for term, everywhere in wanted:
        places = [place for place in everywhere if first <= units[place[0]] <= last]
        if term.mode == "without":
            if any(not read.is_denied(place) for place in places):
                return None
            continue
        if term.mode == "no":
            places = [place for place in places if read.is_denied(place)]
        if not places:
            return None
        if term.mode != "beside":
            chosen.append((places, not by_denial and term.mode in _SAYING))
    is_ordered = any(term.mode == "after" for term, _ in wanted)
    choose = _in_order if is_ordered else _together
    span = _SPAN if first == last else _SPAN_OF_TWO
    clean = [[place for place in places if not (said and read.is_denied(place))] for places, said in chosen]
    if all(clean) and (place := choose(clean, span)):
        return Match(State.SAID, place)
    together = choose([places for places, _ in chosen], span)
    return Match(State.DENIED, together) if together else None


def _together(wanted: Sequence[Sequence[Place]], span: int) -> Place | None:
    """Choose one place a term, without two terms on one word, and near each other."""
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
            if max(used) - min(used) <= span:
                return tuple(sorted(used))
    return None


def _in_order(wanted: Sequence[Sequence[Place]], span: int) -> Place | None:
    """Choose one place a term, each behind the one before."""
    for first in wanted[0]:
        used = list(first)
        for places in wanted[1:]:
            place = next((one for one in places if one[0] > used[-1]), None)
            if place is None:
                break
            used += place
        else:
            if used[-1] - used[0] <= span:
                return tuple(used)
    return None
