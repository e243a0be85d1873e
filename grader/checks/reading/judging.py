"""What an answer holds and how sure that is: certain enough to be marked alone, or for the teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.checks.reading import finding, pairs
from grader.checks.reading.clauses import (
    goes_both_ways,
    is_given_up,
    is_in_one_breath,
    is_list,
    sentences,
    speaks_of_marks,
)
from grader.checks.reading.finding import Match, Read, State
from grader.checks.reading.rest import Rest
from grader.checks.reading.rubric import Rubric, rubric
from grader.checks.reading.tokens import common, tokens
from grader.checks.reading.wording import Wording
from grader.lab.questions import TextQuestion

_LONGEST = 120
# So many words that hint at a right idea beside a wrong one are chance.
_CHANCE = 2
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
    SOUP = "soup"
    OF_MARKS = "of-marks"


_FOR_THE_TEACHER = frozenset(
    {Why.LONG, Why.HEDGED, Why.BOTH, Why.UNCLEAR_DENIAL, Why.UNCLEAR_REST, Why.SOUP, Why.OF_MARKS}
)


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
    if not rules.subjects and is_list(typed):
        return Judgement(0.0, Why.SOUP)
    if speaks_of_marks(typed):
        return Judgement(0.0, Why.OF_MARKS)
    read = Read.of(list(sentences(typed)), rules.lexicon, rules.doers)
    made = pairs.chosen(rules, read) if rules.subjects else []
    right = {name: _best(ways, read, made) for name, ways in rules.ideas.items()}
    wrong = {name: _best(ways, read, made) for name, ways in rules.wrong_ideas.items()}
    return _judged(_Found.of(rules, read, right, wrong, made))


@dataclass(frozen=True)
class _Found:
    """What was found in a text: right and wrong ideas, and which of them are said."""

    rules: Rubric
    read: Read
    right: Mapping[str, Match | None]
    wrong: Mapping[str, Match | None]
    # Of pairs: for every subject one thing is chosen.
    is_settled: bool
    # … and the question asks why, of which nothing is said.
    is_unexplained: bool
    said: tuple[str, ...]
    held: tuple[str, ...]
    # Right ideas that are said here and denied there.
    mixed: bool

    @classmethod
    def of(
        cls,
        rules: Rubric,
        read: Read,
        right: Mapping[str, Match | None],
        wrong: Mapping[str, Match | None],
        made: Sequence[pairs.Chosen],
    ) -> _Found:
        """Drop right ideas that stand in the very words of a wrong one: « les sorties ne coûtent rien »."""
        held = _names(wrong, State.SAID)
        taken = {at for name in held for match in (wrong[name],) if match for at in match.places}
        own = {
            name: match if match and not taken.issuperset(match.places) else None
            for name, match in right.items()
        }
        return cls(
            rules,
            read,
            own,
            wrong,
            pairs.settled(rules, made),
            pairs.are_unexplained(rules, made),
            _names(own, State.SAID),
            held,
            _is_mixed(rules, read, own, wrong),
        )

    @property
    def missing(self) -> tuple[str, ...]:
        """The right ideas that are not said."""
        return tuple(name for name in self.right if name not in self.said)

    @property
    def denied(self) -> tuple[str, ...]:
        """The right ideas that are denied."""
        return _names(self.right, State.DENIED)


def _is_mixed(
    rules: Rubric, read: Read, right: Mapping[str, Match | None], wrong: Mapping[str, Match | None]
) -> bool:
    """Say whether an idea that is said is denied as well, in other words: « pas directement, mais vite »."""
    if not read.denied:
        return False
    # To deny a wrong idea takes no right one back.
    denied = [match for match in wrong.values() if match and match.state is State.DENIED]
    but = frozenset(at for match in denied for at in match.places)
    said = _names(right, State.SAID)
    # Where all ideas are said, only one that is denied in so many words leaves doubt.
    at_once = len(said) == len(right)
    ideas = [[one for one in rules.ideas[name] if not one.subjects] for name in said]
    return any(
        any(finding.is_denied(one, read, but, at_once=at_once) for one in ways) and not _by_denial(ways, read)
        for ways in ideas
    )


def _by_denial(ways: Sequence[Wording], read: Read) -> bool:
    """Say whether an idea is said by denying something: « plus besoin d'émuler »."""
    found = [finding.find(one, read) for one in ways if any(term.mode in {"no", "any"} for term in one.terms)]
    return any(one and one.state is State.SAID for one in found)


def _names(found: Mapping[str, Match | None], state: State) -> tuple[str, ...]:
    return tuple(name for name, match in found.items() if match and match.state is state)


