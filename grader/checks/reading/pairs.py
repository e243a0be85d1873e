"""What is chosen for which subject: « virtio pour la ferme, VF pour le trading », "farm: virtio"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from grader.checks.reading.finding import Match, Read, State
from grader.checks.reading.rubric import Rubric
from grader.checks.reading.tokens import common
from grader.checks.reading.wording import Wording

_COUNTED = (("1", "2", "3", "4", "5"), ("a", "b", "c", "d", "e"), ("1er", "2e", "3e", "4e"))
# « pour AMD je ne sais plus »: no choice is made for what stands beside.
_UNSURE = frozenset(common()["unsure"].split())
_SUBJECT, _CHOICE, _BESIDES = range(3)
_ROW = 3
_WHY = frozenset({"pourquoi", "why"})
_OR = frozenset({"or", "ou"})
# What parts the pieces of a sentence; its end parts them too.
_PIECES = frozenset({",", ":", "(", ")", "."})


@dataclass(frozen=True)
class Mention:
    """A subject or a choice named in a text."""

    kind: int
    name: str
    sentence: int
    at: int
    end: int
    piece: int = 0
    is_denied: bool = False
    # « vmx ou svm »: beside another of its kind, which it leaves open.
    is_other: bool = False


@dataclass(frozen=True)
class Chosen:
    """A choice made for a subject, and where both stand."""

    subject: str
    choice: str
    places: tuple[int, ...]
    is_denied: bool = False
    # The subject is not named: its place in a list says which it is.
    is_bare: bool = False


def chosen(rules: Rubric, read: Read) -> list[Chosen]:
    """Return every choice with its subject, by the order in which they are named."""
    mentions = _mentions(rules, read)
    if listed := list(_listed(rules, mentions, read)):
        return listed
    found: list[Chosen] = []
    for _, here in groupby(mentions, key=lambda one: one.sentence):
        found += _aligned(list(here))
    return found


def find(wording: Wording, made: Sequence[Chosen]) -> Match | None:
    """Say whether only wanted choices were made for a subject; wanted and others together are both ways."""
    mine = [one for one in made if one.subject in wording.subjects]
    good = [one for one in mine if one.choice in wording.choices]
    if not good:
        return None
    is_clean = len(good) == len(mine) and not any(one.is_denied for one in good)
    return Match(State.SAID if is_clean else State.DENIED, good[0].places)


def _mentions(rules: Rubric, read: Read) -> list[Mention]:
    found = []
    for kind, known in enumerate((rules.subjects, rules.choices, rules.besides)):
        for name, forms in known.items():
            for place in read.places(forms):
                sentence, piece = read.sentences[place[0]], _piece(read, place[0])
                is_denied = read.is_denied(place) or _leads_on(read, place[0])
                found.append(Mention(kind, name, sentence, place[0], place[-1], piece, is_denied))
    kept: list[Mention] = []
    # The longest first: « virtuel invité » is no invité of its own.
    for one in sorted(found, key=lambda one: (one.at - one.end, one.at)):
        if all(one.at > other.end or one.end < other.at for other in kept):
            kept.append(one)
    kept.sort(key=lambda one: one.at)
    unknown = {_piece(read, at) for at, token in enumerate(read.tokens) if token.plain in _UNSURE}
    kept = [one for one in kept if one.piece not in unknown or one.kind == _CHOICE]
    # A choice that is denied is not made.
    kept = [one for one in kept if one.kind == _SUBJECT or (one.kind == _CHOICE and not one.is_denied)]
    kept = [one for at, one in enumerate(kept) if not at or not _repeats(read, kept[at - 1], one)]
    others = {one.at for before, one in pairwise(kept) if _is_other(read, before, one)}
    return [replace(one, is_other=True) if one.at in others else one for one in kept]


def _leads_on(read: Read, at: int) -> bool:
    """« ne tient pas gpa→hpa »: what an arrow leads to is denied with where it begins."""
    return at > 1 and read.tokens[at - 1].is_arrow and at - 2 in read.denied


def _is_other(read: Read, one: Mention, other: Mention) -> bool:
    between = {token.plain for token in read.tokens[one.end + 1 : other.at] if not token.is_mark}
    return one.kind == other.kind and bool(between & _OR) and between <= common()["stop"]


def _repeats(read: Read, one: Mention, other: Mention) -> bool:
    """Say whether a choice is named twice in a row: « rtl8139 émulée »."""
    between = read.tokens[one.end + 1 : other.at]
    is_same = one.kind == other.kind == _CHOICE and one.name == other.name
    return is_same and not any(token.is_mark or token.plain in {*_OR, "et", "and"} for token in between)


def _piece(read: Read, at: int) -> int:
    return sum(token.typed in _PIECES for token in read.tokens[:at])


def _aligned(mentions: list[Mention]) -> Iterator[Chosen]:
    """Pair runs of subjects with runs of choices, in whichever order the writer keeps."""
    pieces = [list(piece) for _, piece in groupby(mentions, key=lambda one: one.piece)]
    if len(pieces) > 1 and all({one.kind for one in piece} == {_SUBJECT, _CHOICE} for piece in pieces):
        for part in pieces:
            yield from _aligned(part)
        return
    subjects = [one for one in mentions if one.kind == _SUBJECT]
    choices = [one for one in mentions if one.kind == _CHOICE]
    if _in_turn(subjects, choices):
        # « Intel vmx, svm pour AMD »: as many of both, each in its turn.
        yield from map(_paired, subjects, choices)
        return
    first, last = mentions[0].kind, mentions[-1].kind
    named = {one.name for one in mentions if one.kind == _CHOICE}
    if first == _CHOICE and last == _CHOICE and len(named) > 1:
        # Choices at both ends: only those that share a piece of the sentence belong together.
        for _, piece in groupby(mentions, key=lambda one: one.piece):
            here = list(piece)
            is_open = (here[0].kind, here[-1].kind) == (_CHOICE, _CHOICE)
            is_one = len({one.name for one in here if one.kind == _CHOICE}) == 1
            if len({one.kind for one in here}) == 2 and (is_one or not is_open):
                yield from _aligned(here)
        return
    if first == _CHOICE and last == _CHOICE:
        mentions = mentions[:-1]
    runs = [list(run) for _, run in groupby(mentions, key=lambda one: one.kind)]
    for one, other in zip(runs[::2], runs[1::2], strict=False):
        subjects, choices = (one, other) if first == _SUBJECT else (other, one)
        if _in_turn(subjects, choices):
            # « vmx et svm, pour Intel et AMD »: as many of both, each in its turn.
            yield from map(_paired, subjects, choices)
        else:
            yield from _crossed(subjects, choices)


def _in_turn(subjects: Sequence[Mention], choices: Sequence[Mention]) -> bool:
    """Say whether there are as many of both, no one twice, and no choice is left open."""
    # « vmx ou svm, pour Intel et AMD »: subjects so near each other take them in turn.
    is_row = all(other.at - one.end <= _ROW for one, other in pairwise(subjects))
    names = [{one.name for one in both} for both in (subjects, choices)]
    is_even = len(names[0]) == len(names[1]) == len(subjects) == len(choices)
    return is_even and (is_row or not any(one.is_other for one in choices))


def _crossed(subjects: Sequence[Mention], choices: Sequence[Mention]) -> list[Chosen]:
    """Pair all with all; where choices differ, those that share a piece of the sentence, if any do."""
    both = [(subject, choice) for subject in subjects for choice in choices]
    if len({one.name for one in choices}) > 1:
        both = [pair for pair in both if pair[0].piece == pair[1].piece] or both
    return [_paired(*pair) for pair in both]


def _paired(subject: Mention, choice: Mention) -> Chosen:
    places = tuple(sorted({subject.at, choice.at}))
    # « pas de passthrough pour la ferme, mais virtio » denies another choice, before this one.
    return Chosen(subject.name, choice.name, places, subject.is_denied and choice.at < subject.at)


def are_unexplained(rules: Rubric, made: Sequence[Chosen]) -> bool:
    """Say whether bare choices answer a question that asks why."""
    return not _WHY.isdisjoint(rules.asked) and any(one.is_bare for one in made)


def settled(rules: Rubric, made: Sequence[Chosen]) -> bool:
    """Say whether something is chosen, once and undenied, for every subject that is asked for."""
    asked = list(rules.subjects)[: rules.asked_for]
    if not asked:
        return False
    chosen = {name: [one for one in made if one.subject == name] for name in asked}
    return all(
        mine and not any(one.is_denied for one in mine) and len({one.choice for one in mine}) == 1
        for mine in chosen.values()
    )


def _listed(rules: Rubric, mentions: Sequence[Mention], read: Read) -> Iterator[Chosen]:
    """Read "1 virtio 2 passthrough …", or as many bare choices as there are subjects, in the order asked."""
    subjects = list(rules.subjects)[: rules.asked_for]
    for counted in _COUNTED:
        marks = _in_order(read, counted[: len(subjects)])
        if len(marks) == len(subjects) > 2 and _is_counted(subjects, marks, mentions):
            yield from _between(subjects, marks, mentions, read)
            return
    if any(one.kind == _SUBJECT for one in mentions):
        return
    is_list = len(mentions) == len(subjects) and len({one.sentence for one in mentions}) == 1
    is_list = is_list and _is_bare(rules, mentions, read)
    if is_list and not any(token.plain in _OR for token in read.tokens[mentions[0].at : mentions[-1].at]):
        for subject, one in zip(subjects, mentions, strict=True):
            yield Chosen(subject, one.name, (one.at,), is_bare=True)


def _is_counted(subjects: Sequence[str], marks: Sequence[int], mentions: Sequence[Mention]) -> bool:
    """Say whether a subject is named only behind its own number, or behind them all."""
    named = [one for one in mentions if one.kind == _SUBJECT and one.at < marks[-1]]
    own = dict(zip(subjects, pairwise(marks), strict=False))
    return all(one.name in own and own[one.name][0] < one.at < own[one.name][1] for one in named)


def _is_bare(rules: Rubric, mentions: Sequence[Mention], read: Read) -> bool:
    """Say whether hardly anything but choices is said up to the last, and they are not in every answer."""
    if any(read.atoms[one.at] <= rules.background for one in mentions):
        return False
    used = {at for one in mentions for at in range(one.at, one.end + 1)}
    stop = common()["stop"]
    others = [
        token
        for at, token in enumerate(read.tokens[: mentions[-1].end])
        if not token.is_mark
        and at not in used
        and token.plain not in stop
        and not read.atoms[at] & rules.background
    ]
    return len(others) <= len(mentions)


def _in_order(read: Read, counted: Sequence[str]) -> list[int]:
    marks: list[int] = []
    for at, token in enumerate(read.tokens):
        if len(marks) < len(counted) and token.plain == counted[len(marks)]:
            marks.append(at)
    return marks


def _between(
    subjects: Sequence[str], marks: Sequence[int], mentions: Sequence[Mention], read: Read
) -> Iterator[Chosen]:
    sentence = read.sentences[marks[-1]]
    # A number may end its own sentence: « 4. virtio »; what comes after that gives reasons.
    is_alone = not any(one.sentence == sentence and one.at > marks[-1] for one in mentions)
    last = sentence + is_alone
    end = next((at for at, number in enumerate(read.sentences) if number > last), len(read.tokens))
    for subject, begin, stop in zip(subjects, marks, [*marks[1:], end], strict=True):
        for one in mentions:
            if one.kind == _CHOICE and begin < one.at < stop:
                yield Chosen(subject, one.name, (one.at,))
