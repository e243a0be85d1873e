"""Commands inside a guest over SSH: for images without a guest agent."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from domains import process
from domains.errors import GuestError, ProcessError
from domains.guest import Guest
from domains.hypervisor import Machine
from domains.process import Completed

_CONNECT_SECONDS = 10
# ssh's own status when it is the connection that failed, and not the program at its other end.
_NO_CONNECTION = 255


class SshGuest(Guest):
    """Runs commands as root inside a guest whose SSH server has a key that we gave it."""

    channel: ClassVar[Literal["agent", "ssh"]] = "ssh"

    def __init__(
        self, machine: Machine, address: str, key: Path, known_hosts: Path, *, port: int = 22
    ) -> None:
        super().__init__(machine)
        self._ssh = (
            *("ssh", "-F", "none", "-T", "-p", str(port), "-i", str(key)),
            *("-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", f"ConnectTimeout={_CONNECT_SECONDS}"),
            *("-o", "StrictHostKeyChecking=yes", "-o", f"UserKnownHostsFile={shlex.quote(str(known_hosts))}"),
            *("-o", "GlobalKnownHostsFile=none", "-o", "LogLevel=ERROR", f"root@{address}"),
        )

    def run(self, argv: Sequence[str], *, timeout: float = 30, check: bool = True) -> Completed:
        """Run a program in the guest to its end and return what it printed.

        Raises as :meth:`Guest.run` does: :class:`GuestError` when it is SSH that does not answer.
        """
        words = tuple(argv)
        done = process.run([*self._ssh, shlex.join(words)], timeout=timeout, check=False)
        if done.status == _NO_CONNECTION:
            said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise GuestError(f"no SSH connection to {self.machine.name}: {said}")
        if check and done.status != 0:
            raise ProcessError(words, done.status, done.stdout, done.stderr)
        return Completed(words, done.status, done.stdout, done.stderr, done.seconds)


def known_hosts(address: str, host_key: str, to: Path, *, port: int = 22) -> Path:
    """Write the file by which SSH knows a guest: its address, and the public key that we gave it."""
    where = address if port == 22 else f"[{address}]:{port}"
    kind, key, *_ = host_key.split()
    to.write_text(f"{where} {kind} {key}\n")
    return to
