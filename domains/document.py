"""Read YAML with the position of every value, refusing what a hostile or careless file can hold.

The file is composed into nodes, never constructed by a YAML loader: duplicate keys, aliases, anchors, tags,
depth and size are refused with ``file:line:column`` before any Python object exists.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from domains import refusal
from domains.errors import InputError, Position, UsageError
from domains.refusal import Path_, Refusal, nearest, shown

__all__ = ["Document", "Refusal", "key_of", "nearest", "parse", "read", "refuse_unknown_keys", "validate"]

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32

# Controls, line ends that an editor does not count, bidirectional controls that make a text look like another
# one, and what is no character: none of it belongs in a file that people read and write.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|\r(?!\n)"
)
# YAML 1.1 reads 010 as eight and 52:54:00:12:34:56 as a number of base 60; people mean what they wrote.
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F][0-9a-fA-F_]*)")
_MAX_DIGITS = 64
# Escapes are refused to hold a NUL, so that this mark cannot be part of a key.
_KEY = "\0key"


@dataclass(frozen=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and where each value stands in its file."""

    file: Path
    data: Any
    positions: dict[Path_, Position] = field(repr=False)

    def position(self, path: Iterable[str | int]) -> Position:
        """Return the position of a value, or of the nearest thing around it that exists."""
        steps = tuple(path)
        while steps and steps not in self.positions:
            steps = steps[:-1]
        return self.positions.get(steps, Position(self.file, 1, 1))

    def error(self, path: Iterable[str | int], problem: str, remedy: str | None = None) -> InputError:
        """Return the error that points at the value with this path."""
        return InputError(problem, where=self.position(path), remedy=remedy)


def key_of(path: Path_) -> Path_:
    """Return the path of a value's key, to point an error at the key rather than at what it holds."""
    return (*path[:-1], f"{path[-1]}{_KEY}")


def read(file: Path, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read a YAML file; raises :class:`InputError` at the first thing that is not plain, small data."""
    try:
        raw = file.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"{file} does not exist", remedy="check the name and the folder you are in"
        ) from None
    except OSError as why:
        raise UsageError(f"{file} cannot be read: {why.strerror}") from why
    return parse(raw, file, max_bytes=max_bytes)


def parse(raw: bytes, file: Path, *, max_bytes: int = MAX_BYTES, words: bool = False) -> Document:
    """Read YAML from bytes; ``file`` is only named in messages. ``words``: yes, no, on and off stay words."""
    text = _decoded(raw, file, max_bytes)
    try:
        _refuse_depth(text, file)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as bad:
        raise _yaml_error(bad, file) from bad
    positions: dict[Path_, Position] = {}
    data = None if root is None else _plain(root, (), _Given(file, positions, words))
    return Document(file, data, positions)


def validate(document: Document, model: type[Model], *, at: Path_ = (), data: Any = None) -> Model:
    """Turn plain data into a model; an error points into the file and names the nearest right key."""
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as bad:
        raise _first_error(document, model, bad, at) from bad


def refuse_unknown_keys(document: Document, model: type[BaseModel], *, at: Path_, data: Any) -> None:
    """Raise for a key that a model does not know, and for nothing else."""
    try:
        model.model_validate(data)
    except ValidationError as bad:
        if any(one["type"] == "extra_forbidden" for one in bad.errors()):
            raise _first_error(document, model, bad, at) from bad


def _decoded(raw: bytes, file: Path, max_bytes: int) -> str:
    start = Position(file, 1, 1)
    if len(raw) > max_bytes:
        raise InputError(
            f"{len(raw):,} bytes are too many", where=start, remedy=f"keep it below {max_bytes:,} bytes"
        )
    if raw.startswith(b"\xef\xbb\xbf"):
        raise InputError(
            "it begins with a byte order mark", where=start, remedy="save it as UTF-8 without BOM"
        )
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as bad:
        line = raw.count(b"\n", 0, bad.start) + 1
        before = raw[raw.rfind(b"\n", 0, bad.start) + 1 : bad.start]
        column = len(before.decode("utf-8")) + 1
        raise InputError("not UTF-8", where=Position(file, line, column), remedy="save it as UTF-8") from bad
    if hidden := _INVISIBLE.search(text):
        at = hidden.start()
        where = Position(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        raise InputError(f"invisible character U+{ord(hidden[0]):04X}", where=where, remedy="remove it")
    return text


def _yaml_error(bad: yaml.YAMLError, file: Path) -> InputError:
    if isinstance(bad, yaml.MarkedYAMLError):
        where = _where(bad.problem_mark or bad.context_mark, file)
        return InputError(f"not valid YAML: {bad.problem or bad.context}", where=where)
    return InputError(f"not valid YAML: {bad}", where=Position(file, 1, 1))


def _where(mark: Any, file: Path) -> Position:
    return Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)


def _refuse_depth(text: str, file: Path) -> None:
    """Walk the event stream, which does not recurse, before composing, which does."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if trouble := _unwanted(event):
            remedy = "remove it" if trouble.startswith("tag") else "write the value out"
            raise InputError(trouble, where=_where(event.start_mark, file), remedy=remedy)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                where = _where(event.start_mark, file)
                raise InputError(f"nested more than {MAX_DEPTH} levels deep", where=where)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _unwanted(event: yaml.Event) -> str:
    """Return what no document of ours may hold, or nothing."""
    anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
    if isinstance(event, yaml.AliasEvent):
        return f"alias *{anchor} is not allowed"
    return f"anchor &{anchor} is not allowed" if anchor else f"tag {shown(tag)} is not allowed" if tag else ""


@dataclass(frozen=True)
class _Given:
    """What is being read: its file, where each value of it stands, and whether yes and no stay words."""

    file: Path
    positions: dict[Path_, Position]
    words: bool


def _plain(node: yaml.Node, path: Path_, given: _Given) -> Any:
    where = _where(node.start_mark, given.file)
    given.positions[path] = where
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, given)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), given) for index, item in enumerate(node.value)]
    return _scalar(node, where, given.words)