def _best(ways: Sequence[Wording], read: Read, made: Sequence[pairs.Chosen]) -> Match | None:
    best: Match | None = None
    for one in ways:
        # Most wordings want a word that is nowhere: that is asked of all, so it is asked here.
        if one.wanted and read.present.isdisjoint(one.wanted[0]):
            continue
        found = pairs.find(one, made) if one.subjects else finding.find(one, read)
        if found and (best is None or found.state > best.state):
            best = found
            if best.state is State.SAID:
                break
    return best


def _judged(found: _Found) -> Judgement:
    why = _why(found)
    fraction = round(len(found.said) / len(found.right), 4)
    if why in {Why.WRONG_IDEA, Why.DENIED, Why.OFF_TOPIC}:
        fraction = 0.0
    elif found.held and why is not Why.SOME_IDEAS:
        fraction = round(fraction / 2, 4)
    return Judgement(fraction, why, _seen(found.right, found.read), _seen(found.wrong, found.read))


def _why(found: _Found) -> Why:
    rules = found.rules
    # « il n'est pas vrai qu'EPT gagne toujours » denies a wrong idea, and no right one.
    denies = bool(_names(found.wrong, State.DENIED)) and not (found.held or found.denied)
    if goes_both_ways(found.read.tokens, is_paired=found.is_settled, denies=denies):
        return Why.HEDGED
    if found.is_unexplained:
        return Why.UNCLEAR_REST
    if found.is_settled and all(name in rules.choosing for name in found.held) and found.missing:
        # Each choice is right or wrong by itself, and there is nothing else to say.
        return Why.SOME_IDEAS if found.said else Why.WRONG_IDEA
    rest = Rest(rules, found.read, [one for one in (*found.right.values(), *found.wrong.values()) if one])
    if found.held:
        # Of pairs, all that is said of any subject was read: there is nothing to hint at more.
        hints = 0 if rules.subjects else rest.signs(found.missing, elsewhere=True)
        is_certain = not found.said and hints <= (1 if found.denied else _CHANCE)
        return Why.WRONG_IDEA if is_certain else Why.BOTH
    if found.mixed:
        return Why.UNCLEAR_DENIAL
    if not found.missing:
        return Why.BOTH if rest.objects() else Why.SOUP if _is_in_one_breath(found) else Why.ALL_IDEAS
    if found.said:
        return _why_some(found, rest)
    return _why_none(found, rest)


def _is_in_one_breath(found: _Found) -> bool:
    is_one = len(found.right) < 2 or bool(found.rules.subjects)
    return not is_one and is_in_one_breath(found.read.tokens, found.read.clauses)


def _why_some(found: _Found, rest: Rest) -> Why:
    if any(not (match := found.right[name]) or not rest.is_asked(match) for name in found.denied):
        return Why.UNCLEAR_DENIAL
    matches = [match for name in found.said if (match := found.right[name])]
    is_certain = rest.is_clear(found.missing) and not any(rest.is_asked(match) for match in matches)
    return Why.SOME_IDEAS if is_certain else Why.UNCLEAR_REST


def _why_none(found: _Found, rest: Rest) -> Why:
    if not found.denied:
        return Why.OFF_TOPIC if rest.is_elsewhere(found.missing) else Why.UNCLEAR_REST
    # Of a pair, what is denied may be the subject, the choice, or one choice of two: not certain.
    is_whole = len(found.denied) == len(found.right)
    is_certain = is_whole or (rest.signs(found.missing) == 0 and rest.is_little())
    return Why.DENIED if is_certain and not found.rules.subjects else Why.UNCLEAR_DENIAL


def _seen(found: Mapping[str, Match | None], read: Read) -> tuple[Seen, ...]:
    return tuple(
        Seen(name, match.state, " … ".join(dict.fromkeys(read.tokens[at].typed for at in match.places)))
        for name, match in found.items()
        if match
    )


def _says_nothing(plain: Sequence[str], rules: Rubric) -> Why | None:
    content = [word for word in plain if len(word) >= 3 or word.isdigit() or rules.lexicon.atoms(word)]
    if not content or is_given_up(tuple(plain), tells=any(rules.may_tell(word) for word in plain)):
        return Why.EMPTY
    asked = set(rules.asked)
    new = [word for word in plain if word not in asked and word not in common()["stop"]]
    # A question's own words may be the answer: « quel mot ? » asks for no word that it names.
    is_copied = len(plain) >= 6 and len(new) <= len(plain) // 10 and rules.holds_question(plain)
    if is_copied and not any(rules.may_tell(word) for word in plain if word not in asked):
        return Why.COPIED
    return None
