"""A student's own variant: always the same one, another one for a neighbour, and the same questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domains.paths import LABS
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.questions import ChoiceQuestion, ChoicesQuestion

LAB = labs.load(LABS / "r202")
CHOICES = [one for one in LAB if isinstance(one, ChoiceQuestion | ChoicesQuestion)]


def right(question: object) -> set[str]:
    """Return the English texts of the right options, whatever their letters."""
    assert isinstance(question, ChoiceQuestion | ChoicesQuestion)
    letters = [question.right] if isinstance(question, ChoiceQuestion) else question.right
    return {question.options[letter].en for letter in letters}


def test_nobodys_variant_is_the_lab_as_it_was_written() -> None:
    assert variants.drawn(LAB, None) is LAB


@given(st.text(min_size=1, max_size=40))
def test_a_variant_moves_letters_and_never_what_is_right(student: str) -> None:
    mine = variants.drawn(LAB, student)
    assert [one.id for one in mine] == [one.id for one in LAB]
    for before in CHOICES:
        after = mine.question(before.id)
        assert isinstance(after, ChoiceQuestion | ChoicesQuestion)
        assert list(after.options) == list(before.options)
        assert right(after) == right(before)
        told = {before.options[letter].en: text for letter, text in before.feedback.items()}
        assert {after.options[letter].en: text for letter, text in after.feedback.items()} == told


def test_a_variant_is_the_same_on_every_day_and_machine() -> None:
    # Pinned: another order would turn right answers that were handed in into wrong ones.
    mine = variants.drawn(LAB, "alice")
    one = next(one.id for one in CHOICES if isinstance(one, ChoiceQuestion))
    drawn = mine.question(one)
    assert isinstance(drawn, ChoiceQuestion)
    assert variants.seed("r202", "alice") == 13888193817416352853
    assert drawn.right == variants.drawn(LAB, " Alice ").question(one).right  # type: ignore[union-attr]


@pytest.mark.parametrize("question", CHOICES, ids=lambda one: one.id)
def test_neighbours_have_different_letters(question: ChoiceQuestion | ChoicesQuestion) -> None:
    def letters(student: str) -> str:
        drawn = variants.drawn(LAB, student).question(question.id)
        assert isinstance(drawn, ChoiceQuestion | ChoicesQuestion)
        return "".join(drawn.right)

    assert len({letters(f"student{number}") for number in range(30)}) > 2
