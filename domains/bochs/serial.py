"""The appliance's serial line, seen from this side: a pseudo-terminal that carries lines of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import tty
from collections.abc import Callable, Iterator
from typing import Any

from domains import wait
from domains.errors import GuestError


class SerialLine:
    """Whole messages, one a line, to and from the appliance. Made by :func:`opened`."""

    def __init__(self, master: int, name: str) -> None:
        self.name = name
        self._master = master
        self._waiting = b""

    def send(self, message: dict[str, Any] | None, *, check: Callable[[], None], deadline: float) -> None:
        """Send one message; the emulated line takes some 5,000 characters a second.

        ``check`` raises when there is nobody left to read; :class:`DeadlineExceeded` after ``deadline`` s.
        """
        left = json.dumps(message).encode() + b"\n"

        def sent() -> bool:
            nonlocal left
            check()
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._master, left) :]
            return not left

        wait.until(sent, waiting_for="the appliance to take a request", deadline=deadline)

    def receive(self, *, check: Callable[[], None], waiting_for: str, deadline: float) -> dict[str, Any]:
        """Return the next message. Errors as for :meth:`send`; :class:`GuestError` when it is no message."""

        def line() -> bytes | None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    self._waiting += os.read(self._master, 65536)
                    if b"\n" in self._waiting:
                        break
            whole, end, rest = self._waiting.partition(b"\n")
            if not end:
                check()
                return None
            self._waiting = rest
            return whole

        text = wait.until(line, waiting_for=waiting_for, deadline=deadline)
        try:
            message = json.loads(text)
        except ValueError as broken:
            raise GuestError(f"the appliance answered with what is no JSON: {text[:80]!r}") from broken
        if not isinstance(message, dict):
            raise GuestError(f"the appliance answered {text[:80]!r}, which is no object")
        return message


@contextlib.contextmanager
def opened() -> Iterator[SerialLine]:
    """Have a pseudo-terminal whose other end, by ``name``, an emulator can take for its serial line."""
    master, slave = pty.openpty()
    try:
        tty.setraw(slave)
        os.set_blocking(master, False)
        yield SerialLine(master, os.ttyname(slave))
    finally:
        os.close(slave)
        os.close(master)
