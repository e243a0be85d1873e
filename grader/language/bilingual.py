"""Text that users read, in French and in English: both, always."""

from __future__ import annotations

import functools
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from grader.language import Lang


class Bilingual(BaseModel):
    """One text in both languages; neither may be left out or empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Annotated[str, Field(min_length=1)]
    en: Annotated[str, Field(min_length=1)]

    def say(self, lang: Lang, **values: object) -> str:
        """Return the text in one language, French with its spaces, ``{names}`` filled in if given."""
        text = typeset(self.fr, lang) if lang == "fr" else self.en
        return text.format(**values) if values else text


def both(en: str, fr: str) -> Bilingual:
    """Return a text from its two languages, for tables of them."""
    return Bilingual(fr=fr, en=en)


def decimal(value: float, lang: Lang) -> str:
    """Return a number with three significant figures, and with the language's decimal sign."""
    text = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace(".", ",") if lang == "fr" else text


@functools.lru_cache(maxsize=4096)
def typeset(text: str, lang: Lang) -> str:
    """Return a text with the no-break spaces that French puts before ; : ! ? % and inside « »."""
    return re.sub(r" (?=[;:!?%»])|(?<=«) ", "\N{NO-BREAK SPACE}", text) if lang == "fr" else text
