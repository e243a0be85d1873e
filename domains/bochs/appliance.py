"""The running appliance: boot it, give it programs, and get their answers over its serial line."""

from __future__ import annotations

import base64
import contextlib
import json
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domains.bochs import contents, image, machine, serial
from domains.bochs.image import ApplianceImage, Say
from domains.errors import GuestError, InfrastructureError, ProcessError

# It boots in 17 to 25 s on a free core; a slow laptop that does other things takes several times that.
READY_SECONDS = 300.0
PROGRAM_SECONDS = 180.0
_SEND_SECONDS = 60.0


@dataclass(frozen=True)
class Answer:
    """What a program did inside the appliance.

    ``guest_seconds`` are the emulated clock's: instructions divided by
    :data:`~domains.bochs.contents.INSTRUCTIONS_PER_SECOND`. ``parameters`` are kvm_intel's as the kernel
    showed them while the program ran; empty when the module was not loaded.
    """

    program: str
    arguments: tuple[str, ...]
    status: int
    stdout: str
    stderr: str
    guest_seconds: float
    seconds: float
    parameters: Mapping[str, str]
    kernel_log: str

    def json(self) -> dict[str, Any]:
        """Return what the program printed, read as one JSON object; it must have ended well."""
        if self.status != 0:
            raise ProcessError((self.program, *self.arguments), self.status, self.stdout, self.stderr)
        try:
            found = json.loads(self.stdout)
        except ValueError as broken:
            raise GuestError(
                f"{self.program} in the appliance printed no JSON: {self.stdout[:80]!r}"
            ) from broken
        if not isinstance(found, dict):
            raise GuestError(f"{self.program} in the appliance printed no object: {self.stdout[:80]!r}")
        return found


class Appliance:
    """An Intel machine with VMX, ready for programs. Made by :func:`running`."""

    def __init__(
        self,
        emulator: str,
        release: str,
        folder: Path,
        line: serial.SerialLine,
        child: machine.Emulator,
        ready: float,
    ) -> None:
        self.emulator = emulator
        self.release = release
        self.folder = folder
        self.seconds_to_ready = ready
        self._line = line
        self._child = child

    def run(
        self,
        program: Path,
        arguments: Sequence[str] = (),
        *,
        beside: Sequence[Path] = (),
        parameters: Mapping[str, str] | None = None,
        kernel_log: bool = False,
        deadline: float = PROGRAM_SECONDS,
    ) -> Answer:
        """Run a program in Python inside the appliance, to its end, and return what it did.

        ``beside`` are files that it imports. With ``parameters``, kvm_intel is loaded with exactly these,
        anew if it has others. With ``kernel_log``, the answer holds what the kernel said meanwhile.
        Raises :class:`DeadlineExceeded` after ``deadline`` seconds of this machine, :class:`GuestError` when
        the appliance stops; a program that fails is an answer.
        """
        request = {
            "files": {file.name: _packed(file) for file in (program, *beside)},
            "program": program.name,
            "arguments": list(arguments),
            "parameters": None if parameters is None else dict(parameters),
            "kernel_log": kernel_log,
        }
        began = time.monotonic()
        self._line.send(request, check=self._check, deadline=_SEND_SECONDS)
        name = f"{program.name} in the Intel appliance"
        said = self._line.receive(check=self._check, waiting_for=name, deadline=deadline)
        return Answer(
            program=program.name,
            arguments=tuple(arguments),
            status=said["status"],
            stdout=said["stdout"],
            stderr=said["stderr"],
            guest_seconds=said["seconds"],
            seconds=time.monotonic() - began,
            parameters=said["parameters"],
            kernel_log=said["kernel_log"],
        )

    def _check(self) -> None:
        _check(self._child, self.folder)


@contextlib.contextmanager
def running(
    folder: Path, say: Say = lambda _: None, *, made: ApplianceImage | None = None
) -> Iterator[Appliance]:
    """Boot the appliance and have it for the length of the block; it takes one core the whole time.

    ``folder`` exists and gets Bochs's files: console.log (the kernel inside), bochs.log, screen.log.
    ``made`` is the image, made or found when it is not given. Raises :class:`CapabilityMissing` where it
    cannot be had, :class:`DeadlineExceeded` when it does not boot, :class:`GuestError` when it stops.
    """
    have = made or image.build(say)
    say(f"booting {machine.emulator_name(have)} with Linux {have.release}; this takes some 20 s")
    with serial.opened() as line:
        began = time.monotonic()
        with machine.started(have, folder, line.name) as child:
            said = line.receive(
                check=lambda: _check(child, folder),
                waiting_for="the Intel appliance to boot",
                deadline=READY_SECONDS,
            )
            ready = time.monotonic() - began
            say(f"the Intel appliance is ready after {ready:.0f} s")
            yield Appliance(machine.emulator_name(have), said["release"], folder, line, child, ready)


def _check(child: machine.Emulator, folder: Path) -> None:
    """Raise when there is no use in waiting any longer: Bochs ended, or the kernel in it did."""
    said = machine.last_words(folder)
    if child.poll() is None and "Kernel panic" not in said:
        return
    log = folder / machine.CONSOLE
    raise GuestError(
        f"the Intel appliance stopped: {said or 'Bochs ended without a word'}",
        remedy=f"see {log} and {folder / machine.LOG}",
    )


def _packed(file: Path) -> str:
    try:
        return base64.b64encode(zlib.compress(file.read_bytes(), 9)).decode()
    except FileNotFoundError as missing:
        raise InfrastructureError(f"{file} is missing, and the appliance was to run it") from missing


CLOCK = (
    f"the emulated clock counts instructions, {contents.INSTRUCTIONS_PER_SECOND:,} a second: "
    "its times are never to be compared with those of hardware"
)
