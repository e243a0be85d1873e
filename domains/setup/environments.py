"""The virtual environments that set-up makes from the lock files. Standard library only."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from domains.files import write_whole
from domains.setup.phases import Phases, Step

CHECKOUT = Path(__file__).resolve().parents[2]
LOCK = CHECKOUT / "requirements.lock"
DEV_LOCK = CHECKOUT / "requirements-dev.lock"
# Those that the lock file was made for.
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Compiled against the libvirt that the role installs, so it comes after the role.
COMPILED = frozenset({"libvirt-python"})
# What domains.provision needs: installed first, so that the rest comes while the role runs.
ANSIBLE = frozenset(
    [
        *("ansible-core", "ansible-runner", "cffi", "cryptography", "jinja2", "lockfile", "markupsafe"),
        *("packaging", "pexpect", "ptyprocess", "pycparser", "python-daemon", "pyyaml", "resolvelib"),
        "setuptools",
    ]
)
_NEVER_IMPORTED = "/(pip|setuptools|pkg_resources|ansible_test|tests?|testing)/"
# Bytecode is made at the first import, and most modules are never imported; locks are complete, so there is
# nothing to resolve; every file's hash is in the lock.
PIP = ["-P", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
PIP += ["--no-compile", "--require-hashes", "--retries", "2", "--timeout", "30"]


def requirements(lock: str) -> dict[str, str]:
    """Return name → its lines in a lock file: pins for several Pythons stay together, comments go."""
    found: dict[str, str] = {}
    name = ""
    for line in lock.splitlines():
        if pinned := re.match(r"([a-z0-9._-]+)==", line):
            name = pinned[1]
        if name and not line.startswith("#"):
            found[name] = found.get(name, "") + line + "\n"
    return found


def lock_digest(lock: Path) -> str:
    """Return a short word that changes with a lock file or with the Python that it is installed for."""
    python = f"{real_python()} {sys.version_info.major}.{sys.version_info.minor}"
    return hashlib.sha256(python.encode() + lock.read_bytes()).hexdigest()[:16]


def make(cache: Path, phases: Phases) -> Path:
    """Make an empty environment in a folder of its own and return it."""
    (cache / "venv").mkdir(parents=True, exist_ok=True)
    # A name that was never used: what a killed set-up left behind may still be written to by its pip.
    environment = Path(tempfile.mkdtemp(prefix=f"{lock_digest(LOCK)}-", dir=cache / "venv"))
    environment.chmod(0o755)
    phases.side_by_side(
        Step("Making a virtual environment", [real_python(), "-P", "-m", "venv", environment])
    )
    return environment


def ansible(environment: Path) -> Step:
    """Return the step that installs what the role needs."""
    return _pip("Installing Ansible", environment, _part(environment, "ansible", ANSIBLE))


def rest(environment: Path) -> Step:
    """Return the step that installs everything else that comes as a wheel."""
    others = frozenset(requirements(LOCK.read_text())) - ANSIBLE - COMPILED
    return _pip("Installing the other Python packages", environment, _part(environment, "rest", others))


def compiled(environment: Path) -> Step:
    """Return the step that compiles what must match this machine's libvirt."""
    lock = _part(environment, "compiled", COMPILED)
    return _pip("Compiling libvirt-python", environment, lock, "--no-build-isolation")


def dev(environment: Path) -> Step:
    """Return the step that installs what only the tests need."""
    return _pip("Installing what only the tests need", environment, DEV_LOCK)


def bytecode(environment: Path) -> Step:
    """Return the step that compiles what is installed, for a Python that keeps nothing that it compiles."""
    words = ["-P", "-m", "compileall", "-q", "-j", "0", "-x", _NEVER_IMPORTED]
    argv: list[str | Path] = [environment / "bin/python", *words, environment / "lib"]
    return Step("Compiling the Python packages", argv)


def find_complete(cache: Path) -> Path | None:
    """Return an environment of this lock and this Python that was made to its end, if there is one."""
    for marker in sorted((cache / "venv").glob(f"{lock_digest(LOCK)}-*/complete")):
        if os.access(marker.parent / "bin/python", os.X_OK):
            return marker.parent
    return None


def is_ours(environment: Path) -> bool:
    """Return whether set-up made this environment, to its end."""
    return (environment / "complete").exists()


def declare_complete(environment: Path) -> None:
    """Leave the mark without which an environment is not believed."""
    (environment / "complete").touch()


def dev_marker(environment: Path) -> Path:
    """Return the file whose existence says that what the tests need is installed."""
    return environment / f"dev-{hashlib.sha256(DEV_LOCK.read_bytes()).hexdigest()[:16]}"


def real_python() -> str:
    """Return the real interpreter, never a virtual environment's nor a version manager's shim."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def publish(environment: Path, pointer: Path) -> None:
    """Have the launcher find an environment by its key's file, from one moment to the next."""
    pointer.parent.mkdir(exist_ok=True)
    write_whole(pointer, f"{environment}\n")


def published(pointer: Path) -> Path | None:
    """Return the environment that the launcher would find there."""
    return Path(pointer.read_text().rstrip("\n")) if pointer.exists() else None


def sweep(cache: Path, keep: Path) -> None:
    """Remove environments that were never completed, and all but the two newest others."""
    others = [folder for folder in (cache / "venv").iterdir() if folder != keep]
    complete = [folder for folder in others if (folder / "complete").exists()]
    complete.sort(key=lambda folder: (folder / "complete").stat().st_mtime, reverse=True)
    for folder in [folder for folder in others if folder not in complete[:2]]:
        shutil.rmtree(folder, ignore_errors=True)


def _pip(title: str, environment: Path, lock: Path, *options: str) -> Step:
    return Step(title, [environment / "bin/python", *PIP, *options, "--requirement", lock])


def _part(environment: Path, name: str, names: frozenset[str]) -> Path:
    path = environment / f"{name}.lock"
    path.write_text("".join(text for key, text in requirements(LOCK.read_text()).items() if key in names))
    return path
