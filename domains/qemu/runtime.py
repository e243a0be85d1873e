"""Private runtimes: another Debian release's QEMU, with libraries and firmware, beside the system's own.

Second best to our own build: each release has another bug, so none does everything. Nothing is installed,
and neither root nor a user namespace is needed.
"""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path

import filelock

from domains import files, process
from domains.errors import CapabilityMissing, InfrastructureError, ProcessError
from domains.qemu import home
from domains.qemu.build import KEYRING, MIRROR
from domains.qemu.home import Say

# Trixie's QEMU 10.0.13 has VFs that work, bookworm's 7.2 shadow paging; what they do is probed all the same.
SUITES = ("trixie", "bookworm")
NEEDS_BYTES = 1 << 30
_PACKAGE = "qemu-system-x86"
_TRIPLET = "x86_64-linux-gnu"
_PROGRAM = Path("usr/bin/qemu-system-x86_64")
# Raised when what is unpacked or the wrapper changes.
_RECIPE = 1
# What a runtime does not need, and the bulk of it.
_LEFT_OUT = ("./usr/share/doc", "./usr/share/man", "./usr/share/locale", "./dev")
_LOCK_SECONDS = 900


def unpacked(suite: str) -> Path | None:
    """Return the QEMU of a runtime if it is already there, or None."""
    for folder in home.known():
        wrapper = folder / _name(suite) / "qemu-system-x86_64"
        if wrapper.is_file():
            return wrapper
    return None


def ensure_unpacked(suite: str, say: Say = lambda _: None) -> Path:
    """Return the QEMU of a Debian release, fetching it first if it is not there (about 15 s).

    Raises :class:`CapabilityMissing` without mmdebstrap, and :class:`InfrastructureError` without network
    or room.
    """
    if there := unpacked(suite):
        return there
    if process.found("mmdebstrap") is None:
        raise CapabilityMissing(
            "unpacking another release's QEMU needs mmdebstrap, which is not installed here",
            remedy="run ./tdlab once as root to set this host up, or: apt-get install mmdebstrap",
        )
    place = home.writable(say)
    with filelock.FileLock(place / f".unpacking-{suite}", timeout=_LOCK_SECONDS):
        home.clear(place, f".unpacking-{suite}-")
        if there := unpacked(suite):
            return there
        home.require_room(place, NEEDS_BYTES, "another release's QEMU")
        say(f"unpacking the QEMU of Debian {suite}: about 15 s, once")
        return _unpack(place, suite)


def wrapper(root: Path) -> str:
    """Return the script that libvirt is given as emulator: with the runtime's loader, libraries, firmware."""
    libraries = f"{root}/usr/lib/{_TRIPLET}:{root}/lib/{_TRIPLET}"
    loader = f"{root}/lib64/ld-linux-x86-64.so.2"
    if not Path(loader).is_file():
        loader = f"{root}/usr/lib64/ld-linux-x86-64.so.2"
    words = [loader, "--library-path", libraries, "--argv0", _PROGRAM.name, f"{root}/{_PROGRAM}"]
    for firmware in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"):
        words += ["-L", f"{root}/{firmware}"]
    modules = shlex.quote(f"{root}/usr/lib/{_TRIPLET}/qemu")
    return f'#!/bin/sh\nexport QEMU_MODULE_DIR={modules}\nexec {shlex.join(words)} "$@"\n'


def _unpack(place: Path, suite: str) -> Path:
    with tempfile.TemporaryDirectory(dir=place, prefix=f".unpacking-{suite}-") as name:
        archive, root = Path(name) / "root.tar", Path(name) / "root"
        root.mkdir(mode=0o755)
        # "extract" unpacks and configures nothing, so there is nothing to change root into.
        words = ["mmdebstrap", "--quiet", "--mode=chrootless", "--variant=extract", f"--include={_PACKAGE}"]
        try:
            process.run([*words, f"--keyring={KEYRING}", suite, archive, MIRROR], timeout=600)
        except ProcessError as failed:
            raise InfrastructureError(
                f"the QEMU of Debian {suite} could not be had: {failed.problem}",
                remedy=f"it needs {MIRROR} once: check the network, then try again",
            ) from failed
        without = [f"--exclude={folder}" for folder in _LEFT_OUT]
        tar = ["tar", "--extract", "--no-same-owner", f"--file={archive}", f"--directory={root}", *without]
        process.run(tar, timeout=300)
        target = place / _name(suite)
        files.write_whole(root / "manifest.json", json.dumps({"suite": suite, "package": _PACKAGE}) + "\n")
        root.rename(target)
    # Its paths are those of the folder's final place; a folder without it is not whole.
    script = target / "qemu-system-x86_64.new"
    script.write_text(wrapper(target))
    script.chmod(0o755)
    return script.rename(target / _PROGRAM.name)


def _name(suite: str) -> str:
    return f"{suite}-{_RECIPE}"
