"""Where QEMUs that tdlab made are kept: where libvirt's guests, which run as a user of their own, can read.

Root's are in ``/var/lib/tdlab/qemu`` and serve everybody on the host. Another user's are in the cache folder
if others may pass through every folder above it, and else in ``/var/lib/tdlab/qemu-UID``, which takes sudo
once: homes of mode 700 are the rule. What a user made serves that user only.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from domains import paths, privilege, process
from domains.errors import CapabilityMissing, InfrastructureError

SHARED = Path("/var/lib/tdlab/qemu")

Say = Callable[[str], None]


def known() -> list[Path]:
    """Return the folders where a QEMU may already be, the most trusted first."""
    return [SHARED] if os.geteuid() == 0 else [SHARED, _outside_home(), _in_cache()]


def writable(say: Say = lambda _: None) -> Path:
    """Return the folder where this user puts new ones, made if it is not there.

    Raises :class:`CapabilityMissing` where no such folder can be had.
    """
    if os.geteuid() == 0:
        return _made(SHARED)
    cache, outside = _in_cache(), _outside_home()
    if is_reachable(paths.cache()):
        return _made(cache)
    if outside.is_dir() and os.access(outside, os.W_OK):
        return outside
    root = privilege.as_root()
    if root is None:
        raise CapabilityMissing(
            f"libvirt's guests may not read {cache}: a folder above it is closed to other users",
            remedy=f"run ./tdlab host up --emulated once as root, or: chmod o+x {Path.home()}",
        )
    say(f"making {outside} with sudo: libvirt's guests may not read this user's home")
    owner = ["-o", str(os.geteuid()), "-g", str(os.getegid())]
    process.run([*root, "install", "-d", "-m", "755", *owner, outside], timeout=30)
    return outside


def is_reachable(folder: Path) -> bool:
    """Return whether every user may pass through a folder and through all those above it."""
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.resolve().parents))


def require_room(folder: Path, needed: int, purpose: str) -> None:
    """Raise :class:`InfrastructureError` when a folder's file system has fewer than ``needed`` bytes left."""
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if free < needed:
        raise InfrastructureError(
            f"{folder} has {free / 2**30:.1f} GiB left; {purpose} needs {needed / 2**30:.1f} GiB",
            remedy="make room there, then try again",
        )


def clear(place: Path, prefix: str) -> None:
    """Remove the folders that a killed command left half made; called with their lock held."""
    for left in place.glob(f"{prefix}*"):
        if left.is_dir():
            shutil.rmtree(left)


def keep_newest(place: Path, prefix: str, count: int) -> None:
    """Remove all but the newest folders, with what else has their names (a log); called with their lock held.

    A host that runs on one of them goes on: its program stays open. The next one starts on the newest.
    """
    made = sorted(place.glob(f"{prefix}*/manifest.json"), key=lambda file: file.stat().st_mtime, reverse=True)
    for manifest in made[count:]:
        shutil.rmtree(manifest.parent)
        manifest.parent.with_suffix(".log").unlink(missing_ok=True)


def _outside_home() -> Path:
    return SHARED.with_name(f"qemu-{os.geteuid()}")


def _in_cache() -> Path:
    return paths.cache() / "qemu" / "made"


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    return folder
