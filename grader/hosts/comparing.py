"""Which host is slower, by what ratio: geometric means over cells and rounds, with an interval (pure).

Rounds are interleaved, so all cells of a round share its minute of the host: a round is one observation, the
mean of the logarithms of its samples. Two hosts are compared by Welch's t interval of the difference of their
rounds, at 95 % for all comparisons of a command together (Bonferroni), for the first of many hosts that looks
slow by chance must not be called so. Source: Welch, Biometrika 34 (1947); Dunn, JASA 56 (1961).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from grader.measure.run import CellResult, Record, Run

# What is compared: the metrics that one figure is made of, and whether more of it is better.
ASPECTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "throughput": (("tcp_to_guest", "tcp_from_guest"), True),
    "rtt": (("rtt",), False),
}
# A guest that is booted anew is that much quicker or slower by itself, which no round of one run shows.
LEAST = 1.05
FEWEST_ROUNDS = 3
_ALPHA = 0.05

Verdict = Literal["reference", "slower", "faster", "mixed", "same", "unknown", "apart"]
Key = tuple[str, str]


class Compared(Record):
    """How many times the reference's value a host's is, in one aspect; no interval below three rounds.

    ``better`` says whether the host is the faster (True) or the slower (False) in it; None where the interval
    does not tell.
    """

    ratio: float
    low: float | None = None
    high: float | None = None
    rounds: int = 0
    better: bool | None = None


class CellRatio(Record):
    """The ratio of two medians of one cell, host by reference, with its 95 % bootstrap interval."""

    cell: str
    metric: str
    ratio: float
    low: float | None = None
    high: float | None = None


class Comparison(Record):
    """A host beside the reference."""

    verdict: Verdict
    aspects: dict[str, Compared] = Field(default_factory=dict)
    cells: tuple[CellRatio, ...] = ()


def reference(runs: Mapping[str, Run], against: str | None = None) -> str | None:
    """Return the host that the others are compared with: the middle one, of two the faster.

    Not the fastest of many: it is partly so by chance, and every other would look slow beside it. What an
    emulator measured is never compared with hardware, so the middle is that of the larger kind.
    """
    if against is not None:
        return against
    kinds: dict[str, list[str]] = {}
    for name, run in runs.items():
        if any(observed(run, aspect) for aspect in ASPECTS):
            kinds.setdefault(str(run.environment.get("emulator") or ""), []).append(name)
    if not kinds:
        return None
    names = max(kinds.values(), key=len)
    level = _levels({name: runs[name] for name in names})
    ordered = sorted(names, key=lambda name: (-level[name], names.index(name)))
    return ordered[(len(ordered) - 1) // 2]


def _levels(runs: Mapping[str, Run]) -> dict[str, float]:
    """Return how fast each host is, by the first aspect that all of them have a cell of in common."""
    for aspect, (_, more_is_better) in ASPECTS.items():
        seen = {name: observed(run, aspect) for name, run in runs.items()}
        if shared := set.intersection(*map(set, seen.values())):
            sign = 1 if more_is_better else -1
            return {
                name: sign * statistics.fmean(math.log(found[key][1]) for key in shared)
                for name, found in seen.items()
            }
    return dict.fromkeys(runs, 0.0)


def observed(run: Run, aspect: str) -> dict[Key, tuple[tuple[float, ...], float]]:
    """Return samples and median of each measured cell's metrics of an aspect; values of 0 tell nothing."""
    return {
        (cell.id, metric): (one.samples, one.median)
        for cell in run.cells
        if cell.status == "measured"
        for metric in ASPECTS[aspect][0]
        if (one := cell.measurements.get(metric)) and min(one.samples, default=0) > 0
    }


def compare(runs: Mapping[str, Run], against: str) -> dict[str, Comparison]:
    """Return each host beside the reference; hosts of another kind stand apart."""
    kind = runs[against].environment.get("emulator")
    comparable = [name for name, run in runs.items() if run.environment.get("emulator") == kind]
    tests = max(1, (len(comparable) - 1) * len(ASPECTS))
    return {
        name: Comparison(verdict="reference")
        if name == against
        else _beside(run, runs[against], tests)
        if name in comparable
        else Comparison(verdict="apart")
        for name, run in runs.items()
    }


def _beside(run: Run, other: Run, tests: int) -> Comparison:
    found = {aspect: _aspect(run, other, aspect, tests) for aspect in ASPECTS}
    aspects = {name: one for name, one in found.items() if one}
    return Comparison(verdict=_verdict(aspects), aspects=aspects, cells=tuple(_cells(run, other)))


def _verdict(aspects: Mapping[str, Compared]) -> Verdict:
    if not aspects or all(one.low is None for one in aspects.values()):
        return "unknown"
    ways = {one.better for one in aspects.values()} - {None}
    if len(ways) == 2:
        return "mixed"
    return ("faster" if ways.pop() else "slower") if ways else "same"


def _aspect(run: Run, other: Run, aspect: str, tests: int) -> Compared | None:
    here, there = observed(run, aspect), observed(other, aspect)
    keys = [key for key in here if key in there]
    if not keys:
        return None
    mine, theirs = _rounds([here[key][0] for key in keys]), _rounds([there[key][0] for key in keys])
    middle = statistics.fmean(mine) - statistics.fmean(theirs)
    ratio, rounds = math.exp(middle), min(len(mine), len(theirs))
    if rounds < FEWEST_ROUNDS:
        return Compared(ratio=_rounded(ratio), rounds=rounds)
    reach = _reach(mine, theirs, 1 - _ALPHA / tests)
    low, high = math.exp(middle - reach), math.exp(middle + reach)
    better: bool | None = None
    if not low <= 1 <= high and max(ratio, 1 / ratio) >= LEAST:
        better = (ratio > 1) is ASPECTS[aspect][1]
    return Compared(
        ratio=_rounded(ratio), low=_rounded(low), high=_rounded(high), rounds=rounds, better=better
    )


def _rounds(samples: Sequence[Sequence[float]]) -> list[float]:
    """Return one number a round: the mean over cells of the logarithms of what was measured in it."""
    return [statistics.fmean(math.log(value) for value in one) for one in zip(*samples, strict=False)]


def _reach(mine: Sequence[float], theirs: Sequence[float], level: float) -> float:
    """Return half the width of Welch's interval for the difference of two means."""
    parts = [statistics.variance(one) / len(one) for one in (mine, theirs)]
    if sum(parts) == 0:
        return 0.0
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(one) - 1) for part, one in zip(parts, (mine, theirs), strict=True)
    )
    # scipy takes most of a second to import: not before there is something to compute.
    from scipy import stats

    return float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(sum(parts))


def _cells(run: Run, other: Run) -> list[CellRatio]:
    from grader.report import finding

    found = []
    for cell, beside in _pairs(run, other):
        for metric in (metric for metrics, _ in ASPECTS.values() for metric in metrics):
            mine, theirs = cell.measurements.get(metric), beside.measurements.get(metric)
            if mine and theirs and (one := finding.ratio(mine, theirs)):
                low, high = (None if end is None else _rounded(end) for end in (one.low, one.high))
                found.append(
                    CellRatio(cell=cell.id, metric=metric, ratio=_rounded(one.value), low=low, high=high)
                )
    return found


def _pairs(run: Run, other: Run) -> list[tuple[CellResult, CellResult]]:
    both = ((cell, other.cell(cell.id)) for cell in run.cells)
    return [(a, b) for a, b in both if b and a.status == b.status == "measured"]


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
