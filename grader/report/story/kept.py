"""The results of experiments that lie beside a run: ``experiments/<name>/experiment.json`` of its folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from domains.errors import UsageError
from grader.experiments import result as results
from grader.experiments.result import Result
from grader.report.story.drawing import Bars, Lines, draw

FOLDER = "experiments"
# What may be linked to: files of the run's own folder, and nothing that a browser takes for an address.
_LINKED = re.compile(r"evidence/[A-Za-z0-9][A-Za-z0-9._-]*")
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Kept:
    """One result, and its folder as the report sees it: "" for the report's own, else with a slash."""

    result: Result
    folder: str = ""

    @property
    def figure(self) -> Bars | Lines | None:
        """What is drawn of it; None for a table, and when nothing was measured."""
        return draw(self.result)

    @property
    def evidence(self) -> tuple[tuple[str, str | None], ...]:
        """The pieces of evidence: (name, where a link leads, or None for what is no plain file)."""
        return tuple(
            (name, f"{self.folder}{name}" if _LINKED.fullmatch(name) else None)
            for name in self.result.evidence
        )

    @property
    def emulators(self) -> tuple[str, ...]:
        """What imitated a processor here, each once."""
        named = (self.result.emulator, *(one.emulator for one in self.result.measurements.values()))
        return tuple(dict.fromkeys(one for one in named if one))


@dataclass(frozen=True)
class Shelf:
    """All results beside a run, and those that could not be read: (folder's name, cause)."""

    kept: tuple[Kept, ...] = ()
    damaged: tuple[tuple[str, str], ...] = ()

    def find(self, experiment: str) -> Kept | None:
        """Return the result of an experiment by its name."""
        return next((one for one in self.kept if one.result.experiment == experiment), None)


EMPTY = Shelf()


def find(folder: Path) -> Shelf:
    """Read the results in ``experiments/`` of a run's folder; one that is damaged does not end the report."""
    kept, damaged = [], []
    for file in sorted(folder.glob(f"{FOLDER}/*/{results.FILE}")):
        name = file.parent.name
        if not _FOLDER_NAME.fullmatch(name):
            damaged.append((name, "the name of its folder cannot be linked to"))
            continue
        try:
            kept.append(Kept(results.read(file), f"{FOLDER}/{name}/"))
        except UsageError as why:
            damaged.append((name, why.problem))
    return Shelf(tuple(kept), tuple(damaged))
