"""Answers that are nearly the same, without what everybody copies: the question and the sheet.

These are signals for a human and no more: students work in pairs, learn from one source, and remember one
sentence of the lecture. Nothing here says who had an idea first, or that anybody did wrong.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.lab.lab import Lab
from grader.report.classroom.glimpse import Glimpse

# Shorter answers are alike because there is little else to say.
WORDS = 12
# Of 100: the share of a text's letters that need no change to become the other one.
NEAR = 92
# A text that more students share is from a common source: the lecture, or a book.
FEW = 4
# So many words in a row that stand in the question or the sheet are copied from there.
_RUN = 4


@dataclass(frozen=True)
class Alike:
    """The students of one group, and the questions that they answered nearly alike.

    ``nearness`` is the least of their similarities, in per cent, and ``text`` one of the answers.
    """

    students: tuple[str, ...]
    questions: tuple[str, ...]
    nearness: float
    text: str


def found(lab: Lab, glimpses: Sequence[Glimpse]) -> tuple[Alike, ...]:
    """Return pairs who are alike in several questions, most of them first, then groups alike in one.

    What more than a few share says nothing about two of them: such a text joins no pair.
    """
    groups = list(_by_question(lab, glimpses))
    pairs: dict[tuple[str, ...], list[Alike]] = {}
    for one in groups:
        if len(one.students) <= FEW:
            for pair in itertools.combinations(one.students, 2):
                pairs.setdefault(pair, []).append(one)
    several = {pair: same for pair, same in pairs.items() if len(same) > 1}
    joined = [
        Alike(pair, tuple(one.questions[0] for one in same), min(one.nearness for one in same), same[0].text)
        for pair, same in several.items()
    ]
    single = [
        one
        for one in groups
        if len(one.students) > FEW or not several.keys() >= set(itertools.combinations(one.students, 2))
    ]
    listed = [*joined, *single]
    return tuple(
        sorted(listed, key=lambda one: (-len(one.questions), len(one.students), one.questions, one.students))
    )


def _by_question(lab: Lab, glimpses: Sequence[Glimpse]) -> Iterator[Alike]:
    given = _given(lab)
    for question in lab:
        asked = given | _runs(_words(f"{question.ask.fr} {question.ask.en}"))
        own = {
            one.student: words
            for one in glimpses
            if len(words := _own(one.texts.get(question.id, ""), asked)) >= WORDS
        }
        texts = {one.student: one.texts[question.id] for one in glimpses if one.student in own}
        for students, nearness in _groups(own):
            yield Alike(students, (question.id,), nearness, texts[students[0]])


def _groups(own: Mapping[str, Sequence[str]]) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield groups of two or more students whose own words are nearly the same, and the least similarity."""
    by_words: dict[str, list[str]] = {}
    for student, said in own.items():
        by_words.setdefault(" ".join(said), []).append(student)
    words = list(by_words)
    owner = list(range(len(words)))
    least = [100.0] * len(words)

    def root(at: int) -> int:
        while owner[at] != at:
            at = owner[at]
        return at

    for left, right, near in _near(words):
        one, other = sorted((root(left), root(right)))
        owner[other] = one
        least[one] = min(least[one], least[other], near)
    joined: dict[int, list[str]] = {}
    for at, text in enumerate(words):
        joined.setdefault(root(at), []).extend(by_words[text])
    for at, students in joined.items():
        if len(students) > 1:
            yield tuple(sorted(students)), round(least[at], 1)


def _near(texts: Sequence[str]) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of different texts that are near, by Indel similarity (rapidfuzz)."""
    from rapidfuzz import fuzz, process

    for at, text in enumerate(texts):
        rest = texts[at + 1 :]
        for _, near, beside in process.extract(text, rest, scorer=fuzz.ratio, score_cutoff=NEAR, limit=None):
            yield at, at + 1 + beside, near


def _given(lab: Lab) -> frozenset[tuple[str, ...]]:
    """Return the runs of words that stand in the lab's sheets, which students may copy."""
    runs: set[tuple[str, ...]] = set()
    for file in sorted(lab.folder.glob("sheet.*.md")):
        runs |= _runs(_words(file.read_text(encoding="utf-8", errors="replace")))
    return frozenset(runs)


def _own(text: str, asked: frozenset[tuple[str, ...]]) -> list[str]:
    """Return the words of a text without those in a run that was copied."""
    words = _words(text)
    copied = {
        at + step
        for at in range(len(words) - _RUN + 1)
        if tuple(words[at : at + _RUN]) in asked
        for step in range(_RUN)
    }
    return [word for at, word in enumerate(words) if at not in copied]


def _runs(words: Sequence[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1))


def _words(text: str) -> list[str]:
    """Return the words of a text without accents, case and punctuation; long texts are cut."""
    plain = unicodedata.normalize("NFKD", text[:100_000]).casefold()
    letters: Iterable[str] = (one for one in plain if not unicodedata.combining(one))
    return re.findall(r"\w+", "".join(letters))
