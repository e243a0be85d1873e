"""What an experiment writes down while it runs; a name that its description does not know is refused."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from domains import files
from domains.errors import InfrastructureError
from grader.experiments.description import Description
from grader.experiments.result import Measured, Tabled, Value
from grader.language.bilingual import Bilingual
from grader.measure.summary import interval

EVIDENCE = "evidence"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
T = TypeVar("T")


class Notebook:
    """Measures, tables, notes and evidence of one experiment; evidence is on disk at once."""

    def __init__(self, described: Description, folder: Path, emulator: str | None = None) -> None:
        self._described = described
        self._folder = folder
        self._emulator = emulator
        self.measurements: dict[str, Measured] = {}
        self.not_measurable: dict[str, str] = {}
        self.tables: dict[str, Tabled] = {}
        self.notes: list[Bilingual] = []
        self.evidence: list[str] = []
        self.asked: dict[str, Any] = {}
        self.ran: dict[str, Any] = {}
        self._before: dict[str, tuple[float, ...]] = {}

    def again(self) -> None:
        """Go on with a repetition: samples are added, sentences and tables are written anew."""
        self._before = {name: one.samples for name, one in self.measurements.items()}
        self.notes.clear()

    def measure(self, name: str, samples: Sequence[float], *, emulator: str | None = None) -> None:
        """Keep all samples of one measure; ``emulator`` where another than the host's imitated the CPU."""
        described = _of(name, self._described.measures, "measure")
        if not samples:
            raise InfrastructureError(f"no samples of {name}: say why with not_measurable")
        kept = (*self._before.get(name, ()), *(round(float(one), 6) for one in samples))
        self.measurements[name] = Measured(
            title=described.title,
            unit=described.unit,
            samples=kept,
            median=round(statistics.median(kept), 6),
            ci95=interval(kept),
            emulator=emulator or self._emulator,
        )

    def cannot_measure(self, name: str, cause: str) -> None:
        """Keep why a measure cannot be had here."""
        _of(name, self._described.measures, "measure")
        self.not_measurable[name] = cause

    def table(self, name: str, rows: Sequence[Mapping[str, Value]]) -> None:
        """Keep a table; each row gives its columns by name, and one that it leaves out is empty."""
        described = _of(name, self._described.tables, "table")
        for row in rows:
            for column in row:
                _of(column, described.columns, f"column of {name}")
        listed = tuple(tuple(row.get(column) for column in described.columns) for row in rows)
        self.tables[name] = Tabled(title=described.title, columns=described.columns, rows=listed)

    def note(self, name: str, /, **values: object) -> None:
        """Keep one of the described sentences, with its ``{names}`` filled in."""
        template = _of(name, self._described.notes, "note")
        self.notes.append(Bilingual(fr=template.say("fr", **values), en=template.say("en", **values)))

    def keep(self, name: str, text: str) -> Path:
        """Keep a piece of evidence in the run's folder, under a plain file name; return where it is."""
        if not _FILE_NAME.fullmatch(name):
            raise InfrastructureError(f"{name!r} is no name for a piece of evidence")
        folder = self._folder / EVIDENCE
        folder.mkdir(parents=True, exist_ok=True)
        files.write_whole(folder / name, text)
        if f"{EVIDENCE}/{name}" not in self.evidence:
            self.evidence.append(f"{EVIDENCE}/{name}")
        return folder / name


def _of(name: str, among: Mapping[str, T], kind: str) -> T:
    if name not in among:
        raise InfrastructureError(
            f"experiment.yaml describes no {kind} {name!r}", remedy=f"it knows: {', '.join(among) or 'none'}"
        )
    return among[name]
