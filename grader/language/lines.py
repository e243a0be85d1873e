"""Break text into lines that can still be typed: what stands in backticks is never broken."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A command with what is written against it, such as a comma, or a word; no-break spaces do not part words.
_UNITS = re.compile(r"(?:`[^`\n]+`|[^\s`]|[\xa0\u202f]|`)+")
# French sets these apart by a space, after which no line may begin (or, for the last, end).
_CLOSING = re.compile(r"[:;?!%»]+[.,)]*")
_OPENING = "«"


def wrapped(text: str, width: int, *, first: str = "", then: str = "") -> list[str]:
    """Return a text in lines of at most ``width`` columns, after ``first`` and, from the second on, ``then``.

    A command in backticks that does not fit begins a line of its own, further to the left where that helps;
    one that is wider than any line stands alone on it, whole, for the terminal to show as it can.
    """
    lines: list[str] = []
    line, has_words = first, False
    for unit in _units(text):
        space = " " if has_words else ""
        if line.strip() and len(line) + len(space) + len(unit) > width:
            lines.append(line.rstrip())
            line, space = _indent(then, unit, width), ""
        line += space + unit
        has_words = True
    return [*lines, line]


def _indent(usual: str, unit: str, width: int) -> str:
    """Return the widest of the usual indent, two blanks and none with which it fits on a line."""
    return next((one for one in (usual, usual[:2]) if len(one) + len(unit) <= width), "")


def _units(text: str) -> Iterator[str]:
    """Yield what no line may be broken in: words and commands, with French's punctuation."""
    held = ""
    for unit in _UNITS.findall(text):
        if held and (_CLOSING.fullmatch(unit) or held.endswith(_OPENING)):
            held = f"{held} {unit}"
            continue
        if held:
            yield held
        held = unit
    if held:
        yield held
