"""Who handed in what of a Gradescope export: ``submission_metadata.yml``, read event by event.

Beside the names, the file holds all that students' programs printed. None of that is looked at: escapes,
anchors, tags and depth in it are nobody's reason to grade nobody.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from domains.errors import InputError, Position
from grader.classroom.source.platforms import Who
from grader.language.inert import one_line

GRADESCOPE_FILE = "submission_metadata.yml"
# What no YAML may hold, raw or as an escape.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_NONE = frozenset({"", "~", "null", "Null", "NULL"})


def read(raw: bytes) -> Mapping[str, tuple[Who, ...]]:
    """Return who handed in each folder of a Gradescope export; raises :class:`InputError`."""
    text = _REFUSED.sub("\N{REPLACEMENT CHARACTER}", raw.decode("utf-8-sig", "replace"))
    reader = _Reader(_HALF.sub(r"\\ufffd", text))
    try:
        return reader.entries()
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark or bad.context_mark
        where = Position(Path(GRADESCOPE_FILE), mark.line + 1 if mark else 1, mark.column + 1 if mark else 1)
        raise InputError(f"not valid YAML: {bad.problem or bad.context}", where=where) from bad


class _Reader:
    """Walks the events once, keeps what is looked for, and passes over all else without recursion."""

    def __init__(self, text: str) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._named: dict[str, str] = {}

    def entries(self) -> Mapping[str, tuple[Who, ...]]:
        """Return the submitters of each folder."""
        for event in self._events:
            if isinstance(event, yaml.MappingStartEvent):
                return {key: tuple(self._entry(value)) for key, value in self._mapping()}
            if isinstance(event, yaml.NodeEvent):
                break
        raise InputError("it names no submissions", where=Position(Path(GRADESCOPE_FILE), 1, 1))

    def _entry(self, event: Any) -> list[Who]:
        """Return the submitters of one folder; keys are Ruby's symbols, which begin with a colon."""
        people: list[dict[str, str]] = []
        time = ""
        if not isinstance(event, yaml.MappingStartEvent):
            self._text(event)
            return []
        for key, value in self._mapping():
            if key == "submitters" and isinstance(value, yaml.SequenceStartEvent):
                people = list(self._people())
            elif key == "created_at" and isinstance(value, yaml.MappingStartEvent):
                # Ruby's own form of a time in a zone.
                times = {name: self._text(one) for name, one in self._mapping()}
                time = times.get("utc", "")
            elif key == "created_at":
                time = self._text(value)
            else:
                self._text(value)
        return [who for one in people if (who := _who(one, time))]

    def _people(self) -> Iterator[dict[str, str]]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            if isinstance(event, yaml.MappingStartEvent):
                yield {key: self._text(value) for key, value in self._mapping()}
            else:
                self._text(event)

    def _mapping(self) -> Iterator[tuple[str, Any]]:
        """Yield keys and the first events of their values, which the caller reads to their end."""
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            yield self._text(event).removeprefix(":"), next(self._events)

    def _text(self, first: Any) -> str:
        """Read one value to its end; return what it says when it is a scalar, and nothing otherwise."""
        if isinstance(first, yaml.AliasEvent):
            return self._named.get(str(first.anchor), "")
        if isinstance(first, yaml.ScalarEvent):
            return self._scalar(first)
        depth = 1
        while depth:
            event = next(self._events)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.ScalarEvent) and event.anchor:
                self._scalar(event)
        return ""

    def _scalar(self, event: Any) -> str:
        text = str(event.value)
        if event.style is None and text in _NONE:
            text = ""
        if str(event.tag or "").endswith("binary"):
            try:
                text = base64.b64decode(text).decode("utf-8", "replace")
            except binascii.Error:
                text = ""
        if event.anchor:
            self._named[event.anchor] = text
        return text


def _who(person: Mapping[str, str], time: str) -> Who | None:
    name = one_line(person.get("name") or person.get("email") or "", limit=200)
    sid, email = (one_line(person.get(key) or "", limit=200) for key in ("sid", "email"))
    return Who(name, sid, email, _moment(time)) if name else None


def _moment(value: object) -> datetime | None:
    """Read a time as Ruby writes it: ``2026-11-20 10:00:00.123456789 Z``, or with an offset."""
    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|UTC|[-+]\d\d:?\d\d)?", str(value or "").strip()
    )
    if not match:
        return None
    zone = "+00:00" if match[3] in {None, "Z", "UTC"} else match[3]
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
