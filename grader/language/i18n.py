"""French and English for what people read: texts from a gettext catalogue, numbers as a language writes them.

The English text is the msgid, so English needs no catalogue. A text without French is an error of ours and is
never shown in English by accident. Babel is imported late: the command line must start quickly.
"""

from __future__ import annotations

import functools
import math
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from domains.errors import InfrastructureError, UsageError
from grader.language import LANGUAGES

CATALOGUES = Path(__file__).resolve().parent / "locale"


class Texts(Protocol):
    """Says a text in one language; ``{name}`` in the text is filled from the keyword ``name``."""

    def __call__(self, text: str, /, **values: object) -> str: ...


def N_(text: str) -> str:  # noqa: N802
    """Mark a text for the catalogue where it is written down; it is translated where it is shown."""
    return text


def translator(lang: str) -> Texts:
    """Return what says English texts in ``lang``; raises :class:`UsageError` for another language."""
    if lang not in LANGUAGES:
        raise UsageError(f"no texts in {lang!r}", remedy=f"choose one of {', '.join(LANGUAGES)}")
    catalogue = {} if lang == "en" else _catalogue(lang)

    def say(text: str, /, **values: object) -> str:
        said = text if lang == "en" else catalogue.get(text)
        if said is None:
            raise InfrastructureError(
                f"no {lang} text for {text!r}", remedy=f"add it to {CATALOGUES.name}/{lang}.po"
            )
        return said.format(**values) if values else said

    return say


@functools.cache
def _catalogue(lang: str) -> dict[str, str]:
    from babel.messages.pofile import read_po

    with (CATALOGUES / f"{lang}.po").open("rb") as file:
        read = read_po(file, locale=lang, abort_invalid=True)
    return {str(one.id): str(one.string) for one in read if one.id and one.string and not one.fuzzy}


def number(value: float, lang: str, *, digits: int = 3) -> str:
    """Write a number with about ``digits`` significant digits and never fewer than its whole part.

    French takes a decimal comma and a narrow no-break space between thousands. A number that is not
    finite is a mistake of the caller's and raises :class:`ValueError`; a zero is a plain 0.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number that a report can show")
    if value == 0:
        return "0"
    # Round first: 9.996 has one digit before the point, what is shown of it (10.0) has two.
    rounded = float(f"{value:.{digits}g}")
    size = math.floor(math.log10(abs(rounded)))
    return fixed(value, lang, decimals=max(0, digits - 1 - size))


def fixed(value: float, lang: str, *, decimals: int) -> str:
    """Write a number with exactly ``decimals`` digits after the point or comma; what is rounded to 0 is 0."""
    return _written(round(value, decimals) + 0.0, lang, decimals)


# Babel reads the pattern and the locale anew each time, and the pages of a class write few numbers often.
@functools.lru_cache(maxsize=4096)
def _written(rounded: float, lang: str, decimals: int) -> str:
    from babel.numbers import format_decimal

    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(rounded, format=pattern, locale=lang))


def points(value: float, lang: str) -> str:
    """Write points with as many decimals as they need, and no more than two."""
    decimals = next((count for count in (0, 1) if round(value, count) == round(value, 2)), 2)
    return fixed(value, lang, decimals=decimals)


def moment(text: str, lang: str) -> str:
    """Write an ISO 8601 time as a person reads it, to the minute; other text comes back as it is."""
    from babel.dates import format_datetime

    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    pattern = "d MMMM y, HH:mm" if lang == "en" else "d MMMM y 'à' HH:mm"
    return str(format_datetime(when, pattern, locale=lang)) + (f" {when.tzname()}" if when.tzinfo else "")


def plain(value: Any, say: Texts) -> str:
    """Write a value of a spec or an environment: booleans and nothing in words, lists with commas."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, list | tuple):
        return ", ".join(plain(one, say) for one in value) or "–"
    return str(value)
