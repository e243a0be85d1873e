"""Why something is not verified, cannot be read or cannot be measured, in the language of who reads it.

Causes are kept in English, as data: the same marks come out whoever grades. They are said here in French, by
patterns in which ``{names}`` stand for anything. A cause that nobody has put into French stays as it is.
"""

from __future__ import annotations

import functools
import re

from grader.language import Lang, refusals
from grader.language.bilingual import Bilingual
from grader.language.causes import hosts, progress, submissions
from grader.language.inert import SHOWN_CHARACTERS

_PLACE = re.compile(r":\d+$")
_NAME = re.compile(r"\\\{(\w+)\\\}")
# No cause of ours is longer, holds more pieces or more places; what students write may, to keep us busy.
_LONGEST, _MOST_PIECES, _DEEPEST = 600, 50, 6
# These hold a cause themselves, or what a program said; other names end at a colon.
_INNER, _FREE = frozenset({"cause"}), frozenset({"cause", "why", "what", "command", "said"})


def said(cause: str, lang: Lang) -> str:
    """Return a cause in a language; what stands before a colon (a file, a cell, a row) stays in front.

    Causes also stand in files that students hand in, who may have written anything there.
    """
    return _said(cause, lang) if len(cause) <= SHOWN_CHARACTERS else cause


@functools.lru_cache(maxsize=4096)
def _said(cause: str, lang: Lang) -> str:
    if lang == "en":
        return refusals.said(cause, "en")
    return "\n".join(_line(line) for line in cause.split("\n"))


def _line(line: str) -> str:
    words = line.lstrip()
    french = _french(words)
    return refusals.said(line, "fr") if french is None else line[: len(line) - len(words)] + french


def _french(cause: str, depth: int = _DEEPEST, *, is_piece: bool = False) -> str | None:
    """Return a whole cause in French, or piece by piece between semicolons, or what follows its place."""
    if not depth:
        return None
    if (whole := _whole(cause, depth)) is not None:
        return whole
    pieces = cause.split("; ")
    if not is_piece and 1 < len(pieces) <= _MOST_PIECES:
        french = [_french(piece, depth, is_piece=True) for piece in pieces]
        if any(french):
            kept = (new or old for new, old in zip(french, pieces, strict=True))
            return "\N{NO-BREAK SPACE}; ".join(kept)
    place, colon, rest = cause.partition(": ")
    # Pieces that said nothing with their place in front were tried without it, too.
    after = _french(rest, depth - 1, is_piece=True) if colon else None
    if after is None:
        return None
    # A place in a file stays as editors and terminals know it.
    return f"{place}: {after}" if _PLACE.search(place) else f"{place}\N{NO-BREAK SPACE}: {after}"


def _whole(cause: str, depth: int) -> str | None:
    if len(cause) > _LONGEST:
        return None
    for pattern, text in _patterns():
        if found := pattern.fullmatch(cause):
            values = {name: _inner(name, value, depth) for name, value in found.groupdict().items()}
            return text.say("fr", **values)
    return None


def _inner(name: str, value: str, depth: int) -> str:
    return (_french(value, depth - 1) or value) if name in _INNER else value


@functools.cache
def _patterns() -> list[tuple[re.Pattern[str], Bilingual]]:
    return [(_pattern(text.en), text) for text in (*submissions.CAUSES, *hosts.CAUSES, *progress.CAUSES)]


def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(_NAME.sub(_anything, re.escape(english)), re.DOTALL)


def _anything(name: re.Match[str]) -> str:
    return f"(?P<{name[1]}>.+?)" if name[1] in _FREE else f"(?P<{name[1]}>(?:(?!: ).)+?)"
