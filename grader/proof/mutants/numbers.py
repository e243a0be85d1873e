"""Mutants of numbers: swapped, inverted, off by ten, negative, of another unit, just beyond the tolerance."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from grader.lab.questions import NumberQuestion
from grader.lab.units import readings, unit_shown
from grader.proof.mutants.mutant import Kind, Mutant, Solved
from grader.submission.evidence import Missing, expected

# A unit that never stands for another one that a lab asks for.
_OTHER_UNIT = {"s": "Mbit/s", "us": "Mbit/s"}
_DIGITS = 5
# Numbers that are so close, relatively, are no other ones.
_SAME = 0.1


def _targets(solved: Solved) -> Iterator[tuple[NumberQuestion, float]]:
    for question in solved.questions(NumberQuestion):
        target = expected(question.expect, solved.submission.evidence)
        if not isinstance(target, Missing):
            yield question, target.value


def _differs(value: float, target: float) -> bool:
    """Say whether a value is no longer the same number, whatever the question tolerates."""
    return abs(value - target) > _SAME * abs(target)


def _changed(solved: Solved, operator: str, how: str, factor: float) -> Iterator[Mutant]:
    for question, target in _targets(solved):
        value = float(f"{target * factor:.{_DIGITS}g}")
        if target:
            yield solved.answering(operator, question, value, how, example=value)


def _swapped(solved: Solved) -> Iterator[Mutant]:
    for (one, target), (other, _) in itertools.permutations(_targets(solved), 2):
        value = solved.value(other)
        numbers = readings(value, one.unit)
        if isinstance(numbers, list) and all(_differs(number, target) for number in numbers):
            change = f"gave the answer to {other.id}"
            yield solved.answering("swapped-numbers", one, value, change, example=value)


def _inverted(solved: Solved) -> Iterator[Mutant]:
    for question, target in _targets(solved):
        value = float(f"{1 / target:.{_DIGITS}g}") if target else 0.0
        if question.expect.ratio and target and _differs(value, target):
            change = "divided the other way round"
            yield solved.answering("inverted-ratio", question, value, change, example=value)


def _ten(solved: Solved) -> Iterator[Mutant]:
    yield from _changed(solved, "off-by-ten", "ten times too much", 10.0)
    yield from _changed(solved, "off-by-ten", "ten times too little", 0.1)


def _sign(solved: Solved) -> Iterator[Mutant]:
    yield from _changed(solved, "wrong-sign", "negative", -1.0)


def _beyond(solved: Solved) -> Iterator[Mutant]:
    for question, target in _targets(solved):
        margin = question.tolerance.absolute + question.tolerance.relative * abs(target)
        for change, value in (
            ("just above what is tolerated", target + 1.2 * margin + 1e-6),
            ("just below what is tolerated", target - 1.2 * margin - 1e-6),
        ):
            yield solved.answering("beyond-tolerance", question, value, change, example=value)


def _unit(solved: Solved) -> Iterator[Mutant]:
    for question, target in _targets(solved):
        unit = _OTHER_UNIT.get(question.unit, "s")
        value, change = f"{target:.{_DIGITS}g} {unit}", f"in {unit}, not in {unit_shown(question.unit)}"
        yield solved.answering("wrong-unit", question, value, change, example=value)


_NONE = "no number"
KINDS = (
    Kind("swapped-numbers", _swapped, "fewer than two numbers", "ask for numbers that are further apart"),
    Kind("inverted-ratio", _inverted, "no ratio that differs from 1", "make the tolerance smaller"),
    Kind("off-by-ten", _ten, _NONE, "make the tolerance smaller"),
    Kind("wrong-sign", _sign, _NONE, "make the tolerance smaller than the number"),
    Kind("beyond-tolerance", _beyond, _NONE, "see that the tolerance is what the sheet says"),
    Kind("wrong-unit", _unit, _NONE, "see that the unit is what the sheet says"),
)
