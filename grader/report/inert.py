"""Text that came from others, made harmless before it is shown: it can be read, and nothing else."""

from __future__ import annotations

import re

SHOWN_CHARACTERS = 4_000

# Controls that move a cursor or start an escape sequence, and the marks that turn text round or hide it: a
# line that reads "passed" must not be stored as something else. Newline and tab stay.
_ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)
_FORMULA_STARTS = "=+-@＝＋－＠|%"


def inert(text: object, *, limit: int = SHOWN_CHARACTERS) -> str:
    """Return the text with active characters shown as their numbers, and cut (saying so) after ``limit``."""
    said = str(text).replace("\r\n", "\n")
    safe = _ACTIVE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", said[:limit])
    left = len(said) - limit
    return f"{safe} […+{left}]" if left > 0 else safe


def one_line(text: object, *, limit: int = SHOWN_CHARACTERS) -> str:
    """Return inert text on one line."""
    return " ".join(inert(text, limit=limit).split())


def no_formula(text: object) -> str:
    """Return text that a spreadsheet takes for text: what could begin a formula gets an apostrophe."""
    safe = inert(text)
    begins = safe.lstrip()[:1]
    return f"'{safe}" if (begins and begins in _FORMULA_STARTS) or safe[:1] in {"\t", "\n"} else safe
