"""What an experiment found (schema ``tdlab.experiment/1``): measurements, tables, notes and evidence.

Like a run, it can be read again and drawn without starting anything: every label is inside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from domains.errors import UsageError
from grader.experiments.description import Chapter, Figure
from grader.language.bilingual import Bilingual
from grader.measure.run import Record, Stamp, Status

SCHEMA = "tdlab.experiment/1"
FILE = "experiment.json"

# Each is tried strictly, in this order: far quicker than to weigh all, and no value is two of them.
Value = Annotated[
    StrictStr | StrictBool | StrictInt | StrictFloat | Bilingual | None, Field(union_mode="left_to_right")
]


class Measured(Record):
    """One measure with all its samples, in the order of measuring.

    ``ci95`` is the bootstrap 95 % interval of the median; None with fewer than three samples. ``emulator``
    names what imitated the processor, or is None on real hardware: times on emulators are never compared
    with times on hardware.
    """

    title: Bilingual
    unit: str
    samples: tuple[float, ...]
    median: float
    ci95: tuple[float, float] | None = None
    emulator: str | None = None


class Tabled(Record):
    """One table: columns by name, and rows whose values stand in the order of the columns."""

    title: Bilingual
    columns: dict[str, Bilingual]
    rows: tuple[tuple[Value, ...], ...]


class Result(Record):
    """What ``experiment.json`` holds.

    ``emulator`` names what emulates the host, if anything does. ``asked`` and ``ran`` hold the same keys
    where something was asked for that can be read back. A measure that cannot be had is named in
    ``not_measurable`` with its cause, and is never 0. ``evidence`` names files beside this one.
    """

    schema_: Literal["tdlab.experiment/1"] = Field(default="tdlab.experiment/1", alias="schema")
    lab: str
    experiment: str
    chapter: Chapter
    title: Bilingual
    look_at: Bilingual
    host: str
    emulator: str | None = None
    tdlab: str = ""
    started: str = ""
    seconds: float = 0.0
    environment: dict[str, Any] = Field(default_factory=dict)
    stamp: Stamp | None = None
    status: Status
    cause: str | None = None
    remedy: str | None = None
    asked: dict[str, Any] = Field(default_factory=dict)
    ran: dict[str, Any] = Field(default_factory=dict)
    measurements: dict[str, Measured] = Field(default_factory=dict)
    not_measurable: dict[str, str] = Field(default_factory=dict)
    tables: dict[str, Tabled] = Field(default_factory=dict)
    notes: tuple[Bilingual, ...] = ()
    figure: Figure
    evidence: tuple[str, ...] = ()

    def to_json(self) -> str:
        """Return the result as JSON text, keys in the order of the model."""
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def read(file: Path) -> Result:
    """Read ``experiment.json``; raises :class:`UsageError` when it is missing or damaged."""
    try:
        return Result.model_validate_json(file.read_bytes())
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    except ValueError as why:
        raise UsageError(f"{file} is not a {SCHEMA} result: {str(why).splitlines()[0]}") from why
