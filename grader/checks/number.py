"""A number with a unit, right within a tolerance; the expected one comes from the student's own measures."""

from __future__ import annotations

import math
import re

from grader.answers import Answer
from grader.bilingual import decimal
from grader.checks import words
from grader.checks.verdict import Context, graded, result, without_value
from grader.evidence import REPORT_FILE, Missing, Seen, expected
from grader.questions import NumberQuestion, Tolerance
from grader.result import CheckResult, Evidence, Outcome

# How a unit may be written, and its worth in the unit that is asked for. SI: 1 MB is 8 Mbit.
_WRITTEN: dict[str, dict[str, float]] = {
    "times": {"": 1, "x": 1, "×": 1, "times": 1, "fois": 1, "%": 0.01},
    "Mbit/s": {
        **dict.fromkeys(("Mbit/s", "Mb/s", "Mbps", "Mbits/s"), 1.0),
        **dict.fromkeys(("Gbit/s", "Gb/s", "Gbps", "Gbits/s"), 1e3),
        **dict.fromkeys(("kbit/s", "kb/s", "kbps", "Kbit/s"), 1e-3),
        **dict.fromkeys(("MB/s", "Mo/s"), 8.0),
        **dict.fromkeys(("GB/s", "Go/s"), 8e3),
    },
    "us": {"us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6},
    "s": {"s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "min": 60},
    "s/GB": dict.fromkeys(("s/GB", "s/Go"), 1.0),
    "1/MB": dict.fromkeys(("1/MB", "/MB", "1/Mo", "/Mo", "exits/MB", "sorties/Mo"), 1.0),
    "1/packet": dict.fromkeys(("1/packet", "/packet", "1/paquet", "/paquet"), 1.0),
    "count": {"": 1, "exits": 1, "sorties": 1},
}
_SHOWN = {"times": "×", "us": "µs", "count": ""}
_NUMBER = re.compile(r"([-+]?[0-9][0-9 .,\u00a0\u202f\u2009]*(?:[eE][-+]?[0-9]{1,3})?)(.*)")
_LONGEST = 64


def unit_shown(unit: str) -> str:
    """Return a unit as people write it."""
    return _SHOWN.get(unit, unit)


def readings(value: object, unit: str) -> list[float] | str | None:
    """Return what a value can mean in a unit: two numbers for 1,424, which is 1.424 in French.

    Returns the unit that was written when it does not fit, and None when it is no number at all.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        # An int of thousands of digits does not fit a float, and is no measure either.
        fits = abs(value) < 1e15 if isinstance(value, int) else math.isfinite(value)
        return [float(value)] if fits else None
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None
    if not match:
        return None
    written = match[2].strip()
    worth = 1.0 if not written else _WRITTEN[unit].get(written.replace(" ", ""))
    if worth is None:
        return written
    return [number * worth for number in _decimals(match[1])] or None


def _decimals(text: str) -> list[float]:
    plain = re.sub(r"[\s\u00a0\u202f\u2009]", "", text)
    comma, dot = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands, point = (",", ".") if dot > comma else (".", ",")
        forms = [plain.replace(thousands, "").replace(point, ".")]
    elif plain.count(",") > 1 or plain.count(".") > 1:
        forms = [plain.replace(",", "").replace(".", "")]
    else:
        forms = [plain.replace(",", ".")]
        if re.fullmatch(r"[-+]?\d{1,3},\d{3}", plain):
            forms.append(plain.replace(",", ""))
    return [number for form in forms if (number := _float(form)) is not None]


def _float(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def within(value: float, target: float, tolerance: Tolerance) -> bool:
    """Say whether a value is close enough to what was expected."""
    return abs(value - target) <= tolerance.absolute + tolerance.relative * abs(target) + 1e-12


def check_number(question: NumberQuestion, answer: Answer, context: Context) -> CheckResult:
    """Compare a number with what the student's own evidence says; an inverted ratio is named as such."""
    target = expected(question.expect, context.evidence)
    if isinstance(target, Missing):
        return without_value(question, target, context, answer.value if answer.value is not None else "")
    lang, unit = context.lang, unit_shown(question.unit)
    wanted = _wanted(question, target, context)
    seen = (Evidence(source=REPORT_FILE, seen=target.how),) if target.how else ()
    numbers = None if answer.value is None else readings(answer.value, question.unit)
    if not isinstance(numbers, list):
        hint = answer.note or words.NO_ANSWER.say(lang)
        if isinstance(numbers, str):
            hint = words.WRONG_UNIT.say(lang, given=numbers, unit=unit)
        elif answer.value is not None:
            hint = words.NOT_A_NUMBER.say(lang, unit=unit)
        actual = "" if answer.value is None else answer.value
        return result(question, Outcome.FAIL, expected=wanted, actual=actual, hint=hint, evidence=seen)
    right = any(within(number, target.value, question.tolerance) for number in numbers)
    inverted = any(number and within(1 / number, target.value, question.tolerance) for number in numbers)
    hint = (words.INVERTED if question.expect.ratio and inverted else question.hint).say(lang)
    shown = f"{decimal(numbers[0], lang)} {unit}".strip()
    return graded(question, float(right), expected=wanted, actual=shown, hint=hint, evidence=seen)


def _wanted(question: NumberQuestion, target: Seen, context: Context) -> str:
    tolerance = question.tolerance
    margin = (
        f"{tolerance.relative * 100:g} %" if tolerance.relative else decimal(tolerance.absolute, context.lang)
    )
    return f"{decimal(target.value, context.lang)} {unit_shown(question.unit)}".strip() + f" ± {margin}"
