"""Hold a name of Linux's abstract sockets, and tell whoever wants it who has it.

All users share these names, they leave no file, and one goes with the process that holds it, however that
dies. Hosts that are measured over SSH are sent this file as it stands, so it needs nothing but Python 3.6.
"""

import errno
import os
import select
import socket
import sys
import threading

_PREFIX = "\0tdlab-measures-"
LONGEST_NOTE = 1000
# What is said first on a line: somebody's profile may print lines of its own.
HELD, TAKEN = "tdlab-lease held", "tdlab-lease taken "
# Who holds a host over SSH writes more often than this; then a connection that is cut is noticed here too.
SILENCE_SECONDS = 60


class TakenError(Exception):
    """Somebody else has the name; carries what they say of themselves, or nothing."""


class Held:
    """A name that this process has; ``note`` (at most 1,000 bytes) is told to whoever asks."""

    def __init__(self, lease: socket.socket, note: str) -> None:
        self._lease = lease
        self._note = note.encode()[:LONGEST_NOTE]
        self._answering = threading.Thread(target=self._answer, daemon=True)
        self._answering.start()

    def give_back(self) -> None:
        """Give the name back: nobody holds it when this returns."""
        # Closing alone would leave it with the thread for as long as that waits for callers.
        self._lease.shutdown(socket.SHUT_RDWR)
        self._answering.join()
        self._lease.close()

    def _answer(self) -> None:
        while True:
            try:
                caller, _ = self._lease.accept()
            except OSError:
                return
            with caller:
                try:
                    caller.settimeout(2)
                    caller.sendall(self._note)
                except OSError:
                    pass


def take(name: str, note: str) -> Held:
    """Take a name; raises TakenError."""
    lease = socket.socket(socket.AF_UNIX)
    try:
        lease.bind(_PREFIX + name)
    except OSError as why:
        lease.close()
        if why.errno != errno.EADDRINUSE:
            raise
        raise TakenError(_asked(name)) from why
    lease.listen(16)
    return Held(lease, note)


def _asked(name: str) -> str:
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(2)
        try:
            asking.connect(_PREFIX + name)
            return asking.recv(LONGEST_NOTE).decode("utf-8", "replace")
        except OSError:
            return ""


def main(name: str, note: str) -> None:
    """Hold a name for as long as something comes on the standard input now and then."""
    try:
        take(name, note)
    except TakenError as taken:
        print(TAKEN + " ".join(str(taken).split()), flush=True)
        return
    print(HELD, flush=True)
    while select.select([0], [], [], SILENCE_SECONDS)[0] and os.read(0, 4096):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
