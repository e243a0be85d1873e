"""The only place that starts programs: argv lists, a time-out for each, and no shell."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from domains.errors import CapabilityMissing, DeadlineExceeded, InfrastructureError, ProcessError

# A running program, as started() lends it.
Child: TypeAlias = subprocess.Popen[str]

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Completed:
    """What a program did: its status, what it printed, and how long it took in seconds."""

    argv: tuple[str, ...]
    status: int
    stdout: str
    stderr: str
    seconds: float


def run(
    argv: Sequence[str | Path],
    *,
    timeout: float,
    check: bool = True,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: IO[bytes] | None = None,
) -> Completed:
    """Run a program to its end and return what it printed.

    ``env`` is added to this process's environment; messages are asked for in the C locale so that they can
    be read by program. A program that leaves a daemon behind needs a ``log``: the daemon keeps its output
    open, and a pipe would not end with the program. Raises :class:`ProcessError` on a non-zero status unless
    ``check`` is false, :class:`DeadlineExceeded` after ``timeout`` seconds (the whole process group is
    killed), and :class:`CapabilityMissing` when the program is not installed.
    """
    words = tuple(str(word) for word in argv)
    began = time.monotonic()
    with started(words, env=env, cwd=cwd, stdin=stdin is not None, log=log) as child:
        try:
            stdout, stderr = child.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as late:
            raise DeadlineExceeded(" ".join(words[:3]), timeout) from late
    done = Completed(words, child.returncode, stdout or "", stderr or "", time.monotonic() - began)
    if check and done.status != 0:
        raise ProcessError(words, done.status, stdout, stderr)
    return done


@contextlib.contextmanager
def started(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bool = False,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Own a running program for the length of a ``with`` block; on leaving, its process group is gone.

    With ``log``, an open file, all that the program prints goes there, and nobody needs to read its pipes.
    """
    words = [str(word) for word in argv]
    try:
        child = subprocess.Popen(
            words,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=log or subprocess.PIPE,
            stderr=subprocess.STDOUT if log else subprocess.PIPE,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C", **(env or {})},
            cwd=cwd,
            start_new_session=True,
        )
    except FileNotFoundError as missing:
        if cwd and not cwd.is_dir():
            raise InfrastructureError(f"{words[0]} cannot run in {cwd}: the folder is gone") from missing
        raise CapabilityMissing(
            f"{words[0]} is not installed on this host", remedy="run ./tdlab once as root to set this host up"
        ) from missing
    try:
        yield child
    finally:
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe and not pipe.closed:
                pipe.close()


def passthrough(argv: Sequence[str | Path], *, env: Mapping[str, str] | None = None) -> int:
    """Run a program on this terminal, as a shell would, and return its exit status."""
    words = [str(word) for word in argv]
    return subprocess.run(words, env={**os.environ, **(env or {})}, check=False).returncode


def end_with(parent: int) -> None:
    """Let the kernel kill this process when ``parent``, which started it, ends: by kill -9, or however.

    A process that is inside of a library cannot notice by itself. Source: prctl(2), PR_SET_PDEATHSIG.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It had ended before the kernel was told of it.
        os._exit(1)


def found(program: str) -> Path | None:
    """Return the path of a program, looking also where only root's PATH does."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    where = shutil.which(program, path=path)
    return Path(where) if where else None
