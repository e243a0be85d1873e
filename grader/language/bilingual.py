"""Text that users read, in French and in English: both, always."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from grader.language import Lang


class Bilingual(BaseModel):
    """One text in both languages; neither may be left out or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def say(self, lang: Lang, **values: object) -> str:
        """Return the text in one language, French with its spaces; values, if any, fill in ``{names}``.

        ``{count:signal|signaux}`` is the first or the second by what ``count`` takes in the language.
        """
        text = typeset(self.fr, lang) if lang == "fr" else self.en
        return filled(text, lang, values) if values else text


class _Count(int):
    """A whole number that chooses between a singular and a plural."""

    lang: Lang

    def __format__(self, spec: str) -> str:
        if "|" not in spec:
            return super().__format__(spec)
        one, many = spec.split("|")
        # 0 is a singular in French and a plural in English.
        return one if self == 1 or (self == 0 and self.lang == "fr") else many


def filled(text: str, lang: Lang, values: Mapping[str, object]) -> str:
    """Return a text of a language with ``{names}`` filled in, and words in the number that they take."""
    return text.format(**{name: _count(value, lang) for name, value in values.items()})


def _count(value: object, lang: Lang) -> object:
    if type(value) is not int:
        return value
    counted = _Count(value)
    counted.lang = lang
    return counted


def both(en: str, fr: str) -> Bilingual:
    """Return a text from its two languages, for tables of them."""
    return Bilingual(fr=fr, en=en)


def listed(pieces: Iterable[str], lang: Lang) -> str:
    """Return pieces of a sentence one after the other, between the semicolons of a language."""
    return typeset(" ; " if lang == "fr" else "; ", lang).join(pieces)


def decimal(value: float, lang: Lang) -> str:
    """Return a number with three significant figures, and with the language's decimal sign."""
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace(".", ",") if lang == "fr" else text


@functools.lru_cache(maxsize=4096)
def typeset(text: str, lang: Lang) -> str:
    """Return a text with French apostrophes, and no-break spaces before ; : ! ? % and inside « »."""
    if lang != "fr":
        return text
    text = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "\N{RIGHT SINGLE QUOTATION MARK}", text)
    return re.sub(r" (?=[;:!?%»])|(?<=«) ", "\N{NO-BREAK SPACE}", text)
