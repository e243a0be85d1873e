"""What is chosen for which subject: « virtio pour la ferme, VF pour le trading », "farm: virtio"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from grader.checks.reading.finding import Match, Read, State
from grader.checks.reading.rubric import Rubric
from grader.checks.reading.tokens import common
from grader.checks.reading.wording import Wording

_COUNTED = (("1", "2", "3", "4", "5"), ("a", "b", "c", "d", "e"), ("1er", "2e", "3e", "4e"))
# « pour AMD je ne sais plus »: no choice is made for what stands beside.
_UNSURE = frozenset(common()["unsure"].split())
_SUBJECT, _CHOICE, _BESIDES = range(3)


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


@dataclass(frozen=True)
class Chosen:
    """A choice made for a subject, and where both stand."""

    subject: str
    choice: str
    sentence: int
    places: tuple[int, ...]
    is_denied: bool = False


def chosen(rules: Rubric, reads: Sequence[Read]) -> list[Chosen]:
    """Return every choice with its subject, by the order in which they are named."""
    mentions = [one for read in reads for one in _mentions(rules, read)]
    if listed := list(_listed(list(rules.subjects)[: rules.asked_for], mentions, reads)):
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
    return Match(State.SAID if is_clean else State.DENIED, good[0].sentence, good[0].places)


def _mentions(rules: Rubric, read: Read) -> list[Mention]:
    found = []
    for kind, known in enumerate((rules.subjects, rules.choices, rules.besides)):
        for name, forms in known.items():
            for place in read.places(forms):
                piece = _piece(read, place[0])
                is_denied = read.is_denied(place)
                found.append(Mention(kind, name, read.number, place[0], place[-1], piece, is_denied))
    kept: list[Mention] = []
    # The longest first: « virtuel invité » is no invité of its own.
    for one in sorted(found, key=lambda one: (one.at - one.end, one.at)):
        if all(one.at > other.end or one.end < other.at for other in kept):
            kept.append(one)
    kept.sort(key=lambda one: one.at)
    words = [token.plain for token in read.sentence.tokens]
    unknown = {_piece(read, at) for at, word in enumerate(words) if word in _UNSURE}
    kept = [one for one in kept if one.piece not in unknown or one.kind == _CHOICE]
    # A choice that is denied is not made.
    return [one for one in kept if one.kind == _SUBJECT or (one.kind == _CHOICE and not one.is_denied)]


def _piece(read: Read, at: int) -> int:
    return sum(token.typed in {",", ":", "(", ")"} for token in read.sentence.tokens[:at])


def _aligned(mentions: list[Mention]) -> Iterator[Chosen]:
    """Pair runs of subjects with runs of choices, in whichever order the writer keeps."""
    first, last = mentions[0].kind, mentions[-1].kind
    named = {one.name for one in mentions if one.kind == _CHOICE}
    if first == _CHOICE and last == _CHOICE and len(named) > 1:
        # Choices at both ends: only those that share a piece of the sentence belong together.
        for _, piece in groupby(mentions, key=lambda one: one.piece):
            here = list(piece)
            if len({one.kind for one in here}) == 2 and (here[0].kind, here[-1].kind) != (_CHOICE, _CHOICE):
                yield from _aligned(here)
        return
    if first == _CHOICE and last == _CHOICE:
        mentions = mentions[:-1]
    runs = [list(run) for _, run in groupby(mentions, key=lambda one: one.kind)]
    for one, other in zip(runs[::2], runs[1::2], strict=False):
        subjects, choices = (one, other) if first == _SUBJECT else (other, one)
        yield from (_paired(subject, choice) for subject in subjects for choice in choices)


def _paired(subject: Mention, choice: Mention) -> Chosen:
    places = tuple(sorted({subject.at, choice.at}))
    return Chosen(subject.name, choice.name, subject.sentence, places, subject.is_denied)


def _listed(subjects: Sequence[str], mentions: Sequence[Mention], reads: Sequence[Read]) -> Iterator[Chosen]:
    """Read "1 virtio 2 passthrough …", or as many bare choices as there are subjects, in the order asked."""
    words = [
        (read.number, at, token.plain) for read in reads for at, token in enumerate(read.sentence.tokens)
    ]
    for counted in _COUNTED:
        marks = _in_order(words, counted[: len(subjects)])
        named = [(one.sentence, one.at) for one in mentions if one.kind == _SUBJECT]
        if len(marks) == len(subjects) > 2 and all(marks[-1] < one for one in named):
            yield from _between(subjects, marks, mentions)
            return
    if any(one.kind == _SUBJECT for one in mentions):
        return
    if len(mentions) == len(subjects) and len({one.sentence for one in mentions}) == 1:
        for subject, one in zip(subjects, mentions, strict=True):
            yield Chosen(subject, one.name, one.sentence, (one.at,))


def _in_order(words: Sequence[tuple[int, int, str]], counted: Sequence[str]) -> list[tuple[int, int]]:
    marks: list[tuple[int, int]] = []
    for sentence, at, word in words:
        if len(marks) < len(counted) and word == counted[len(marks)]:
            marks.append((sentence, at))
    return marks


def _between(
    subjects: Sequence[str], marks: Sequence[tuple[int, int]], mentions: Sequence[Mention]
) -> Iterator[Chosen]:
    sentence, at = marks[-1]
    # A number may end its own sentence: « 4. virtio »; what comes after that gives reasons.
    is_alone = not any(one.sentence == sentence and one.at > at for one in mentions)
    ends = [*marks[1:], (sentence + 1 + is_alone, 0)]
    for subject, begin, end in zip(subjects, marks, ends, strict=True):
        for one in mentions:
            if one.kind == _CHOICE and begin < (one.sentence, one.at) < end:
                yield Chosen(subject, one.name, one.sentence, (one.at,))
