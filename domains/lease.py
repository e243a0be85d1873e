"""One measuring run a host at a time: two would measure each other.

The lease is held on the host that is measured, so that it does not matter from where, by whom and under which
name somebody else wants it. It ends with the process that holds it, and with the connection to the host.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import select
import shlex
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from domains import hosts, leaseholder, process, wait
from domains.errors import DeadlineExceeded, InfrastructureError, UsageError
from domains.host import Host
from domains.process import Child

# Under this name a host holds its own lease, whoever wants it.
_THERE = hosts.LOCALHOST
# A connection takes as long as ssh's own limits allow; a host may be slow to start Python.
_ANSWER_SECONDS = 40
_BEAT_SECONDS = leaseholder.SILENCE_SECONDS / 4
_END_SECONDS = 5
_SHOWN = 80


class HeldError(UsageError):
    """Somebody else measures there."""


class UnreachedError(InfrastructureError):
    """The host could not be asked; carries what SSH said."""


class HungError(UnreachedError):
    """The host takes a connection, and says nothing."""


class BrokenError(InfrastructureError):
    """The connection to the host broke while it was held."""


@dataclass
class Lease:
    """What is held on a host; ``broke`` says that a connection ended which it depended on."""

    host: str

    far: list[Child] = field(default_factory=list)

    @property
    def broke(self) -> bool:
        """Return whether somebody else may have had the host meanwhile."""
        return any(one.poll() is not None for one in self.far)

    @contextlib.contextmanager
    def relied_on(self) -> Iterator[None]:
        """Say of what fails in a ``with`` block that the connection broke, where it did: the rest follows."""
        try:
            yield
        except InfrastructureError as why:
            if not self.broke:
                raise
            raise BrokenError(
                f"the connection to {self.host} broke: {why.problem}", remedy="use --resume when it is back"
            ) from why


@contextlib.contextmanager
def on(host: Host) -> Iterator[Lease]:
    """Hold all that measuring on a host needs for the length of a ``with`` block.

    Raises :class:`HeldError` when somebody else measures there, naming them,
    :class:`UnreachedError` when the host does not answer.
    """
    lease = Lease(host.name)
    with contextlib.ExitStack() as everything:
        # An emulated host works on this machine's processors: whoever measures here is measured with it.
        names = {host.name, hosts.LOCALHOST} if hosts.is_emulated(host) else {host.name}
        for name in sorted(names):
            everything.enter_context(held(name))
        if host.ssh and not hosts.is_emulated(host):
            lease.far.append(everything.enter_context(_held_there(host)))
        yield lease


@contextlib.contextmanager
def held(host: str) -> Iterator[None]:
    """Hold the lease of a host on this machine, by its name, for the length of a ``with`` block.

    Raises :class:`HeldError` when somebody else holds it.
    """
    try:
        lease = leaseholder.take(host, _note())
    except leaseholder.TakenError as taken:
        raise _refusal(host, str(taken)) from taken
    try:
        yield
    finally:
        lease.give_back()


@contextlib.contextmanager
def _held_there(host: Host) -> Iterator[Child]:
    """Hold a host's own lease, by a process on it that ends with the connection."""
    program = Path(leaseholder.__file__).read_text(encoding="utf-8")
    words = host.argv(["python3", "-c", program, _THERE, _note()])
    with process.started(words, stdin=True) as child:
        answer = _answer(host, child)
        if answer.startswith(leaseholder.TAKEN):
            raise _refusal(host.name, answer.removeprefix(leaseholder.TAKEN))
        ending = threading.Event()
        beating = threading.Thread(target=_beat, args=(child, ending), daemon=True)
        beating.start()
        try:
            yield child
        finally:
            ending.set()
            beating.join()
            _end(child)


def _answer(host: Host, child: Child) -> str:
    """Return what the process on a host says first, past what a profile may print."""
    assert child.stdout is not None  # noqa: S101 (it was started with pipes)
    assert child.stderr is not None  # noqa: S101
    end, said = time.monotonic() + _ANSWER_SECONDS, b""
    while select.select([child.stdout], [], [], max(0, end - time.monotonic()))[0]:
        came = os.read(child.stdout.fileno(), 65_536)
        said = (said + came)[-65_536:]
        for line in said.decode(errors="replace").splitlines(keepends=True):
            if line.startswith((leaseholder.HELD, leaseholder.TAKEN)) and line.endswith("\n"):
                return line.rstrip("\n")
        if not came:
            complaint = child.stderr.read().strip() or f"it ended with status {child.wait()}"
            raise UnreachedError(
                f"{host.name} cannot be held for measuring: {complaint.splitlines()[-1]}",
                # Its name alone would not say by which port, key and options.
                remedy=f"does this work? {shlex.join(host.ssh or ())} python3 --version",
            )
    raise HungError(
        f"{host.name} did not answer within {_ANSWER_SECONDS} s: it hangs",
        remedy="restart it, or leave it out",
    )


def _beat(child: Child, ending: threading.Event) -> None:
    """Write now and then, so that the process on the host knows that this end is there."""
    assert child.stdin is not None  # noqa: S101
    while not ending.wait(_BEAT_SECONDS):
        try:
            child.stdin.write(".")
            child.stdin.flush()
        except OSError:
            return


def _end(child: Child) -> None:
    """Have the process on the host end by itself: then the lease is back when the next command wants it."""
    assert child.stdin is not None  # noqa: S101
    with contextlib.suppress(OSError):
        child.stdin.close()
    with contextlib.suppress(DeadlineExceeded):
        wait.until(lambda: child.poll() is not None, waiting_for="the end of a lease", deadline=_END_SECONDS)


def _note() -> str:
    """Return who we are, for whoever finds the host held."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.geteuid())
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"who": f"{user}@{socket.gethostname()}"[:_SHOWN], "since": since})


def _refusal(host: str, note: str) -> HeldError:
    return HeldError(
        f"another tdlab measures on {host}{_holder(note)}, and the two would measure each other",
        remedy="wait until it has ended, then try again",
    )


def _holder(note: str) -> str:
    """Return who holds a host and since when, as far as they said so: anybody can hold a name."""
    try:
        said = json.loads(note)
        who = "".join(letter for letter in str(said["who"])[:_SHOWN] if letter.isprintable())
        since = datetime.fromisoformat(said["since"]).astimezone()
    except (ValueError, KeyError, TypeError, OverflowError):
        return ""
    return f" ({who}, since {since:%Y-%m-%d %H:%M})"
