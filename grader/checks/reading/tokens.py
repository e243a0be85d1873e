"""A text as words and marks: plain ones to compare, and as they were typed to show."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import chain
from typing import Any

import yaml

_WORD_OR_MARK = re.compile(r"[^\W_]+(?:['’`´][^\W_]+)*|[.!?;\n…]+|[,:()/+]|[-=~]*>+|<[-=]+|→")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
# « un processus dont les options … » is no "don't".
_WHOSE = re.compile(
    r"\bdont\b(?=\s+(?:l[ae]?|les|on|ils?|elles?|ce|cette|ces|une?|s[ao]n?|ses|leurs?|chaque|chacune?|tout|je|nous|d)\b)",
    re.IGNORECASE,
)
# « leeeent »; a double letter may be right.
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_APOSTROPHES = re.compile(r"['’`´]")
# « lhyperviseur », « dexit »: an elision without its apostrophe.
_GLUED = re.compile(r"([cdjlmns]|qu)(?=[aeiouyh]\w{3})")
# Longer than any word of the subject: kept whole, and never stemmed or corrected.
LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class Token:
    """A word, plain and as typed, or a mark (``.`` ends a sentence, ``,`` and the like only pause)."""

    plain: str
    typed: str
    is_mark: bool = False

    @property
    def ends(self) -> bool:
        """Whether a sentence ends here."""
        return self.is_mark and self.plain == "."

    @property
    def is_arrow(self) -> bool:
        """Whether this leads from one thing to the next: « BIOS > CPU > SVM »."""
        return self.is_mark and (">" in self.typed or "→" in self.typed)


@lru_cache(maxsize=1)
def common() -> dict[str, Any]:
    """Return the everyday words of both languages, which say nothing of any subject."""
    text = resources.files(__package__).joinpath("common.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    data["stop"] = frozenset(data["stop"].split())
    data["everyday"] = frozenset(data["everyday"].split())
    return data


def plain(text: str) -> str:
    """Return a text without case, accents and ligatures."""
    apart = unicodedata.normalize(
        "NFKD", _DRAWN_OUT.sub(r"\1", text.casefold()).replace("œ", "oe").replace("æ", "ae")
    )
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def tokens(text: str) -> tuple[Token, ...]:
    """Return the words and marks of a text: elisions and n't taken apart, short forms written out."""
    found = _WORD_OR_MARK.findall(_WHOSE.sub("de qui", _DECIMAL.sub("", text)))
    return tuple(chain.from_iterable(map(_read, found)))


def unglued(word: str) -> str:
    """Return a plain word without the elision that is stuck to it (« lhote »), or "" where there is none."""
    return word[1 if word[0] != "q" else 2 :] if _GLUED.match(word) else ""


def words(text: str) -> list[str]:
    """Return the plain words of a text."""
    return [token.plain for token in tokens(text) if not token.is_mark]


# A class types the same few thousand words.
@lru_cache(maxsize=65536)
def _read(typed: str) -> tuple[Token, ...]:
    if not typed[0].isalnum():
        return (Token("." if typed[0] in ".!?;\n…" else ",", typed, is_mark=True),)
    return tuple(Token(word, typed) for word in _plain_parts(plain(typed)))


def _plain_parts(word: str) -> Iterator[str]:
    pieces = [piece for piece in _APOSTROPHES.split(word) if piece]
    if len(pieces) > 1 and pieces[-1] == "t" and pieces[-2].endswith("n"):
        pieces[-2:] = [pieces[-2] if pieces[-2] == "can" else pieces[-2][:-1], "not"]
    for place, piece in enumerate(pieces):
        if piece == "n" and place + 1 < len(pieces):
            yield "ne"
        else:
            yield from str(common()["short"].get(piece, piece)).split()
