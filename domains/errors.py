"""Every error that tdlab raises on purpose.

::

    TdlabError                      what happened, what to do next
    ├── UsageError                  exit 2: the question was wrong
    │   └── InputError              ... at a file, line and column
    └── InfrastructureError         exit 3: the host, libvirt, QEMU, a guest or the network broke
        ├── ProcessError            a program failed; carries argv, status, stdout, stderr
        ├── DeadlineExceeded        a named wait ran out of time
        ├── CapabilityMissing       this host cannot do what was asked
        ├── HypervisorError         libvirt said no
        └── GuestError              the guest, or its agent, said no

FAIL is the student's, ERROR is ours: none of these is ever turned into a student's failure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

EXIT_DONE = 0
EXIT_CHECKS_FAILED = 1
EXIT_USAGE = 2
EXIT_INFRASTRUCTURE = 3
EXIT_PARTLY_DONE = 4
EXIT_INTERRUPTED = 130


@dataclass(frozen=True)
class Position:
    """A place in an input file; line and column count from 1, as editors do."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class TdlabError(Exception):
    """What happened and, when it is known, what to do next."""

    exit_code = EXIT_INFRASTRUCTURE

    def __init__(self, problem: str, *, remedy: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}\n  {self.remedy}" if self.remedy else self.problem


class UsageError(TdlabError):
    """The command, its options or its input cannot be carried out as asked."""

    exit_code = EXIT_USAGE


class InputError(UsageError):
    """An input file is wrong at a known place."""

    def __init__(self, problem: str, *, where: Position, remedy: str | None = None) -> None:
        super().__init__(problem, remedy=remedy)
        self.where = where

    def __str__(self) -> str:
        return f"{self.where}: {super().__str__()}"


class InfrastructureError(TdlabError):
    """Ours, never the student's: the machine, libvirt, QEMU, a guest or the network broke."""


class ProcessError(InfrastructureError):
    """A program ended with a status that was not expected."""

    def __init__(
        self, argv: Sequence[str], status: int, stdout: str, stderr: str, *, remedy: str | None = None
    ):
        self.argv = tuple(argv)
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        last = (stderr.strip() or stdout.strip()).splitlines()[-1:]
        said = f": {last[0]}" if last else ""
        super().__init__(f"{self.argv[0]} ended with status {status}{said}", remedy=remedy)


class DeadlineExceeded(InfrastructureError):
    """A named wait did not come true in time."""

    def __init__(self, waited_for: str, seconds: float, *, remedy: str | None = None) -> None:
        self.waited_for = waited_for
        self.seconds = seconds
        super().__init__(f"waited {seconds:g} s for {waited_for}, in vain", remedy=remedy)


class CapabilityMissing(InfrastructureError):
    """This host cannot do what was asked; cause and remedy say why and what would help."""


class HypervisorError(InfrastructureError):
    """libvirt refused or failed."""


class GuestError(InfrastructureError):
    """A command inside the guest failed, or its agent did not answer."""
