"""What an experiment says of itself: ``labs/<lab>/experiments/<name>/experiment.yaml``.

All text and all names stand here, in French and in English; ``measure.py`` only gives the values. So a report
knows every label without running anything, and a name that is not described is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domains import document
from domains.errors import UsageError
from domains.quantities import Name
from domains.refusal import Refusal, nearest
from grader.language.bilingual import Bilingual

FILE = "experiment.yaml"
CODE = "measure.py"

Chapter = Literal["processor", "memory", "devices"]
# What a host must have: rows of `tdlab doctor`, and one that asks less of KVM than its row does.
Need = Literal[
    "kvm-device",
    "kvm",
    "counters",
    "cpu-extension",
    "firmware",
    "nested",
    "ept",
    "iommu",
    "interrupt-remapping",
    "iommu-groups",
    "sriov",
    "passthrough-nic",
    "vhost-net",
    "hugepages",
    "qemu",
    "libvirt",
    "root",
]


class Described(BaseModel):
    """Frozen, and without keys of its own invention."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Measure(Described):
    """One thing that is measured: its unit ("" for a plain number), and what it is called."""

    title: Bilingual
    unit: str = ""


class Table(Described):
    """One table: what it is called, and its columns by name."""

    title: Bilingual
    columns: Annotated[dict[Name, Bilingual], Field(min_length=1)]


class Figure(Described):
    """How the result is drawn.

    *bars*: one bar a measure. *lines*: the columns ``y`` of a table over its column ``x``. *table*: as it is.
    """

    kind: Literal["bars", "lines", "table"]
    title: Bilingual | None = None
    measures: tuple[Name, ...] = ()
    table: Name | None = None
    x: Name | None = None
    y: tuple[Name, ...] = ()
    unit: str = ""
    logarithmic: bool = False


class Description(Described):
    """One experiment, as its file describes it."""

    id: Name
    chapter: Chapter
    questions: tuple[str, ...] = ()
    title: Bilingual
    look_at: Bilingual
    needs: tuple[Need, ...] = ()
    measures: dict[Name, Measure] = Field(default_factory=dict)
    tables: dict[Name, Table] = Field(default_factory=dict)
    notes: dict[Name, Bilingual] = Field(default_factory=dict)
    figure: Figure

    @model_validator(mode="after")
    def _figure_is_there(self) -> Description:
        figure = self.figure
        for index, name in enumerate(figure.measures):
            _known(name, self.measures, "measure", ("figure", "measures", index))
        if figure.kind == "bars":
            if not figure.measures:
                raise Refusal("bars need measures", path=("figure", "kind"), remedy="add measures: [NAME]")
            return self
        if figure.table is None:
            raise Refusal(f"{figure.kind} need a table", path=("figure", "kind"), remedy="add table: NAME")
        _known(figure.table, self.tables, "table", ("figure", "table"))
        columns = self.tables[figure.table].columns
        if figure.kind == "lines" and (figure.x is None or not figure.y):
            raise Refusal("lines need x and y", path=("figure", "kind"), remedy="name columns of the table")
        for name in (*((figure.x,) if figure.x else ()), *figure.y):
            _known(name, columns, "column", ("figure", "x" if name == figure.x else "y"))
        return self


@dataclass(frozen=True)
class Experiment:
    """An experiment on disk: its folder, the lab that it belongs to, and what it says of itself."""

    lab: str
    folder: Path
    description: Description

    @property
    def id(self) -> str:
        """Return the name by which it is started."""
        return self.description.id

    @property
    def code(self) -> Path:
        """Return the file that measures."""
        return self.folder / CODE


def load(file: Path, lab: str) -> Experiment:
    """Read one ``experiment.yaml``; raises :class:`domains.errors.InputError` with file:line:column."""
    doc = document.read(file)
    if not isinstance(doc.data, dict):
        raise doc.error(
            (), "an experiment is a mapping of keys to values", "begin with a line such as: id: ps"
        )
    found = document.validate(doc, Description)
    if found.id != file.parent.name:
        raise doc.error(("id",), f"this is the folder of {file.parent.name}", f"write id: {file.parent.name}")
    return Experiment(lab, file.parent, found)


def find_all(lab_folder: Path) -> Iterator[Experiment]:
    """Yield the experiments of a lab in the order of its chapters, then by name."""
    found = [load(file, lab_folder.name) for file in sorted(lab_folder.glob(f"experiments/*/{FILE}"))]
    order = ("processor", "memory", "devices")
    yield from sorted(found, key=lambda one: (order.index(one.description.chapter), one.id))


def find(lab_folder: Path, name: str) -> Experiment:
    """Return one experiment of a lab by its name; raises :class:`UsageError` naming the nearest right one."""
    file = lab_folder / "experiments" / name / FILE
    if "/" not in name and file.is_file():
        return load(file, lab_folder.name)
    there = sorted(one.parent.name for one in lab_folder.glob(f"experiments/*/{FILE}"))
    guess = nearest(name, there)
    raise UsageError(
        f"{lab_folder.name} has no experiment {name!r}" + (f": did you mean {guess!r}?" if guess else ""),
        remedy=f"it has: {', '.join(there) or 'none'}",
    )


def _known(
    name: str,
    among: dict[str, Bilingual] | dict[str, Measure] | dict[str, Table],
    kind: str,
    path: tuple[str | int, ...],
) -> None:
    if name not in among:
        raise Refusal(
            f"no {kind} {name!r} is described here", path=path, remedy=f"one of: {', '.join(among)}"
        )
