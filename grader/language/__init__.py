"""What people read, in French and in English; and what came from others, made harmless before it is shown."""

from __future__ import annotations

from typing import Literal

Lang = Literal["en", "fr"]
LANGUAGES: tuple[Lang, ...] = ("en", "fr")
