"""The look that all pages share: colours, light and dark, and typefaces; and how a page names its style."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

_PALETTE = Path(__file__).resolve().parent / "palette.css"


def style_of(sheet: Path) -> str:
    """Return the style of a page: the shared palette, then the page's own style sheet."""
    return _PALETTE.read_text(encoding="utf-8") + sheet.read_text(encoding="utf-8")


def style_hash(style: str) -> str:
    """Return what a Content-Security-Policy names a style by: its SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
