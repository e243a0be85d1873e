"""An emulated lab host that is up, and the command line as one has it who made it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains import hypervisor, process, store

# From nothing: QEMU is built, an image is made, a machine boots and is provisioned, all on a busy CI machine.
UP_SECONDS = 3000
COMMAND_SECONDS = 900


@dataclass(frozen=True)
class LabHost:
    """An emulated host that is up, and how tdlab is called so that it knows of it."""

    name: str
    state: Path
    told: dict[str, Any]

    def tdlab(self, *words: str, check: bool = True, timeout: float = COMMAND_SECONDS) -> process.Completed:
        """Run a command of tdlab to its end."""
        return tdlab(self.state, *words, check=check, timeout=timeout)

    def shell(self, script: str) -> str:
        """Run a script on the host, as root, and return what it printed."""
        return self.tdlab("host", "ssh", self.name, "--", script).stdout

    @property
    def ssh_config(self) -> Path:
        """What ssh needs to know of the host."""
        return self.state / "tdlab/hosts" / self.name / "ssh_config"


def tdlab(
    state: Path, *words: str, timeout: float = COMMAND_SECONDS, check: bool = True
) -> process.Completed:
    """Run a command of tdlab whose notes are kept in a folder."""
    return process.run(
        [sys.executable, "-m", "grader", *words],
        timeout=timeout,
        check=check,
        env={"XDG_STATE_HOME": str(state)},
    )


def left_over(name: str) -> set[str]:
    """Return what is on this machine of an emulated host: machine, networks, volumes, bridges."""
    with hypervisor.connected() as connection:
        there = {machine.name for machine, _ in connection.machines()} | set(connection.networks())
        there |= set(store.pool(connection).volumes())
    return {one for one in there if f"host-{name}" in one}


@contextlib.contextmanager
def up(state: Path) -> Iterator[LabHost]:
    """Have an emulated host up for the length of a ``with`` block; nothing of it is left afterwards."""
    name = f"test-{os.getpid()}"
    done = tdlab(state, "host", "up", "--emulated", name, "--json", timeout=UP_SECONDS)
    try:
        yield LabHost(name, state, json.loads(done.stdout))
    finally:
        tdlab(state, "host", "down", name, "--forget")
    assert left_over(name) == set()
