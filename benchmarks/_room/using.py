"""The command line on a room of machines, as a teacher uses it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks._room.room import Machine
from domains import process

LAB = "first-vm"
_SECONDS = 600
# The machines have no QEMU of their own, and this Python has all that tdlab needs.
_CHOSEN = ("--no-lab-host", "--no-image", "--python", sys.executable)


def inventory(machines: Iterable[Machine], key: Path, file: Path, **more: object) -> Path:
    """Write an inventory of Ansible's own: a student at each machine."""
    hosts = {
        one.name: {"ansible_host": one.address, "tdlab_students": [f"Élève {one.name}"]} for one in machines
    }
    common = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(key),
        "tdlab_account": "student",
        **more,
    }
    file.write_text(json.dumps({"all": {"children": {"b12": {"hosts": hosts, "vars": common}}}}))
    return file


def tdlab(*words: object) -> process.Completed:
    """Run a command to its end, whatever it ends with."""
    return process.run(argv(*words), timeout=_SECONDS, check=False)


def argv(*words: object) -> list[str]:
    """Return the words that start a command."""
    return [sys.executable, "-m", "grader", *map(str, words)]


def deploying(file: Path, *words: str) -> list[str]:
    """Return the words that start a deployment to machines of :func:`inventory`."""
    return argv("deploy", LAB, "-i", file, *_CHOSEN, *words)


def deploy(file: Path, *words: str) -> process.Completed:
    """Deploy, whatever comes of it."""
    return process.run(deploying(file, *words), timeout=_SECONDS, check=False)


def hosts(done: process.Completed) -> list[dict[str, Any]]:
    """Return the machines that ``--json`` told of in the end."""
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["hosts"]
    return found
