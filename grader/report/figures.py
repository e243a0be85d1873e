"""The geometry of the figures: scales, bars, whiskers and dots, all in per cent of the plot's width.

Per cent, because the plots are SVG without a view box: bars stretch with the page while text keeps its size,
so that one drawing serves a phone and a desk.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from grader.measure.run import CellResult, Measurement

# Upper and lower bar of the first figure, in this order.
THROUGHPUT = ("tcp_to_guest", "tcp_from_guest")
EXITS = "exits_per_mb"
_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0)


class Axis(Protocol):
    """Where values stand: ticks at round values, the first at 0 and the last at 100 per cent."""

    @property
    def ticks(self) -> tuple[float, ...]: ...

    def at(self, value: float) -> float: ...


class Sampled(Protocol):
    """What is drawn as a bar: a median, its interval, and every sample."""

    @property
    def samples(self) -> tuple[float, ...]: ...

    @property
    def median(self) -> float: ...

    @property
    def ci95(self) -> tuple[float, float] | None: ...


@dataclass(frozen=True)
class Scale:
    """A linear axis from 0 to ``top``, with ticks at round values."""

    top: float
    ticks: tuple[float, ...]

    @property
    def decimals(self) -> int:
        """How many decimals tell the ticks apart."""
        step = self.ticks[1]
        return next(count for count in range(12) if round(step, count) == round(step, 12))

    def at(self, value: float) -> float:
        """Return where ``value`` stands, in per cent of the width."""
        return round(100 * min(max(value / self.top, 0.0), 1.0), 2)


def scale(largest: float, *, least: int = 3, most: int = 7) -> Scale:
    """Return an axis that begins at 0 (bars lie otherwise) and ends as soon as it can after ``largest``.

    It has ``least`` to ``most`` intervals; of two axes that end together the one with fewer ticks is taken.
    """
    if largest <= 0:
        return Scale(1.0, (0.0, 1.0))
    size = 10.0 ** math.floor(math.log10(largest / least))
    steps = [one * size / 10 for one in _ROUND_STEPS] + [one * size for one in _ROUND_STEPS]
    fits = [(step, math.ceil(largest / step * (1 - 1e-9))) for step in steps]
    top, count, step = min((step * count, count, step) for step, count in fits if least <= count <= most)
    return Scale(top, tuple(round(step * index, 10) for index in range(count + 1)))


@dataclass(frozen=True)
class Bar:
    """One measurement drawn: its median, the interval's ends and every sample (per cent of the width)."""

    metric: str
    measured: Sampled
    median: float
    low: float | None
    high: float | None
    dots: tuple[float, ...]


def bar(metric: str, measured: Sampled, on: Axis) -> Bar:
    """Place a measurement on a scale; samples that fall on one place are drawn once."""
    low, high = measured.ci95 or (None, None)
    return Bar(
        metric=metric,
        measured=measured,
        median=on.at(measured.median),
        low=None if low is None else on.at(low),
        high=None if high is None else on.at(high),
        dots=tuple(sorted({on.at(value) for value in measured.samples})),
    )


@dataclass(frozen=True)
class Exits:
    """The exits of a cell by kind, stacked; ``parts`` are (kind, value per MB, start, width in per cent).

    ``split`` says whether the kinds are known; "other" is what is left of all exits.
    """

    total: Measurement
    parts: tuple[tuple[str, float, float, float], ...]
    split: bool


def exits(cell: CellResult, on: Scale) -> Exits | None:
    """Return the stacked exits of a cell, or None when they could not be counted: that is never 0."""
    total = cell.measurements.get(EXITS)
    if total is None:
        return None
    known = [(kind, cell.measurements.get(f"{kind}_exits_per_mb")) for kind in ("mmio", "pio")]
    values = [(kind, one.median) for kind, one in known if one is not None]
    # Medians of parts need not add up to the median of the whole: what is left is never below nothing.
    left = max(total.median - sum(value for _, value in values), 0.0)
    parts, start = [], 0.0
    for kind, value in [*values, ("other" if values else "all", left)]:
        width = round(100 * value / on.top, 2)
        parts.append((kind, value, round(start, 2), width))
        start += width
    return Exits(total, tuple(parts), split=bool(values))


@dataclass(frozen=True)
class Row:
    """One cell in a figure."""

    cell: CellResult
    bars: tuple[Bar, ...]
    exits: Exits | None = None


@dataclass(frozen=True)
class Figure:
    """Cells on one scale, the best first; ``metrics`` are its bars from top to bottom."""

    metrics: tuple[str, ...]
    unit: str
    scale: Scale
    rows: tuple[Row, ...]
    exit_scale: Scale | None = None


def throughput(cells: Sequence[CellResult]) -> Figure | None:
    """Return throughput both ways with the exits beside it, the fastest towards the guest first."""
    shown = _with_any(cells, THROUGHPUT)
    if not shown:
        return None
    on = scale(_largest(shown, THROUGHPUT))
    counted = [cell for cell in shown if EXITS in cell.measurements]
    exits_on = scale(_largest_exits(counted), least=2, most=4) if counted else None
    rows = (
        Row(cell, _bars(cell, THROUGHPUT, on), exits(cell, exits_on) if exits_on else None)
        for cell in sorted(shown, key=_fastest_first)
    )
    return Figure(THROUGHPUT, _unit(shown, THROUGHPUT), on, tuple(rows), exits_on)


def single(cells: Sequence[CellResult], metric: str) -> Figure | None:
    """Return one metric in the order of its medians, the smallest (the best, for times and costs) first."""
    shown = _with_any(cells, (metric,))
    if not shown:
        return None
    on = scale(_largest(shown, (metric,)), least=2, most=4)
    ordered = sorted(shown, key=lambda cell: (cell.measurements[metric].median, cell.id))
    rows = tuple(Row(cell, _bars(cell, (metric,), on)) for cell in ordered)
    return Figure((metric,), _unit(shown, (metric,)), on, rows)


def _with_any(cells: Iterable[CellResult], metrics: Sequence[str]) -> list[CellResult]:
    return [cell for cell in cells if any(metric in cell.measurements for metric in metrics)]


def _bars(cell: CellResult, metrics: Sequence[str], on: Scale) -> tuple[Bar, ...]:
    return tuple(
        bar(metric, cell.measurements[metric], on) for metric in metrics if metric in cell.measurements
    )


def _largest(cells: Iterable[CellResult], metrics: Sequence[str]) -> float:
    found = (cell.measurements[metric] for cell in cells for metric in metrics if metric in cell.measurements)
    return max(max(*one.samples, one.median, *(one.ci95 or ())) for one in found)


def _largest_exits(cells: Iterable[CellResult]) -> float:
    kinds = ("mmio_exits_per_mb", "pio_exits_per_mb")
    return max(
        max(
            cell.measurements[EXITS].median,
            sum(cell.measurements[kind].median for kind in kinds if kind in cell.measurements),
        )
        for cell in cells
    )


def _fastest_first(cell: CellResult) -> tuple[float, str]:
    measured = cell.measurements.get(THROUGHPUT[0])
    return (-measured.median if measured else 0.0, cell.id)


def _unit(cells: Sequence[CellResult], metrics: Sequence[str]) -> str:
    return next(
        cell.measurements[metric].unit for cell in cells for metric in metrics if metric in cell.measurements
    )
