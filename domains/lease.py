"""One measuring run a host at a time: two would measure each other."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterator

from domains.errors import UsageError


@contextlib.contextmanager
def held(host: str) -> Iterator[None]:
    """Hold the lease of a host, by its name, for the length of a ``with`` block.

    The lease is a name in Linux's abstract socket space: all users share it, it leaves no file, and it goes
    with the process that holds it, however that dies. Raises :class:`UsageError` when somebody else holds it.
    """
    with socket.socket(socket.AF_UNIX) as lease:
        try:
            lease.bind(f"\0tdlab-measures-{host}")
        except OSError as taken:
            if taken.errno != errno.EADDRINUSE:
                raise
            raise UsageError(
                f"another tdlab measures on {host}, and the two would measure each other",
                remedy="wait until it has ended, then try again",
            ) from taken
        yield
