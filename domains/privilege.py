"""Whether this user may do what only root may: as root, or through sudo where it asks for nothing."""

from __future__ import annotations

import os
import pwd

from domains import process


def as_root() -> tuple[str, ...] | None:
    """Return the words to put before a command that needs root (none for root itself), or None: it cannot be.

    Never asks for a password: a tool that waits for one unseen looks like a tool that hangs.
    """
    if os.geteuid() == 0:
        return ()
    if process.found("sudo") and process.run(["sudo", "-n", "true"], timeout=10, check=False).status == 0:
        return ("sudo", "-n")
    return None


def user_name() -> str | None:
    """Return the name of the user that this process runs as; None where it has a number only (containers)."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None
