"""What differs between two specs: their keys, their XML, and what to learn from it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from domains import catalogue
from domains.quantities import in_units
from domains.render import render
from domains.spec import DomainSpec
from grader.language import Lang
from grader.spec import lessons as spec_lessons

_SIZES = {"memory", "disk.size"}


@dataclass(frozen=True)
class Change:
    """One key of a spec that differs; a value that is not there is None."""

    key: str
    before: Any
    after: Any


def changes(one: DomainSpec, other: DomainSpec) -> list[Change]:
    """Return the keys that differ, in the order of the spec; the guest's name is no difference."""
    before, after = dict(_leaves(one.model_dump())), dict(_leaves(other.model_dump()))
    return [
        Change(key, before.get(key), after.get(key))
        for key in dict.fromkeys([*before, *after])
        if before.get(key) != after.get(key) and key != "name"
    ]


def xml_diff(one: DomainSpec, other: DomainSpec, names: tuple[str, str]) -> str:
    """Return a unified diff of two guests' XML and, where they differ in it, of their networks'."""
    lines = difflib.unified_diff(
        _whole(one, other).splitlines(),
        _whole(other, one).splitlines(),
        fromfile=names[0],
        tofile=names[1],
        lineterm="",
    )
    return "\n".join(lines)


def lessons(one: DomainSpec, other: DomainSpec, lang: Lang) -> list[str]:
    """Return one sentence for each key that differs."""
    said = [_lesson(change, lang) for change in changes(one, other)]
    return said if xml_diff(one, other, ("", "")) else [spec_lessons.lessons().same_xml.say(lang), *said]


def _lesson(change: Change, lang: Lang) -> str:
    head = (
        f"{change.key}: {_value(change.key, change.before, lang)} → {_value(change.key, change.after, lang)}"
    )
    colon = " : " if lang == "fr" else ": "
    return head + colon + spec_lessons.lessons().about(change.key, str(change.after)).say(lang)


def _value(key: str, value: Any, lang: Lang) -> str:
    if value is None or value == ():
        return spec_lessons.lessons().left_out.say(lang)
    if key in _SIZES:
        text = in_units(int(value))
        return text.replace("iB", "io") if lang == "fr" else text
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _whole(spec: DomainSpec, beside: DomainSpec) -> str:
    mode = spec.network.mode
    text = render(spec)
    if mode != beside.network.mode and mode != "bridge":
        text += catalogue.own_network(mode)
    return text


def _leaves(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
