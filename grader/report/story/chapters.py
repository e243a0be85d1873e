"""The order in which a report tells: processor, memory, devices, each with its experiments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.experiments.description import Chapter as ChapterName
from grader.language.i18n import N_
from grader.report.story.kept import Kept

TITLES: dict[ChapterName, str] = {
    "processor": N_("The processor"),
    "memory": N_("The memory"),
    "devices": N_("The devices"),
}


@dataclass(frozen=True)
class Chapter:
    """One chapter: what was measured for it beside the matrix, in the order in which it was done."""

    name: ChapterName
    kept: tuple[Kept, ...] = ()

    @property
    def title(self) -> str:
        """What it is called (a msgid)."""
        return TITLES[self.name]


def tell(kept: Sequence[Kept], *, memory: bool, devices: bool) -> tuple[Chapter, ...]:
    """Return the chapters that hold something: an experiment, or what the matrix gives to the last two."""
    given = {"processor": False, "memory": memory, "devices": devices}
    ordered = sorted(kept, key=lambda one: (one.result.started, one.result.experiment))
    chapters = (Chapter(name, tuple(one for one in ordered if one.result.chapter == name)) for name in TITLES)
    return tuple(one for one in chapters if one.kept or given[one.name])
