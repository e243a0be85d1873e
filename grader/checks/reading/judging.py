"""What an answer holds and how sure that is: certain enough to be marked alone, or for the teacher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from grader.checks.reading import finding, pairs
from grader.checks.reading.clauses import goes_both_ways, sentences
from grader.checks.reading.finding import Match, Read, State
from grader.checks.reading.rubric import Rubric, rubric
from grader.checks.reading.tokens import common, tokens
from grader.checks.reading.wording import Wording
from grader.lab.questions import TextQuestion

_LONGEST = 120
# So many words beside the ideas found are still little: more of them may say another idea in other words.
_LITTLE = 1
# So many words after a "but" make an objection of their own.
_OBJECTION = 2
# In so many words a single hint of an idea is chance: the text is about something else.
_MANY = 6
# Longer texts are not read at all: no honest short answer comes near.
_MOST_LETTERS = 20_000


class Why(StrEnum):
    """Why a text was judged as it was."""

    EMPTY = "empty"
    COPIED = "copied"
    OFF_TOPIC = "off-topic"
    ALL_IDEAS = "all-ideas"
    SOME_IDEAS = "some-ideas"
    WRONG_IDEA = "wrong-idea"
    DENIED = "denied"
    # What follows is for the teacher.
    LONG = "long"
    HEDGED = "hedged"
    BOTH = "both"
    UNCLEAR_DENIAL = "unclear-denial"
    UNCLEAR_REST = "unclear-rest"


_FOR_THE_TEACHER = frozenset({Why.LONG, Why.HEDGED, Why.BOTH, Why.UNCLEAR_DENIAL, Why.UNCLEAR_REST})


@dataclass(frozen=True)
class Seen:
    """An idea found in a text: how it stands there, and in which words."""

    id: str
    state: State
    words: str


@dataclass(frozen=True)
class Judgement:
    """The part of the points that an answer earns (0 to 1), whether that is certain, and why."""

    fraction: float
    why: Why
    ideas: tuple[Seen, ...] = ()
    wrong_ideas: tuple[Seen, ...] = ()

    @property
    def alone(self) -> bool:
        """Whether this is certain enough to be marked without a teacher."""
        return self.why not in _FOR_THE_TEACHER

    def said(self) -> tuple[str, ...]:
        """Return the ids of the right ideas that are said."""
        return tuple(one.id for one in self.ideas if one.state is State.SAID)

    def said_wrong(self) -> tuple[str, ...]:
        """Return the ids of the wrong ideas that are said."""
        return tuple(one.id for one in self.wrong_ideas if one.state is State.SAID)


def judge(question: TextQuestion, text: str) -> Judgement:
    """Judge one answer; any text at all is judged, and none raises."""
    if len(text) > _MOST_LETTERS:
        return Judgement(0.0, Why.LONG)
    rules = rubric(question)
    typed = tokens(text)
    plain = [token.plain for token in typed if not token.is_mark]
    if nothing := _says_nothing(plain, rules):
        return Judgement(0.0, nothing)
    if len(plain) > _LONGEST:
        return Judgement(0.0, Why.LONG)
    read = Read.of(list(sentences(typed)), rules.lexicon)
    made = pairs.chosen(rules, read) if rules.subjects else []
    right = {name: _best(ways, read, made) for name, ways in rules.ideas.items()}
    wrong = {name: _best(ways, read, made) for name, ways in rules.wrong_ideas.items()}
    return _judged(rules, read, right, wrong)


def _best(ways: Sequence[Wording], read: Read, made: Sequence[pairs.Chosen]) -> Match | None:
    best: Match | None = None
    for one in ways:
        found = pairs.find(one, made) if one.subjects else finding.find(one, read)
        if found and (best is None or found.state > best.state):
            best = found
            if best.state is State.SAID:
                break
    return best


def _judged(
    rules: Rubric,
    read: Read,
    right: Mapping[str, Match | None],
    wrong: Mapping[str, Match | None],
) -> Judgement:
    held = [name for name, match in wrong.items() if match and match.state is State.SAID]
    right = _without_borrowed(right, [match for name in held if (match := wrong[name])])
    said = [name for name, match in right.items() if match and match.state is State.SAID]
    rest = _Rest(rules, read, [one for one in (*right.values(), *wrong.values()) if one])
    fraction = round(len(said) / len(right), 4)
    why = _why(rules, read, right, said, held, rest)
    if why in {Why.WRONG_IDEA, Why.DENIED, Why.OFF_TOPIC}:
        fraction = 0.0
    elif held:
        fraction = round(fraction / 2, 4)
    return Judgement(fraction, why, _seen(right, read), _seen(wrong, read))


def _without_borrowed(right: Mapping[str, Match | None], held: Sequence[Match]) -> dict[str, Match | None]:
    """Drop right ideas that stand in the very words of a wrong one: « les sorties ne coûtent rien »."""
    taken = {at for match in held for at in match.places}
    return {
        name: match if match and taken.isdisjoint(match.places) else None for name, match in right.items()
    }


def _why(
    rules: Rubric,
    read: Read,
    right: Mapping[str, Match | None],
    said: Sequence[str],
    held: Sequence[str],
    rest: _Rest,
) -> Why:
    missing = [name for name in right if name not in said]
    if goes_both_ways(read.tokens):
        return Why.HEDGED
    if held and said:
        return Why.BOTH
    if held:
        # Of pairs, all that is said of any subject was read: there is nothing to hint at more.
        is_certain = bool(rules.subjects) or rest.signs(missing, elsewhere=True) <= 1
        return Why.WRONG_IDEA if is_certain else Why.BOTH
    if not missing:
        return Why.BOTH if rest.objects() else Why.ALL_IDEAS
    is_denied = any(match and match.state is State.DENIED for match in right.values())
    if said:
        if is_denied:
            return Why.UNCLEAR_DENIAL
        found = [match for name in said if (match := right[name])]
        is_certain = rest.is_clear(missing) and not any(rest.is_asked(match) for match in found)
        return Why.SOME_IDEAS if is_certain else Why.UNCLEAR_REST
    if is_denied:
        all_denied = all(match and match.state is State.DENIED for match in right.values())
        # Of a pair, what is denied may be the subject, the choice, or one choice of two: not certain.
        is_certain = not rules.subjects and rest.signs(missing) == 0
        is_certain &= all_denied or rest.is_clear(missing)
        return Why.DENIED if is_certain else Why.UNCLEAR_DENIAL
    return Why.OFF_TOPIC if rest.is_elsewhere(missing) else Why.UNCLEAR_REST


class _Left(NamedTuple):
    """A word that no idea was found in."""

    word: str
    atoms: frozenset[str]
    is_denied: bool
    clause: int


class _Rest:
    """What a text says beside the ideas that were found in it."""

    def __init__(self, rules: Rubric, read: Read, found: Sequence[Match]) -> None:
        used = {at for match in found for at in match.places}
        stop = common()["stop"]
        self._rules = rules
        self._read = read
        # The clauses in which an idea was found.
        self._told = {read.clauses[at] for at in used}
        self._left = [
            _Left(token.plain, read.atoms[at], at in read.denied, read.clauses[at])
            for at, token in enumerate(read.tokens)
            if not token.is_mark and at not in used and token.plain not in stop
        ]

    def signs(self, missing: Sequence[str], *, elsewhere: bool = False) -> int:
        """Count undenied words that hint at a missing idea; ``elsewhere``: in clauses of their own."""
        hints = frozenset(atom for name in missing for atom in self._rules.signs[name])
        return sum(
            bool(one.atoms & hints) and not (elsewhere and one.clause in self._told)
            for one in self._left
            if not one.is_denied
        )

    def objects(self) -> bool:
        """Say whether something unknown is set against the ideas: « …, mais le cache garde les octets »."""
        counts = Counter(
            one.clause
            for one in self._left
            if not one.is_denied and one.clause not in self._told and not one.atoms & self._rules.background
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
        """Say whether a text is about something else: no hint of any idea, or one in a good many words."""
        return self.signs(missing) * _MANY <= len(self._left) and self.signs(missing) <= 1

    def is_clear(self, missing: Sequence[str]) -> bool:
        """Say whether the missing ideas are surely not there: no hint of them, and little else is said."""
        own = frozenset(
            atom for name, atoms in self._rules.own.items() if name not in missing for atom in atoms
        )
        hints = frozenset(atom for name in missing for atom in self._rules.own[name])
        hints -= own | self._rules.background
        beside = [one for one in self._left if not one.atoms & own]
        if any(one.atoms & hints for one in beside if not one.is_denied):
            return False
        # What is denied beside an idea may take it back.
        if any(one.is_denied for one in beside):
            return False
        new = [
            one
            for one in beside
            if one.word not in self._rules.asked and not one.atoms & self._rules.background
        ]
        return len(new) <= _LITTLE


def _seen(found: Mapping[str, Match | None], read: Read) -> tuple[Seen, ...]:
    return tuple(
        Seen(name, match.state, " … ".join(dict.fromkeys(read.tokens[at].typed for at in match.places)))
        for name, match in found.items()
        if match
    )


def _says_nothing(plain: Sequence[str], rules: Rubric) -> Why | None:
    content = [word for word in plain if len(word) >= 3 or word.isdigit() or rules.lexicon.atoms(word)]
    if not content or _is_given_up(tuple(plain)):
        return Why.EMPTY
    asked = set(rules.asked)
    new = [word for word in plain if word not in asked and word not in common()["stop"]]
    # A question's own words may be the answer: « quel mot ? » asks for no word that it names.
    return Why.COPIED if len(plain) >= 6 and len(new) <= len(plain) // 10 else None


@lru_cache(maxsize=4096)
def _is_given_up(plain: tuple[str, ...]) -> bool:
    said = " ".join(plain)
    for phrase in sorted(common()["given_up"], key=len, reverse=True):
        said = said.replace(str(phrase), " ")
    return not [word for word in said.split() if len(word) >= 3 and word not in common()["stop"]]
