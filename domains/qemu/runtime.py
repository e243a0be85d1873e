"""Private runtimes: another Debian release's QEMU, with libraries and firmware, beside the system's own.

Second best to our own build: each release has another bug, so none does everything. Nothing is installed,
and neither root nor a user namespace is needed.
"""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

from domains import locks, process
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
# What a runtime is made of, by release. The rest stays out, above all programs that are setuid root.
_WANTED = (
    str(_PROGRAM),
    f"lib/{_TRIPLET}",
    f"usr/lib/{_TRIPLET}",
    "usr/lib/ipxe",
    "usr/share/qemu",
    "usr/share/seabios",
)
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
    with locks.held(place / f".unpacking-{suite}", "another release's QEMU", _LOCK_SECONDS):
        home.clear(place, f".unpacking-{suite}-")
        if there := unpacked(suite):
            return there
        home.require_room(place, NEEDS_BYTES, "another release's QEMU")
        say(f"unpacking the QEMU of Debian {suite}: about 15 s, once")
        return _unpack(place, suite)


def wrapper(folder: Path, libraries: Path) -> str:
    """Return the script that libvirt is given as emulator: with the runtime's loader, libraries, firmware.

    ``libraries`` is where in ``folder`` the C library lies: /lib before Debian 13, /usr/lib since.
    """
    # The C library's own folder, not /lib64: there Debian 12 has a link, whose target is this host's loader.
    loader = folder / libraries / "ld-linux-x86-64.so.2"
    places = f"{folder}/usr/lib/{_TRIPLET}:{folder}/lib/{_TRIPLET}"
    words = [str(loader), "--library-path", places, "--argv0", _PROGRAM.name, f"{folder}/{_PROGRAM}"]
    for firmware in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"):
        words += ["-L", f"{folder}/{firmware}"]
    modules = shlex.quote(f"{folder}/usr/lib/{_TRIPLET}/qemu")
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
        listed = process.run(["tar", "--list", f"--file={archive}"], timeout=120).stdout.split("\n")
        wanted = [f"./{path}" for path in _WANTED if {f"./{path}", f"./{path}/"} & set(listed)]
        tar = ["tar", "--extract", "--no-same-owner", f"--file={archive}", f"--directory={root}", *wanted]
        process.run(tar, timeout=300)
        target = place / _name(suite)
        libraries = next(
            at
            for at in (Path("usr/lib") / _TRIPLET, Path("lib") / _TRIPLET)
            if (root / at / "ld-linux-x86-64.so.2").is_file()
        )
        script = root / _PROGRAM.name
        script.write_text(wrapper(target, libraries))
        script.chmod(0o755)
        root.rename(target)
    return target / _PROGRAM.name


def _name(suite: str) -> str:
    return f"{suite}-{_RECIPE}"
