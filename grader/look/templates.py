"""Jinja templates whose every text is escaped and inert, also where nobody thought of it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.language import causes
from grader.language.inert import inert, one_line

# An answer is cut where it is kept; nothing on these pages is longer.
_LONGEST = 8_192


@functools.cache
def environment(*folders: Path) -> Environment:
    """Return the environment of the templates in some folders; the first that has a template gives it."""
    made = Environment(
        loader=FileSystemLoader(folders),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"cause": causes.said, "inert": inert, "one_line": one_line, "at": "{:.2f}%".format}
    return made


def _shown(value: Any) -> Any:
    return inert(value, limit=_LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value
