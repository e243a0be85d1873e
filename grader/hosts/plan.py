"""What is to be measured on which hosts: kept beside the runs, so that a run that was killed can go on."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from domains import files
from domains.errors import UsageError
from domains.reach import Way, way
from domains.spec import DomainSpec
from grader.fleet.inventory import Inventory
from grader.measure.matrix import Cell, Matrix, Workload
from grader.measure.run import Record

FILE = "plan.json"
SCHEMA = "tdlab.hosts-plan/1"
# What else lies in the folder of the runs.
_BESIDE = ("hosts.json", "hosts.html")
_ODD = re.compile(r"[^A-Za-z0-9._-]")


class Named(Record):
    """One host: its name in the inventory, the folder of its run, and how it is reached."""

    name: str
    folder: str
    way: Way


class Asked(Record):
    """One cell of the matrix."""

    id: str
    spec: DomainSpec


class Plan(Record):
    """The hosts of a group and the matrix, and how each run is to be made."""

    schema_: Literal["tdlab.hosts-plan/1"] = "tdlab.hosts-plan/1"
    group: str
    hosts: tuple[Named, ...]
    title: dict[str, str]
    workload: Workload
    cells: tuple[Asked, ...]
    known_hosts: str
    image: str | None = None
    allow_reload: bool = False
    one_guest: bool = False

    def matrix(self) -> Matrix:
        """Return the cells and the workload."""
        return Matrix(tuple(Cell(one.id, one.spec) for one in self.cells), self.workload, self.title)

    def host(self, name: str) -> Named:
        """Return the host of a name."""
        return next(one for one in self.hosts if one.name == name)


def make(
    inventory: Inventory,
    matrix: Matrix,
    *,
    group: str,
    known_hosts: Path,
    image: Path | None = None,
    allow_reload: bool = False,
    one_guest: bool = False,
) -> Plan:
    """Return the plan for all machines of an inventory (see :meth:`Inventory.limited`).

    Raises :class:`UsageError` for a host that cannot be reached by what the inventory says.
    """
    names = [one.name for one in inventory.machines]
    ways = [way(one.name, one.variables) for one in inventory.machines]
    for index, one in enumerate(ways):
        if one in ways[:index]:
            raise UsageError(
                f"{names[index]} and {names[ways.index(one)]} are one machine in {inventory.file}",
                remedy="name it once: two runs on it would measure each other",
            )
    return Plan(
        group=group,
        hosts=tuple(
            Named(name=name, folder=folder, way=at)
            for name, folder, at in zip(names, _folders(names), ways, strict=True)
        ),
        title=matrix.title,
        workload=matrix.workload,
        cells=tuple(Asked(id=one.id, spec=one.spec) for one in matrix.cells),
        known_hosts=str(known_hosts),
        image=str(image.absolute()) if image else None,
        allow_reload=allow_reload,
        one_guest=one_guest,
    )


def _folders(names: Sequence[str]) -> list[str]:
    """Return a folder's name for each host, all different also where letters' case is not told apart."""
    taken, made = {FILE, *_BESIDE}, []
    for number, name in enumerate(names, 1):
        plain = _ODD.sub("_", name).lstrip(".")[:60] or "host"
        tries = itertools.chain([plain], (f"{plain}-{one}" for one in itertools.count(number)))
        made.append(next(one for one in tries if one.casefold() not in taken))
        taken.add(made[-1].casefold())
    return made


def write(folder: Path, plan: Plan) -> None:
    """Keep a plan in the folder of the runs."""
    folder.mkdir(parents=True, exist_ok=True)
    files.write_whole(folder / FILE, plan.model_dump_json(indent=1) + "\n")


def is_there(folder: Path) -> bool:
    """Return whether a folder holds the runs of many hosts, not that of one."""
    try:
        return f'"{SCHEMA}"' in (folder / FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


def read(folder: Path) -> Plan:
    """Return the plan that a folder holds; raises :class:`UsageError` when it is damaged or not there."""
    try:
        return Plan.model_validate_json((folder / FILE).read_bytes())
    except OSError as why:
        raise UsageError(f"{folder / FILE} cannot be read: {why.strerror}") from why
    except ValidationError as why:
        said = str(why).splitlines()[0]
        raise UsageError(f"{folder / FILE} is not a {SCHEMA} file: {said}") from why
