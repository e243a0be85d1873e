"""From a run to what its report shows: which cells stand in which figure, what differs, what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.language.i18n import Texts
from grader.measure.run import METRICS, CellResult, Measurement, Run
from grader.report import figures, finding
from grader.report.figures import Figure
from grader.report.finding import Ratio
from grader.report.story import chapters, claims, reasons
from grader.report.story.chapters import Chapter
from grader.report.story.claims import CameOut
from grader.report.story.kept import EMPTY, Shelf
from grader.report.story.reasons import ByReason

PANELS = ("rtt", "boot_to_ready", "host_cpu_per_gb")
_LEFT_OPEN = (None, "", "any")
_EXIT_METRICS = ("exits_per_mb", "mmio_exits_per_mb", "pio_exits_per_mb")


@dataclass(frozen=True)
class Group:
    """The cells that ran under one accelerator: only these may be compared with each other.

    ``varies`` is the cell whose exits per MB vary most over the rounds, with its coefficient of variation.
    """

    accelerator: str
    sentences: tuple[str, ...]
    throughput: Figure | None
    panels: tuple[Figure, ...]
    uncounted: tuple[str, ...]
    reasons: ByReason | None = None
    varies: tuple[CellResult, float] | None = None


@dataclass(frozen=True)
class Fact:
    """One thing that was asked of a cell and what ran; ``state`` is same, open, differs or unread."""

    asked: Any
    ran: Any
    state: str


@dataclass(frozen=True)
class EptPair:
    """The same guest on EPT/RVI and on shadow page tables; lines are (metric, on, off, off divided by on)."""

    on: CellResult
    off: CellResult
    lines: tuple[tuple[str, Measurement, Measurement, Ratio | None], ...]

    def line(self, metric: str) -> tuple[Measurement, Measurement, Ratio | None] | None:
        """Return what was measured of one metric, or None."""
        return next((one[1:] for one in self.lines if one[0] == metric), None)


@dataclass(frozen=True)
class Page:
    """What one language's page shows."""

    run: Run
    groups: tuple[Group, ...]
    refusal: str | None
    ept: tuple[EptPair, ...]
    missing: tuple[CellResult, ...]
    not_measurable: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    common: tuple[tuple[str, Any], ...]
    fact_names: tuple[str, ...]
    facts: tuple[tuple[CellResult, tuple[Fact | None, ...]], ...]
    environment: tuple[tuple[str, Any], ...]
    claims: tuple[CameOut, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()

    @property
    def emulator(self) -> str | None:
        """What imitates the host's processor, where the run names it."""
        named = self.run.environment.get("emulator")
        return str(named) if named else None

    @property
    def differs(self) -> int:
        """How many things ran otherwise than asked."""
        return sum(1 for _, facts in self.facts for one in facts if one and one.state == "differs")


def page(run: Run, say: Texts, lang: str, shelf: Shelf = EMPTY) -> Page:
    """Gather what the report of ``run`` shows, and of the experiments beside it."""
    measured = [cell for cell in run.cells if cell.status == "measured"]
    pairs = ept_pairs(measured)
    # On shadow page tables a NIC is not what is studied: those cells have a section of their own.
    aside = {pair.off.id for pair in pairs}
    compared = [cell for cell in measured if cell.id not in aside]
    common, names, facts = asked_and_ran(measured)
    groups = [_group(one, compared, measured, say, lang) for one in finding.accelerators(run)]
    # The biggest group first: it is what the run was for.
    size = {one.accelerator: len(one.throughput.rows) if one.throughput else 0 for one in groups}
    return Page(
        run=run,
        groups=tuple(sorted(groups, key=lambda one: -size[one.accelerator])),
        refusal=finding.refusal(run),
        ept=pairs,
        missing=tuple(cell for cell in run.cells if cell.status != "measured"),
        not_measurable=not_measurable(measured),
        common=common,
        fact_names=names,
        facts=facts,
        environment=tuple(flat(run.environment)),
        claims=claims.judge(run, shelf),
        chapters=chapters.tell(shelf.kept, memory=bool(pairs), devices=bool(groups)),
        damaged=shelf.damaged,
    )


def _group(
    accelerator: str,
    compared: Sequence[CellResult],
    measured: Sequence[CellResult],
    say: Texts,
    lang: str,
) -> Group:
    own = [cell for cell in compared if finding.accelerator(cell) == accelerator]
    every = [cell for cell in measured if finding.accelerator(cell) == accelerator]
    panels = (figures.single(own, metric) for metric in PANELS)
    causes = (cell.not_measurable.get(metric) for cell in own for metric in _EXIT_METRICS)
    return Group(
        accelerator=accelerator,
        sentences=finding.sentences(own, say, lang),
        throughput=figures.throughput(own),
        panels=tuple(one for one in panels if one),
        uncounted=tuple(dict.fromkeys(cause for cause in causes if cause)),
        reasons=reasons.by_reason(every),
        varies=_varies(every),
    )


def _varies(cells: Sequence[CellResult]) -> tuple[CellResult, float] | None:
    found = [(cell, one.cv) for cell in cells if (one := cell.measurements.get(figures.EXITS))]
    known = [(cell, cv) for cell, cv in found if cv is not None]
    return max(known, key=lambda one: one[1]) if known else None


def ept_pairs(cells: Sequence[CellResult]) -> tuple[EptPair, ...]:
    """Return the cells that differ in nothing but EPT, by what was read back (what was asked is no proof)."""
    by_rest: dict[str, dict[str, CellResult]] = {}
    # Of two cells that ran on EPT, the one that asked for it is the other half of the pair.
    for cell in sorted(cells, key=lambda one: one.spec.cpu.ept is None):
        if cell.ran.get("ept") in ("on", "off"):
            rest = cell.spec.model_dump_json(exclude={"name": True, "cpu": {"ept"}})
            by_rest.setdefault(rest, {}).setdefault(str(cell.ran["ept"]), cell)
    return tuple(_pair(one["on"], one["off"]) for one in by_rest.values() if len(one) == 2)


def _pair(on: CellResult, off: CellResult) -> EptPair:
    shared = [metric for metric in METRICS if metric in on.measurements and metric in off.measurements]
    lines = (
        (metric, on.measurements[metric], off.measurements[metric])
        for metric in shared
        if on.measurements[metric].median or off.measurements[metric].median
    )
    return EptPair(on, off, tuple((name, a, b, finding.ratio(b, a)) for name, a, b in lines))


def not_measurable(
    cells: Sequence[CellResult],
) -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Return (cause, metrics, cell ids) for what could not be measured, each cause once."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for cell in cells:
        for metric, cause in cell.not_measurable.items():
            metrics, ids = found.setdefault(cause, ({}, {}))
            metrics[metric] = ids[cell.id] = None
    return tuple((cause, tuple(metrics), tuple(ids)) for cause, (metrics, ids) in found.items())


def asked_and_ran(
    cells: Sequence[CellResult],
) -> tuple[
    tuple[tuple[str, Any], ...], tuple[str, ...], tuple[tuple[CellResult, tuple[Fact | None, ...]], ...]
]:
    """Return what ran alike in all cells, the names of the other facts, and those facts for each cell."""
    every = dict.fromkeys(name for cell in cells for name in (*cell.asked, *cell.ran))
    by_name = {name: [_fact(cell, name) for cell in cells] for name in every}
    common = {name: facts[0].ran for name, facts in by_name.items() if facts[0] and _all_alike(facts)}
    names = tuple(name for name in every if name not in common and any(by_name[name]))
    rows = ((cell, tuple(by_name[name][at] for name in names)) for at, cell in enumerate(cells))
    return tuple(common.items()), names, tuple(rows)


def _all_alike(facts: Sequence[Fact | None]) -> bool:
    return len(facts) > 1 and all(
        one and one.state in ("same", "open") and one.ran == facts[0].ran for one in facts if facts[0]
    )


def _fact(cell: CellResult, name: str) -> Fact | None:
    asked, ran = cell.asked.get(name), cell.ran.get(name)
    if asked in _LEFT_OPEN:
        return None if ran is None else Fact(asked, ran, "open")
    if ran is None:
        return Fact(asked, ran, "unread")
    return Fact(asked, ran, "same" if _is_what_was_asked(asked, ran) else "differs")


def _is_what_was_asked(asked: Any, ran: Any) -> bool:
    # QEMU resolves a machine's name to its newest version: q35 runs as pc-q35-10.0.
    return bool(asked == ran or re.fullmatch(rf"pc-{re.escape(str(asked))}-[\d.]+", str(ran)))


def flat(facts: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested facts as (dotted name, value), in their order."""
    lines: list[tuple[str, Any]] = []
    for name, value in facts.items():
        full = f"{prefix}{name}"
        lines += flat(value, f"{full}.") if isinstance(value, dict) else [(full, value)]
    return lines
