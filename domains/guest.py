"""Commands inside a guest, through its agent: no network, no SSH, no login."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from domains import wait
from domains.errors import GuestError, ProcessError
from domains.hypervisor import Machine
from domains.process import Completed


class Guest:
    """Runs commands inside a guest whose agent answers."""

    # How the guest is reached, as a report names it.
    channel: ClassVar[Literal["agent", "ssh"]] = "agent"

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def run(self, argv: Sequence[str], *, timeout: float = 30, check: bool = True) -> Completed:
        """Run a program in the guest to its end and return what it printed.

        Raises :class:`ProcessError` on a non-zero status unless ``check`` is false, :class:`DeadlineExceeded`
        after ``timeout`` seconds, :class:`GuestError` when the agent does not answer.
        """
        words = tuple(argv)
        started = self.machine.agent(
            "guest-exec", {"path": words[0], "arg": list(words[1:]), "capture-output": True}, timeout=timeout
        )
        pid = {"pid": started["pid"]}

        def ended() -> dict[str, Any] | None:
            status: dict[str, Any] = self.machine.agent("guest-exec-status", pid, timeout=timeout)
            return status if status["exited"] else None

        # The agent has no event for the end of a program: asking is the only way.
        name = f"{words[0]} in {self.machine.name}"
        status = wait.until(ended, waiting_for=name, deadline=timeout, interval=0.005)
        done = Completed(
            words, _exit_status(status), _text(status, "out-data"), _text(status, "err-data"), seconds=0.0
        )
        if check and done.status != 0:
            raise ProcessError(words, done.status, done.stdout, done.stderr)
        return done

    def shell(self, script: str, *, timeout: float = 30) -> str:
        """Run a line of shell in the guest, ours and never a student's, and return what it printed."""
        return self.run(["/bin/sh", "-c", script], timeout=timeout).stdout

    def driver(self, interface: str = "eth0") -> str:
        """Return the name of the kernel driver bound to a network interface, as the guest sees it."""
        target = self.shell(f"readlink -f /sys/class/net/{interface}/device/driver").strip()
        if not target:
            raise GuestError(f"{interface} in {self.machine.name} has no driver")
        return target.rsplit("/", 1)[-1]


def _exit_status(status: dict[str, Any]) -> int:
    return int(status["exitcode"]) if "exitcode" in status else -int(status.get("signal", 0))


def _text(status: dict[str, Any], key: str) -> str:
    return base64.b64decode(status.get(key, "")).decode(errors="replace")
