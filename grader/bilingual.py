"""Text that users read, in French and in English: both, always."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Lang = Literal["fr", "en"]
LANGUAGES: tuple[Lang, ...] = ("fr", "en")

# Longer than any honest short answer; what is longer is cut where it is shown, never where it is judged.
_SHOWN = 2000


class Bilingual(BaseModel):
    """One text in both languages; neither may be left out or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def say(self, lang: Lang, **values: object) -> str:
        """Return the text in one language, with ``{names}`` filled in when values are given."""
        text = self.fr if lang == "fr" else self.en
        return text.format(**values) if values else text


def inert(text: object) -> str:
    """Return text from others with nothing in it that a terminal or a page would act on, cut at a length."""
    whole = str(text)
    if len(whole) <= _SHOWN and whole.isascii() and whole.isprintable():
        return whole
    shown = "".join(letter if _harmless(letter) else "\N{REPLACEMENT CHARACTER}" for letter in whole[:_SHOWN])
    return f"{shown} […]" if len(whole) > _SHOWN else shown


def _harmless(letter: str) -> bool:
    return letter in "\n\t" or unicodedata.category(letter) not in {"Cc", "Cf", "Cs", "Co", "Cn"}


def decimal(value: float, lang: Lang) -> str:
    """Return a number with three significant figures, and with the language's decimal sign."""
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace(".", ",") if lang == "fr" else text