def _mapping(node: yaml.MappingNode, path: Path_, given: _Given) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = _where(key_node.start_mark, given.file)
        if not isinstance(key_node, yaml.ScalarNode):
            raise InputError("a key must be a plain word", where=where)
        key = _visible(str(key_node.value), where)
        if key in result:
            raise InputError(f"{shown(key)} is given twice", where=where, remedy="keep one of the two")
        result[key] = _plain(value_node, (*path, key), given)
        given.positions[(*path, f"{key}{_KEY}")] = where
    return result


def _scalar(node: Any, where: Position, words: bool) -> Any:
    kind = node.tag.rsplit(":", 1)[-1]
    value = _visible(str(node.value), where)
    if kind in {"int", "float"} and len(value) > _MAX_DIGITS:
        raise InputError(f"a number of {len(value)} characters is too long", where=where)
    match kind:
        case "null":
            return None
        case "int" if _WHOLE.fullmatch(value):
            return int(value.replace("_", ""), 0)
        case "float" if ":" not in value:
            return float(re.sub(r"^([-+]?)\.(inf|nan)$", r"\1\2", value.replace("_", "").lower()))
        # YAML 1.1 reads on, off, yes and no as booleans; models that want the word say so (spec.Switch).
        case "bool" if not words:
            return value.lower() in {"yes", "true", "on"}
        case _:
            return value


def _visible(text: str, where: Position) -> str:
    """Refuse what an escape such as "\\x07" can bring back after the file itself was found clean."""
    if bad := _INVISIBLE.search(text):
        problem = f"an escape that stands for the invisible character U+{ord(bad[0]):04X}"
        raise InputError(problem, where=where, remedy="remove it")
    return text


def _first_error(document: Document, model: type[BaseModel], bad: ValidationError, at: Path_) -> InputError:
    """Report an unknown key before anything else, then what stands first: the others often follow from it.

    A list whose entries are wrong is said to be too short as well, which it is not.
    """

    def order(one: Any) -> tuple[bool, bool, int, int]:
        where = document.position((*at, *_file_path(document, at, one["loc"])))
        return one["type"] != "extra_forbidden", one["type"] == "too_short", where.line, where.column

    first = min(bad.errors(), key=order)
    path = (*at, *_file_path(document, at, first["loc"]))
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        said = refusal.unknown_key(key, _model_at(model, first["loc"][:-1]))
        return document.error(key_of((*path[:-1], key)), said.problem, said.remedy)
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, Refusal):
        return document.error((*path, *cause.path), cause.problem, cause.remedy)
    said = refusal.explain(first, _description(model, first["loc"]))
    return document.error(path, f"{path[-1]}: {said.problem}" if path else said.problem, said.remedy)


def _file_path(document: Document, at: Path_, location: tuple[str | int, ...]) -> Path_:
    """Drop from a pydantic location the steps that name a union's branch and stand in no file."""
    path: Path_ = ()
    for step in location:
        if (*at, *path, step) in document.positions or step == location[-1]:
            path = (*path, step)
    return path


def _model_at(model: type[BaseModel], location: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model that describes the mapping at a location, following fields by name."""
    for step in location:
        for name, known in model.model_fields.items():
            if step in {name, known.alias}:
                model = refusal.model_in(known.annotation) or model
    return model


def _description(model: type[BaseModel], location: tuple[str | int, ...]) -> str | None:
    """Return what a field says of itself; of an entry of a list, what the list says."""
    names = [step for step in location if isinstance(step, str)]
    fields = _model_at(model, tuple(names[:-1])).model_fields if names else {}
    for name, known in fields.items():
        if names[-1] in {name, known.alias}:
            return known.description
    return None
