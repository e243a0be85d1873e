"""Which tdlab this is."""

from __future__ import annotations

import tomllib
from importlib import metadata

from domains.paths import SHIPPED


def version() -> str:
    """Return the version of tdlab, from its installation or from its checkout."""
    try:
        return metadata.version("tdlab")
    except metadata.PackageNotFoundError:
        project = tomllib.loads((SHIPPED / "pyproject.toml").read_text())["project"]
        return str(project["version"])
