"""The figure of an experiment: bars with their samples, or lines over a column; all in per cent of the plot.

Per cent, because lines of an SVG without a view box stretch with the page while text keeps its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from grader.experiments.result import Measured, Result, Tabled
from grader.language.bilingual import Bilingual
from grader.report.figures import Axis, Bar, bar, scale

# From this ratio of the largest to the smallest, values on a linear axis would lie on top of each other.
_WIDE = 64
_MOST_DECADES = 6


@dataclass(frozen=True)
class LogScale:
    """A logarithmic axis from the first tick to the last; it has no 0, so nothing on it is a filled bar."""

    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Return where ``value`` stands, in per cent of the width."""
        low, high = math.log10(self.ticks[0]), math.log10(self.ticks[-1])
        placed = math.log10(max(value, self.ticks[0])) - low
        return round(100 * min(placed / (high - low), 1.0), 2)


def logarithmic(smallest: float, largest: float) -> LogScale:
    """Return an axis of whole decades that holds both values, which are above 0."""
    low, high = math.floor(math.log10(smallest) + 1e-9), math.ceil(math.log10(largest) - 1e-9)
    high = max(high, low + 1)
    step = math.ceil((high - low) / _MOST_DECADES)
    decades = range(low, low + step * math.ceil((high - low) / step) + 1, step)
    return LogScale(tuple(10.0**decade for decade in decades))


@dataclass(frozen=True)
class Bars:
    """Measures of one unit on one axis, in the order of the experiment's description."""

    unit: str
    axis: Axis
    rows: tuple[tuple[str, Measured, Bar], ...]
    filled: bool

    @property
    def names(self) -> frozenset[str]:
        """The measures that are drawn: what is said of them need not be said again."""
        return frozenset(name for name, _, _ in self.rows)


@dataclass(frozen=True)
class Point:
    """One value of a line: where it stands (``down`` from the top), and what it says."""

    across: float
    down: float
    x: float
    y: float


@dataclass(frozen=True)
class Series:
    """One line: its column's title and its points from left to right."""

    title: Bilingual
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Lines:
    """Columns of a table drawn over another of its columns."""

    unit: str
    table: str
    across: Axis
    down: Axis
    x_title: Bilingual
    series: tuple[Series, ...]


def draw(result: Result) -> Bars | Lines | None:
    """Return the figure that the experiment's description asks for; None where there is nothing to draw."""
    figure = result.figure
    if figure.kind == "bars":
        return _bars(result)
    table = result.tables.get(figure.table or "")
    if figure.kind == "lines" and table is not None and figure.x is not None:
        return _lines(result, table, figure.x)
    return None


def _bars(result: Result) -> Bars | None:
    shown = [
        (name, result.measurements[name]) for name in result.figure.measures if name in result.measurements
    ]
    if not shown:
        return None
    # Of several units the first has the axis: the others stand in the table of measures.
    unit = result.figure.unit or shown[0][1].unit
    shown = [(name, one) for name, one in shown if one.unit == unit]
    if not shown:
        return None
    values = [value for _, one in shown for value in (*one.samples, *(one.ci95 or ()))]
    axis = _axis(values, result.figure.logarithmic)
    rows = tuple((name, one, bar(name, one, axis)) for name, one in shown)
    return Bars(unit, axis, rows, filled=not isinstance(axis, LogScale))


def _lines(result: Result, table: Tabled, x: str) -> Lines | None:
    columns = list(table.columns)
    if x not in columns:
        return None
    drawn = {name: list(_pairs(table, columns.index(x), columns.index(name))) for name in result.figure.y}
    drawn = {name: pairs for name, pairs in drawn.items() if pairs}
    if not drawn:
        return None
    every = [pair for pairs in drawn.values() for pair in pairs]
    places = [one for one, _ in every]
    across = _axis(places, min(places) > 0 and max(places) / min(places) >= _WIDE)
    down = _axis([value for _, value in every], result.figure.logarithmic)
    series = tuple(
        Series(
            table.columns[name],
            tuple(
                Point(across.at(place), round(100 - down.at(value), 2), place, value)
                for place, value in sorted(pairs)
            ),
        )
        for name, pairs in drawn.items()
    )
    return Lines(result.figure.unit, result.figure.table or "", across, down, table.columns[x], series)


def _pairs(table: Tabled, x: int, y: int) -> Iterable[tuple[float, float]]:
    for row in table.rows:
        place, value = row[x], row[y]
        if _is_number(place) and _is_number(value):
            yield float(place), float(value)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _axis(values: list[float], wants_logarithmic: bool) -> Axis:
    """Return an axis for values; one that has no logarithm puts them all on a linear one."""
    if wants_logarithmic and min(values) > 0:
        return logarithmic(min(values), max(values))
    return scale(max(values), least=2, most=5)
