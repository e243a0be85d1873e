"""Answers that are nearly the same, without what everybody copies: the question and the sheet.

These are signals for a human and no more: students work in pairs, learn from one source, and remember one
sentence of the lecture. Nothing here says who had an idea first, or that anybody did wrong.
"""

from __future__ import annotations

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
    """Return groups of students with nearly identical long answers: those with most questions first."""
    given = _given(lab)
    groups: dict[tuple[str, ...], list[tuple[str, float, str]]] = {}
    for question in lab:
        asked = given | _runs(_words(f"{question.ask.fr} {question.ask.en}"))
        texts = {
            one.student: one.texts[question.id]
            for one in glimpses
            if question.id in one.texts and len(_own(one.texts[question.id], asked)) >= WORDS
        }
        for students, nearness in _groups(texts, asked):
            groups.setdefault(students, []).append((question.id, nearness, texts[students[0]]))
    listed = [
        Alike(students, tuple(one for one, _, _ in same), min(near for _, near, _ in same), same[0][2])
        for students, same in groups.items()
    ]
    return tuple(sorted(listed, key=lambda one: (-len(one.questions), -one.nearness, one.students)))


def _groups(
    texts: Mapping[str, str], asked: frozenset[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield groups of two or more students whose own words are nearly the same, and the least similarity."""
    by_words: dict[str, list[str]] = {}
    for student, text in texts.items():
        by_words.setdefault(" ".join(_own(text, asked)), []).append(student)
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
    for at, own in enumerate(words):
        joined.setdefault(root(at), []).extend(by_words[own])
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
