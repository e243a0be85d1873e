"""Text that came from others, made harmless before it is shown: it can be read, and nothing else."""

from __future__ import annotations

import re
import unicodedata

SHOWN_CHARACTERS = 4_000

# Everything but what is plainly harmless is looked at by its category: Latin letters with their accents, and
# the punctuation and arrows of both languages, need no look.
_UNUSUAL = re.compile(r"[^\n\t\x20-\x7e\xa0-\xac\xae-\u036f\u2010-\u2027\u202f-\u205e\u2190-\u22ff]")
# Controls that move a cursor or start an escape sequence, marks that turn text round or hide it (a line that
# reads "passed" must not be stored as something else), ends of line that few know, and what is no letter.
_ACTIVE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_FORMULA_STARTS = "=+-@＝＋－＠|%"


def inert(text: object, *, limit: int = SHOWN_CHARACTERS) -> str:
    """Return the text with active characters shown as their numbers, and cut (saying so) after ``limit``."""
    said = str(text).replace("\r\n", "\n")
    safe = _UNUSUAL.sub(_shown, said[:limit])
    left = len(said) - limit
    return f"{safe} […+{left}]" if left > 0 else safe


def _shown(match: re.Match[str]) -> str:
    letter = match[0]
    return f"⟨U+{ord(letter):04X}⟩" if unicodedata.category(letter) in _ACTIVE else letter


def one_line(text: object, *, limit: int = SHOWN_CHARACTERS) -> str:
    """Return inert text on one line."""
    return " ".join(inert(text, limit=limit).split())


def no_formula(text: object) -> str:
    """Return text that a spreadsheet takes for text: what could begin a formula gets an apostrophe."""
    safe = inert(text)
    begins = safe.lstrip()[:1]
    return f"'{safe}" if (begins and begins in _FORMULA_STARTS) or safe[:1] in {"\t", "\n"} else safe
