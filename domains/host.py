"""A host: where guests run and programs are started, here or over SSH."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from domains import process
from domains.hypervisor import LOCAL_URI
from domains.process import Completed

_GRACE_SECONDS = 2


@dataclass(frozen=True)
class Host:
    """A lab host: its name, its libvirt, and how it is reached (``ssh`` is None for this machine)."""

    name: str = "localhost"
    uri: str = LOCAL_URI
    ssh: tuple[str, ...] | None = None

    def run(self, argv: Sequence[str], *, timeout: float, check: bool = True) -> Completed:
        """Run a program on the host to its end; errors as in :func:`domains.process.run`.

        It ends a little after ``timeout`` even if this process is killed and nobody waits for it any more:
        an iperf3 whose guest is gone would take a whole core for ever.
        """
        bounded = ["timeout", "--signal=KILL", f"{timeout + _GRACE_SECONDS:g}", *argv]
        return process.run(self.argv(bounded), timeout=timeout, check=check)

    def argv(self, argv: Sequence[str]) -> list[str]:
        """Return the words to start here so that ``argv`` runs on the host."""
        if self.ssh is None:
            return list(argv)
        return [*self.ssh, "LC_ALL=C " + shlex.join(argv)]

    def read(self, path: str) -> str | None:
        """Return the text of a file on the host, or None when it cannot be read."""
        done = self.run(["cat", path], timeout=10, check=False)
        return done.stdout if done.status == 0 else None
