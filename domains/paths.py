"""Where things are: data that ships with tdlab, and the XDG folders of this user."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import platformdirs

from domains.errors import InfrastructureError

# A checkout and a wheel have the same layout: labs/ and playbooks/ beside domains/ and grader/.
SHIPPED = Path(__file__).resolve().parent.parent
LABS = SHIPPED / "labs"
PLAYBOOKS = SHIPPED / "playbooks"
TEMPLATES = Path(__file__).resolve().parent / "templates"

# The system's own QEMU, on every distribution that tdlab sets up.
SYSTEM_QEMU = Path("/usr/bin/qemu-system-x86_64")


def cache() -> Path:
    """Return the folder for what can be made again (images, verdicts about this host)."""
    return _made(platformdirs.user_cache_path("tdlab"))


def state() -> Path:
    """Return the folder for what must outlive a command (where runs are kept)."""
    return _made(platformdirs.user_state_path("tdlab"))


def runtime() -> Path:
    """Return the folder for sockets: its name is short, and only this user may look into it."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base, "tdlab") if base else Path(tempfile.gettempdir(), f"tdlab-{os.geteuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid != os.geteuid() or not stat.S_ISDIR(status.st_mode):
        raise InfrastructureError(f"{folder} is somebody else's", remedy=f"remove it: sudo rm -r {folder}")
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
