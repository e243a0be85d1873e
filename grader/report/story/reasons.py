"""Exits by hardware reason, cell by cell: each bar is all exits of one cell, cut by what they were for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grader.language.bilingual import Bilingual
from grader.measure.run import CellResult, ExitReason

# As many as there are colours that can be told apart; the rest is one grey part.
COLOURS = 6
_CODE = re.compile(r"0x[0-9a-f]{1,8}|[0-9]{1,9}")


@dataclass(frozen=True)
class Part:
    """One reason in a bar: share and place in per cent; ``colour`` is None for all others together."""

    name: str | None
    colour: int | None
    per_mb: float
    share: float
    start: float


@dataclass(frozen=True)
class Stack:
    """The exits of one cell by reason, the most frequent first; each with its meaning, where it has one."""

    cell: CellResult
    total: float
    parts: tuple[Part, ...]
    reasons: tuple[tuple[ExitReason, Bilingual | None], ...]


@dataclass(frozen=True)
class ByReason:
    """Cells whose exits were counted by reason; the reasons that have a colour, with their meaning."""

    legend: tuple[tuple[str, Bilingual | None], ...]
    stacks: tuple[Stack, ...]

    @property
    def disagreeing(self) -> tuple[CellResult, ...]:
        """The cells in which tracing saw another number of exits than KVM's own counter rose by."""
        cells = (one.cell for one in self.stacks)
        return tuple(cell for cell in cells if cell.exit_reasons and cell.exit_reasons.agrees is False)


def by_reason(cells: Sequence[CellResult]) -> ByReason | None:
    """Return the exits by reason of those cells that have them, the cell with the most exits first."""
    counted = {cell.id: (cell, _total(cell)) for cell in cells if cell.exit_reasons and _total(cell) > 0}
    if not counted:
        return None
    # By share, so that what a quiet cell leaves for has a colour too.
    weight: dict[str, float] = {}
    for cell, total in counted.values():
        for reason in _reasons(cell):
            weight[reason.name] = weight.get(reason.name, 0.0) + reason.per_mb / total
    coloured = tuple(sorted(weight, key=lambda name: (-weight[name], name))[:COLOURS])
    ordered = sorted(counted.values(), key=lambda one: (-one[1], one[0].id))

    def explained(cell: CellResult) -> tuple[tuple[ExitReason, Bilingual | None], ...]:
        extension = cell.exit_reasons.extension if cell.exit_reasons else None
        return tuple((one, _meaning(extension, one.code)) for one in _reasons(cell))

    stacks = tuple(_stack(cell, total, coloured, explained(cell)) for cell, total in ordered)
    meanings = {one.name: said for stack in stacks for one, said in stack.reasons}
    return ByReason(tuple((name, meanings[name]) for name in coloured), stacks)


def _meaning(extension: Literal["vmx", "svm"] | None, code: str) -> Bilingual | None:
    # Late: it can measure too, and loads libvirt.
    from grader.measure.exit_reasons import meaning

    return meaning(extension, code) if extension and _CODE.fullmatch(code) else None


def _reasons(cell: CellResult) -> tuple[ExitReason, ...]:
    found = cell.exit_reasons.reasons if cell.exit_reasons else ()
    return tuple(sorted(found, key=lambda one: (-one.per_mb, one.name)))


def _total(cell: CellResult) -> float:
    return sum(one.per_mb for one in _reasons(cell))


def _stack(
    cell: CellResult,
    total: float,
    coloured: tuple[str, ...],
    reasons: tuple[tuple[ExitReason, Bilingual | None], ...],
) -> Stack:
    named = [(one.name, coloured.index(one.name), one.per_mb) for one, _ in reasons if one.name in coloured]
    rest = sum(one.per_mb for one, _ in reasons if one.name not in coloured)
    parts, start = [], 0.0
    for name, colour, per_mb in [*named, (None, None, rest)]:
        share = 100 * per_mb / total
        if share > 0:
            parts.append(Part(name, colour, per_mb, round(share, 2), round(start, 2)))
        start += share
    return Stack(cell, total, tuple(parts), reasons)
