"""A browser for the tests of pages: Chromium, where the archive has it as a package (Ubuntu has a snap)."""

from __future__ import annotations

import os
from pathlib import Path

from domains import privilege, process
from domains.errors import InfrastructureError
from domains.setup.phases import Phases, Step, say

PACKAGE = "chromium"
PROGRAMS = (PACKAGE, "chromium-headless-shell", "google-chrome")


def find() -> Path | None:
    """Return the program of a browser that runs without a screen, or None."""
    return next((found for name in PROGRAMS if (found := process.found(name))), None)


def ensure(logs: Path) -> None:
    """Install a browser where there is none, or say why that cannot be; the tests then say so too."""
    if find():
        return
    if is_ubuntu():
        say(f"no browser is installed and the archive has no {PACKAGE}: pages are tested without one")
        return
    become = privilege.as_root()
    if become is None:
        say(f"no browser is installed: the tests of pages need one (sudo apt-get install {PACKAGE})")
        return
    apt = [*become, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes"]
    apt += ["--option", "DPkg::Lock::Timeout=600"]
    phases = Phases(logs)
    try:
        phases.side_by_side(Step("Asking the Debian archive what is new", [*apt, "update"]))
        install = [*apt, "install", "--no-install-recommends", PACKAGE]
        phases.side_by_side(Step("Installing a browser for the tests of pages", install))
    except InfrastructureError as bad:
        # The other tests need none.
        say(f"{bad}\n  pages are tested without a browser")


def is_ubuntu() -> bool:
    """Return whether this is Ubuntu, whose Chromium is a snap and runs in no container."""
    try:
        return "ubuntu" in Path("/etc/os-release").read_text(encoding="utf-8").casefold()
    except OSError:
        return False


def is_required() -> bool:
    """Return whether tests may not do without a browser: in continuous integration, where set-up has one."""
    return bool(os.environ.get("CI")) and not is_ubuntu()
