"""The cells asked for: ``matrix.yaml`` → frozen cells and a workload."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domains import document, refusal
from domains.document import Document
from domains.errors import UsageError
from domains.refusal import Path_
from domains.spec import DomainSpec, Name, Part


class Workload(Part):
    """What each cell is put through: ``repeats`` rounds of ``seconds`` each way after ``warmup`` seconds."""

    seconds: Annotated[int, Field(ge=1, le=3600)] = 1
    warmup: Annotated[int, Field(ge=1, le=60)] = 1
    repeats: Annotated[int, Field(ge=1, le=1000)] = 3
    pings: Annotated[int, Field(ge=10, le=100_000)] = 100


class Title(Part):
    """A title in both languages."""

    fr: str
    en: str


class MatrixFile(Part):
    """The file as written: cells one by one, or the product of axes, on top of a common base."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title | None = None
    workload: Workload = Workload()
    base: dict[str, Any] = Field(default_factory=dict)
    axes: dict[str, list[dict[str, Any]]] = Field(default_factory=dict)
    cells: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class Cell:
    """One spec under the matrix's workload; ``id`` names it in files, evidence and reports."""

    id: str
    spec: DomainSpec


@dataclass(frozen=True)
class Matrix:
    """The cells asked for."""

    cells: tuple[Cell, ...]
    workload: Workload
    title: dict[str, str]

    def limited(
        self, only: tuple[str, ...] = (), *, repeats: int | None = None, seconds: int | None = None
    ) -> Matrix:
        """Return the matrix with some of its cells, or with another workload; refuses unknown ids."""
        ids = [cell.id for cell in self.cells]
        for name in only:
            if name not in ids:
                guess = document.nearest(name, ids)
                remedy = f"did you mean {guess!r}?" if guess else f"cells: {', '.join(ids)}"
                raise UsageError(f"the matrix has no cell {name!r}", remedy=remedy)
        changes = {"repeats": repeats, "seconds": seconds}
        work = self.workload.model_copy(update={key: one for key, one in changes.items() if one is not None})
        cells = tuple(cell for cell in self.cells if not only or cell.id in only)
        return Matrix(cells, work, self.title)


def load(file: Path) -> Matrix:
    """Read ``matrix.yaml``; raises :class:`domains.errors.InputError` with file:line:column."""
    doc = document.read(file)
    written = document.validate(doc, MatrixFile)
    cells = [*_cells(doc, written), *_product(doc, written)]
    if not cells:
        raise doc.error((), "it asks for no cell", "add a list under cells:, or axes:")
    seen: dict[str, Cell] = {}
    for cell, path in cells:
        if cell.id in seen:
            raise doc.error(path, f"two cells have the id {cell.id!r}", "give one of them another id")
        seen[cell.id] = cell
    title = written.title.model_dump() if written.title else {}
    return Matrix(tuple(seen.values()), written.workload, title)


# Where a piece of a cell's spec is written, and under which key of the spec it ends up.
Layer = tuple[Path_, Path_]


def _cells(doc: Document, written: MatrixFile) -> Iterator[tuple[Cell, Path_]]:
    for index, raw in enumerate(written.cells):
        path: Path_ = ("cells", index)
        fields = dict(raw)
        cell_id = fields.pop("id", None)
        _refuse_slip(doc, path, fields, DomainSpec)
        spec = _spec(doc, merged(written.base, fields), [(path, ())])
        yield Cell(_id(doc, cell_id, spec, path), spec), path


def _product(doc: Document, written: MatrixFile) -> Iterator[tuple[Cell, Path_]]:
    names = list(written.axes)
    _refuse_other_axes(doc, names)
    for choice in itertools.product(*(range(len(written.axes[name])) for name in names)) if names else ():
        fields: dict[str, Any] = dict(written.base)
        words: list[str] = []
        layers: list[Layer] = []
        for name, index in zip(names, choice, strict=True):
            value = dict(written.axes[name][index])
            words.append(str(value.pop("id", None) or _label(name, value)))
            part = refusal.model_in(DomainSpec.model_fields[name].annotation)
            _refuse_slip(doc, ("axes", name, index), value, part)
            fields = merged(fields, {name: value})
            layers.append((("axes", name, index), (name,)))
        yield Cell("-".join(words), _spec(doc, fields, layers)), ("axes",)


def _refuse_other_axes(doc: Document, names: Sequence[str]) -> None:
    for name in names:
        if name not in DomainSpec.model_fields:
            said = refusal.unknown_key(name, DomainSpec)
            raise doc.error(document.key_of(("axes", name)), said.problem, said.remedy)


def _refuse_slip(
    doc: Document, path: Path_, fields: Mapping[str, Any], model: type[BaseModel] | None
) -> None:
    """Refuse a key that is nearest to ``id``, which only a matrix knows; the others the spec refuses."""
    known = refusal.keys(model) if model else []
    for key in fields:
        if key not in known and document.nearest(key, ["id", *known]) == "id":
            raise doc.error(document.key_of((*path, key)), f"unknown key {key!r}", "did you mean 'id'?")


def _id(doc: Document, given: Any, spec: DomainSpec, path: Path_) -> str:
    if given is None:
        return _label("nic", spec.nic.model_dump(exclude_defaults=True) or {"model": spec.nic.model})
    try:
        return str(_IdOnly.model_validate({"id": given}).id)
    except ValidationError as bad:
        remedy = "use letters, digits, dots and dashes"
        raise doc.error((*path, "id"), f"{given!r} is not an id", remedy) from bad


class _IdOnly(Part):
    id: Name


def _label(axis: str, value: Mapping[str, Any]) -> str:
    """Make a readable word of an axis's value: ``virtio-vhost-on``, ``ept-off``."""
    words = []
    for key, one in value.items():
        shown = ("on" if one else "off") if isinstance(one, bool) else str(one)
        words += [shown] if key == "model" else [key, shown.replace(":", "").replace(" ", "")]
    return "-".join(words) or axis


def _spec(doc: Document, fields: dict[str, Any], layers: Sequence[Layer]) -> DomainSpec:
    """Validate the spec of one cell; an error points at the piece that it comes from, be it the base."""
    positions = {}
    for written, under in [(("base",), ()), *layers]:
        for path, where in doc.positions.items():
            if path[: len(written)] == written:
                positions[(*under, *path[len(written) :])] = where
    return document.validate(Document(doc.file, fields, positions), DomainSpec)


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``change`` laid over it, mappings merged key by key."""
    result = dict(base)
    for key, value in change.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result
