"""Mutants of choices: another option, one too many, one missing, all of them."""

from __future__ import annotations

from collections.abc import Iterator

from grader.lab.questions import ChoiceQuestion, ChoicesQuestion
from grader.proof.mutants.mutant import Kind, Mutant, Solved, listed


def _another_option(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(ChoiceQuestion):
        for author, mine in solved.letters[question.id].items():
            if mine != question.right:
                yield solved.answering("another-option", question, mine, f"chose {author}")


def _one_more(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(ChoicesQuestion):
        right = set(question.right)
        for author, mine in solved.letters[question.id].items():
            if mine not in right:
                yield solved.answering(
                    "one-too-many", question, sorted({*right, mine}), f"ticked {author} too"
                )


def _one_less(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(ChoicesQuestion):
        right = set(question.right)
        for author, mine in solved.letters[question.id].items():
            if mine in right:
                yield solved.answering("one-missing", question, sorted(right - {mine}), f"left {author} out")


def _all(solved: Solved) -> Iterator[Mutant]:
    for question in solved.questions(ChoicesQuestion):
        every = sorted(question.options)
        if set(every) != set(question.right):
            yield solved.answering("all-ticked", question, every, f"ticked all: {listed(every)}")


KINDS = (
    Kind("another-option", _another_option, "no choice", "see that only one option is `right`"),
    Kind("one-too-many", _one_more, "no several choices", "see that `right` names all that is right"),
    Kind("one-missing", _one_less, "no several choices", "see that each of `right` is worth points"),
    Kind("all-ticked", _all, "no several choices with a wrong option", "add an option that is wrong"),
)
