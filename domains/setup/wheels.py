"""The Python packages that tdlab needs, for machines that cannot ask PyPI: fetched here, for their Python."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from domains import locks, paths, process
from domains.errors import InfrastructureError, ProcessError, UsageError
from domains.setup import environments

# libvirt-python comes as source alone: the machines have their distribution's (python3-libvirt, by lab_host).
_NOT_SENT = frozenset({"libvirt-python", "setuptools"})
# From Debian 12 (glibc 2.36) on; pip takes each name as it is, and no older one by itself.
_GLIBC = tuple(f"manylinux_2_{minor}_x86_64" for minor in (34, 28, 27, 24, 17, 12, 5))
# For those who develop the packages; a third of all that would travel.
_NOT_RUN = ("tests", "include")
_FETCH_SECONDS = 900
_NEW = ".new-"


def folder(version: str, say: Callable[[str], None]) -> Path:
    """Return a folder with all locked packages for a Python (``3.13``), fetched if it is not there.

    Raises :class:`InfrastructureError` when PyPI cannot be asked, :class:`UsageError` where tdlab was
    installed without its lock file.
    """
    lock = _locked(version)
    place = _place(version, lock)
    home = place.parent
    home.mkdir(exist_ok=True)
    with locks.held(home / ".lock", "packages from PyPI", _FETCH_SECONDS):
        # Those of an older lock file, and what a fetch that was killed left.
        for old in [*home.glob(f"{version}-*"), *home.glob(f"{_NEW}*")]:
            if old != place:
                shutil.rmtree(old)
        if not place.exists():
            say(f"fetching the Python packages for Python {version} from PyPI")
            _fetch(version, lock, place)
    return place


def ready(version: str) -> Path | None:
    """Return the folder that :func:`folder` would return at once, or None where it would fetch one."""
    place = _place(version, _locked(version))
    return place if place.exists() else None


def _place(version: str, lock: str) -> Path:
    return paths.cache() / "wheels" / f"{version}-{hashlib.sha256(lock.encode()).hexdigest()[:16]}"


def _locked(version: str) -> str:
    """Return the part of the lock file that a Python needs, without the conditions by which it was chosen."""
    from packaging.requirements import Requirement

    try:
        text = environments.LOCK.read_text()
    except FileNotFoundError as missing:
        raise UsageError(
            "this tdlab was installed without its lock file, which says what is to be sent",
            remedy="deploy from a checkout, or give the machines' Python tdlab's packages: --python PATH",
        ) from missing
    target = {
        "python_version": version,
        "python_full_version": f"{version}.0",
        "sys_platform": "linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    kept = []
    for name, lines in environments.requirements(text).items():
        # Pins for several Pythons stand one after another.
        for pin in re.split(rf"^(?={re.escape(name)}==)", lines, flags=re.MULTILINE):
            marker = Requirement(pin.splitlines()[0].rstrip("\\").strip()).marker if pin else None
            if pin and name not in _NOT_SENT and (marker is None or marker.evaluate(target)):
                kept.append(re.sub(r" ; [^\\]+", " ", pin, count=1))
    return "".join(kept)


def _fetch(version: str, lock: str, place: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=_NEW, dir=place.parent) as scratch:
        new, file = Path(scratch, "packages"), Path(scratch, "lock")
        file.write_text(lock)
        words = [*environments.PIP, "--only-binary=:all:", "--implementation", "cp"]
        # The lock was made for all of them; pip would look at the Python that it runs on.
        words += ["--ignore-requires-python"]
        words += ["--python-version", version, *(f"--platform={one}" for one in _GLIBC)]
        try:
            process.run(
                [sys.executable, *words, "--target", str(new), "--requirement", str(file)],
                timeout=_FETCH_SECONDS,
            )
        except ProcessError as failed:
            raise InfrastructureError(
                f"the Python packages for Python {version} cannot be had: {_told(failed)}",
                remedy="this machine needs PyPI for it, once; the machines of the room do not",
            ) from failed
        # They would start by this machine's Python.
        shutil.rmtree(new / "bin", ignore_errors=True)
        for name in _NOT_RUN:
            for found in [one for one in new.glob(f"*/**/{name}") if one.is_dir()]:
                shutil.rmtree(found, ignore_errors=True)
        new.rename(place)


def _told(failed: ProcessError) -> str:
    lines = [line for line in failed.stderr.splitlines() if line.startswith("ERROR:")]
    return lines[-1].removeprefix("ERROR: ") if lines else "pip gave no reason"
