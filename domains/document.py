"""Read YAML with the position of every value, refusing what a hostile or careless file can hold.

The file is composed into nodes, never constructed by a YAML loader: duplicate keys, aliases, anchors, tags,
depth and size are refused with ``file:line:column`` before any Python object exists.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from domains.errors import InputError, Position, UsageError

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32

# Invisible characters that make a text look like another one (Unicode bidirectional controls).
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


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


def parse(raw: bytes, file: Path, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read YAML from bytes; ``file`` is only named in messages."""
    text = _decoded(raw, file, max_bytes)
    try:
        _refuse_depth(text, file)
        root = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as bad:
        raise _yaml_error(bad, file) from bad
    positions: dict[Path_, Position] = {}
    data = None if root is None else _plain(root, (), positions, file)
    return Document(file, data, positions)


def validate(document: Document, model: type[Model], *, at: Path_ = (), data: Any = None) -> Model:
    """Turn plain data into a model; an error points into the file and names the nearest right key."""
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as bad:
        raise _first_error(document, model, bad, at) from bad


def nearest(word: object, words: Iterable[str]) -> str | None:
    """Return the word that was probably meant, or None."""
    close = difflib.get_close_matches(str(word), list(words), n=1, cutoff=0.5)
    return close[0] if close else None


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
        column = bad.start - (raw.rfind(b"\n", 0, bad.start) + 1) + 1
        raise InputError("not UTF-8", where=Position(file, line, column), remedy="save it as UTF-8") from bad
    for number, row in enumerate(text.split("\n"), 1):
        for column, letter in enumerate(row, 1):
            if letter in _BIDI or (letter < " " and letter not in "\t\r"):
                where = Position(file, number, column)
                raise InputError(f"invisible character U+{ord(letter):04X}", where=where, remedy="remove it")
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
        where = _where(event.start_mark, file)
        anchor, tag = getattr(event, "anchor", None), getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent):
            raise InputError(f"alias *{anchor} is not allowed", where=where, remedy="write the value out")
        if anchor:
            raise InputError(f"anchor &{anchor} is not allowed", where=where, remedy="write the value out")
        if tag:
            raise InputError(f"tag {tag} is not allowed", where=where, remedy="remove it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise InputError(f"nested more than {MAX_DEPTH} levels deep", where=where)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _plain(node: yaml.Node, path: Path_, positions: dict[Path_, Position], file: Path) -> Any:
    where = _where(node.start_mark, file)
    positions[path] = where
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, positions, file)
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), positions, file) for index, item in enumerate(node.value)]
    return _scalar(node, where)


def _mapping(
    node: yaml.MappingNode, path: Path_, positions: dict[Path_, Position], file: Path
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        where = _where(key_node.start_mark, file)
        if not isinstance(key_node, yaml.ScalarNode):
            raise InputError("a key must be a plain word", where=where)
        key = str(key_node.value)
        if key in result:
            raise InputError(f"{key!r} is given twice", where=where, remedy="keep one of the two")
        result[key] = _plain(value_node, (*path, key), positions, file)
        positions[(*path, f"{key}#key")] = where
    return result


def _scalar(node: Any, where: Position) -> Any:
    kind = node.tag.rsplit(":", 1)[-1]
    value = str(node.value)
    try:
        match kind:
            case "null":
                return None
            case "int":
                return yaml.SafeLoader.construct_yaml_int(yaml.SafeLoader(""), node)
            case "float":
                return yaml.SafeLoader.construct_yaml_float(yaml.SafeLoader(""), node)
            # YAML 1.1 reads on, off, yes and no as booleans; models that want the word say so (spec.Switch).
            case "bool":
                return value.lower() in {"yes", "true", "on"}
            case _:
                return value
    except ValueError as bad:
        raise InputError(f"{value!r} is not a {kind}", where=where) from bad


def _first_error(document: Document, model: type[BaseModel], bad: ValidationError, at: Path_) -> InputError:
    """Report the error that is deepest in the file: the others usually follow from it."""
    errors = sorted(bad.errors(), key=lambda one: (one["type"] != "extra_forbidden", -len(one["loc"])))
    first = errors[0]
    path = (*at, *_file_path(document, at, first["loc"]))
    if first["type"] == "extra_forbidden":
        key = str(first["loc"][-1])
        known = _known_keys(model, first["loc"][:-1])
        guess = nearest(key, known)
        remedy = f"did you mean {guess!r}?" if guess else f"known keys: {', '.join(known)}" if known else None
        return document.error((*path[:-1], f"{key}#key"), f"unknown key {key!r}", remedy)
    if first["type"] == "missing":
        return document.error(path, f"{first['loc'][-1]!r} is missing")
    context = first.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, Refusal):
        inside = (*path, *cause.path)
        return document.error(inside, cause.problem, cause.remedy)
    message = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    given = first.get("input")
    remedy = None
    if first["type"] == "literal_error" and "expected" in context:
        allowed = [word.strip(" '") for word in context["expected"].replace(" or ", ", ").split(",")]
        guess = nearest(given, allowed)
        message = f"{given!r} is not one of {', '.join(allowed)}"
        remedy = f"did you mean {guess!r}?" if guess else None
    return document.error(path, f"{path[-1]}: {message}" if path else message, remedy)


class Refusal(ValueError):
    """Raised inside a model's validator: what is wrong, at which key below it, and what would be right."""

    def __init__(self, problem: str, *, path: Path_ = (), remedy: str | None = None) -> None:
        super().__init__(problem)
        self.problem, self.path, self.remedy = problem, path, remedy


def _file_path(document: Document, at: Path_, location: tuple[str | int, ...]) -> Path_:
    """Drop from a pydantic location the steps that name a union's branch and stand in no file."""
    path: Path_ = ()
    for step in location:
        if (*at, *path, step) in document.positions or step == location[-1]:
            path = (*path, step)
    return path


def _known_keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Return the keys of the model at a location, following fields by name."""
    current: Any = model
    for step in location:
        if isinstance(step, int):
            continue
        fields = getattr(current, "model_fields", {})
        if step in fields:
            current = _model_in(fields[step].annotation) or current
    return [name.alias or key for key, name in getattr(current, "model_fields", {}).items()]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        if found := _model_in(part):
            return found
    return None
