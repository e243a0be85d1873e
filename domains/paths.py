"""Where things are: data that ships with tdlab, and the XDG folders of this user."""

from __future__ import annotations

from pathlib import Path

import platformdirs

# A checkout and a wheel have the same layout: labs/ and playbooks/ beside domains/ and grader/.
SHIPPED = Path(__file__).resolve().parent.parent
LABS = SHIPPED / "labs"
PLAYBOOKS = SHIPPED / "playbooks"
TEMPLATES = Path(__file__).resolve().parent / "templates"


def cache() -> Path:
    """Return the folder for what can be made again (images, verdicts about this host)."""
    return _made(platformdirs.user_cache_path("tdlab"))


def state() -> Path:
    """Return the folder for what must outlive a command (where runs are kept)."""
    return _made(platformdirs.user_state_path("tdlab"))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
