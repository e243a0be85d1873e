"""The student's own key, with which submissions are signed; made once, and never handed in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import filelock

from domains import paths, process

NAMESPACE = "tdlab-submission"
_SECONDS = 30


def mine() -> Path:
    """Return this user's private key, making it when there is none; its public half stands beside it."""
    folder = paths.state() / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    key = folder / "student"
    with filelock.FileLock(folder / ".lock"):
        if not key.exists():
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                made = Path(scratch, key.name)
                words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tdlab", "-f", str(made))
                process.run(words, timeout=_SECONDS)
                # The public half first: where the key is, both are.
                for half in (made.with_name(f"{key.name}.pub"), made):
                    half.replace(folder / half.name)
    return key


def public(key: Path) -> str:
    """Return the public half of a key in one line."""
    return key.with_name(f"{key.name}.pub").read_text(encoding="ascii").strip()


def sign(key: Path, content: bytes, folder: Path) -> str:
    """Return the SSH signature (armoured) of some bytes; ``folder`` is for what ssh-keygen must read."""
    file = folder / "signed"
    file.write_bytes(content)
    process.run(["ssh-keygen", "-q", "-Y", "sign", "-n", NAMESPACE, "-f", key, file], timeout=_SECONDS)
    return (folder / "signed.sig").read_text(encoding="ascii")
