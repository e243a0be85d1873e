"""Whether what an experiment is to show follows from its numbers: intervals against intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from grader.experiments.result import Result, Value
from grader.lab.practical import Cell, Claim, More, Operand, Row, Same, Where
from grader.language import Lang
from grader.language.bilingual import Bilingual, both, decimal, listed

# Yes, no, open (the interval straddles the limit), not-here (the host cannot measure it), lost (it is gone).
Holds = Literal["yes", "no", "open", "not-here", "lost"]
_ROUNDING = 1e-9
_YES, _NO = both("yes", "oui"), both("no", "non")


@dataclass(frozen=True)
class Judged:
    """A claim, whether it holds, and the numbers behind that in words."""

    claim: Claim
    holds: Holds
    how: str


@dataclass(frozen=True)
class _Number:
    """An interval, and how it reads."""

    low: float
    high: float
    how: str


@dataclass(frozen=True)
class _Absent:
    """Why a number cannot be had."""

    holds: Holds
    how: str


def judge(claim: Claim, found: Result, lang: Lang) -> Judged:
    """Say whether a claim holds in a result."""
    if claim.row:
        return _row(claim, claim.row, found, lang)
    sides = claim.more or claim.same
    assert sides is not None  # noqa: S101  a claim holds exactly one of the three
    other = sides.than if isinstance(sides, More) else sides.to
    numbers = [_number(one, found, lang) for one in (sides.of, other)]
    missing = [one for one in numbers if isinstance(one, _Absent)]
    if missing:
        return Judged(claim, missing[0].holds, missing[0].how)
    left, right = (one for one in numbers if isinstance(one, _Number))
    holds = _more(left, right, sides) if isinstance(sides, More) else _same(left, right, sides)
    return Judged(claim, holds, listed((left.how, right.how), lang))


def _more(left: _Number, right: _Number, claim: More) -> Holds:
    if not left.high and not right.high:
        # Of nothing, nothing is more: a counter that never counted shows nothing.
        return "no"
    if left.low >= claim.times * right.high:
        return "yes"
    return "no" if left.high < claim.times * right.low else "open"


def _same(left: _Number, right: _Number, claim: Same) -> Holds:
    factor = claim.within + _ROUNDING
    if left.high <= factor * right.low and right.high <= factor * left.low:
        return "yes"
    return "no" if left.low > factor * right.high or right.low > factor * left.high else "open"


def _number(operand: Operand, found: Result, lang: Lang) -> _Number | _Absent:
    if isinstance(operand, int | float):
        return _Number(operand, operand, decimal(operand, lang))
    if isinstance(operand, Cell):
        return _cell(operand, found, lang)
    one = found.measurements.get(operand)
    if one is None:
        cause = found.not_measurable.get(operand)
        said = f"{operand}: {cause or 'neither measured nor explained'}"
        return _Absent("not-here" if cause else "lost", said)
    low, high = one.ci95 or (min(one.samples), max(one.samples))
    said = _named(one.title, f"{decimal(one.median, lang)} {one.unit}".strip(), lang)
    return _Number(low, high, said)


def _named(title: Bilingual, value: str, lang: Lang) -> str:
    return Bilingual(en="{title}: {value}", fr="{title} : {value}").say(
        lang, title=title.say(lang), value=value
    )


def _cell(cell: Cell, found: Result, lang: Lang) -> _Number | _Absent:
    table = found.tables.get(cell.table)
    for row in _rows(found, cell.table):
        if _meant(row, cell.where):
            number = _float(row.get(cell.column))
            if number is not None and table is not None:
                said = _named(table.columns[cell.column], decimal(number, lang), lang)
                return _Number(number, number, said)
    where = cell.where
    wanted = f"{where.column} {where.is_ or where.has}"
    return _Absent("lost", f"{cell.table}: no number in {cell.column} where {wanted}")


def _meant(row: dict[str, Value], where: Where | None) -> bool:
    if where is None:
        return True
    value = row.get(where.column)
    if where.is_ is not None:
        return where.is_ in _texts(value)
    return _has(value, where.has or "")


def _float(value: Value) -> float | None:
    try:
        number = float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _row(claim: Claim, wanted: Row, found: Result, lang: Lang) -> Judged:
    table = found.tables.get(wanted.table)
    if table is None:
        return Judged(claim, "lost", f"there is no table {wanted.table}")
    for row in _rows(found, wanted.table):
        if _meant(row, wanted.where) and _has(row.get(wanted.column), wanted.has):
            title = table.columns.get(wanted.column)
            value = _shown(row.get(wanted.column), lang)
            return Judged(claim, "yes", _named(title, value, lang) if title else value)
    return Judged(claim, "no", f"{wanted.table}: {wanted.column} ≠ {wanted.has}")


def _rows(found: Result, name: str) -> Iterator[dict[str, Value]]:
    if table := found.tables.get(name):
        for row in table.rows:
            yield dict(zip(table.columns, row, strict=False))


def _has(value: Value, text: str) -> bool:
    return any(text.casefold() in one.casefold() for one in _texts(value))


def _texts(value: Value) -> tuple[str, ...]:
    return (value.fr, value.en) if isinstance(value, Bilingual) else (_text(value),)


def _shown(value: Value, lang: Lang) -> str:
    """Return a value as people read it, where :func:`_text` is what an author asks for."""
    if isinstance(value, bool):
        return (_YES if value else _NO).say(lang)
    return value.say(lang) if isinstance(value, Bilingual) else _text(value)


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.en if isinstance(value, Bilingual) else "" if value is None else str(value)
