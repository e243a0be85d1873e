"""Bochs as a process: its configuration, and how it is started from the appliance's own folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from domains import process
from domains.bochs import contents
from domains.bochs.image import ApplianceImage

CPU_MODEL = "corei7_skylake_x"
MEMORY_MIB = 256

# Names in the folder of one run. All paths in the configuration are relative to it: Bochs expands $NAME and
# splits at commas, and a user's home may hold either.
CONFIGURATION, COMMANDS = "bochsrc", "commands"
CONSOLE, LOG, SCREEN = "console.log", "bochs.log", "screen.log"
_LINKS = ("bios", "vgabios", "boot.iso")


class Emulator(Protocol):
    """A Bochs that was started: whether it still runs (None) or its exit status."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""


def emulator_name(image: ApplianceImage) -> str:
    """Return how results name this emulator: "Bochs 2.7, corei7_skylake_x"."""
    return f"Bochs {image.bochs_version}, {CPU_MODEL}"


def configuration(line: str) -> str:
    """Return Bochs's configuration; ``line`` is the terminal that is the second serial line's other end.

    The clock is the count of instructions (sync=none): what the guest measures is the same on any machine.
    """
    return "\n".join(
        (
            f"megs: {MEMORY_MIB}",
            f"cpu: model={CPU_MODEL}, count=1, ips={contents.INSTRUCTIONS_PER_SECOND}",
            "cpu: reset_on_triple_fault=0",
            "clock: sync=none",
            "romimage: file=bios",
            "vgaromimage: file=vgabios",
            "boot: cdrom",
            "ata0-master: type=cdrom, path=boot.iso, status=inserted",
            f"com1: enabled=1, mode=file, dev={CONSOLE}",
            f"com2: enabled=1, mode=term, dev={line}",
            # Its output goes to a file; Debian's Bochs has no display library that needs nothing at all.
            "display_library: term",
            "config_interface: textconfig",
            "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy",
            "speaker: enabled=0",
            f"log: {LOG}",
            "panic: action=fatal",
            "error: action=ignore",
            "info: action=ignore",
            "debug: action=ignore",
            "",
        )
    )


@contextlib.contextmanager
def started(image: ApplianceImage, folder: Path, line: str) -> Iterator[Emulator]:
    """Own a running Bochs; ``folder`` gets its logs. It is gone when the block is left.

    It is gone too when this process is killed: as the leader of a new session Bochs makes ``line`` its
    controlling terminal by opening it, and the kernel hangs up on it when nobody holds the other end.
    """
    for name in _LINKS:
        (folder / name).symlink_to(image.folder / name)
    (folder / CONFIGURATION).write_text(configuration(line))
    # Debian builds Bochs with its debugger, which waits for a command before the first instruction.
    (folder / COMMANDS).write_text("c\n")
    libraries = image.folder / "lib/x86_64-linux-gnu"
    words: list[str | Path] = [
        *(image.folder / "lib64/ld-linux-x86-64.so.2", "--library-path", libraries),
        *(image.folder / "bochs", "-q", "-f", CONFIGURATION, "-rc", COMMANDS),
    ]
    # TERM: curses must find a description that every system has.
    own = {"LTDL_LIBRARY_PATH": str(image.folder / "plugins"), "TERM": "vt100", "BXSHARE": str(image.folder)}
    with (
        (folder / SCREEN).open("wb") as screen,
        process.started(words, env=own, cwd=folder, log=screen) as child,
    ):
        try:
            yield child
        finally:
            for name in _LINKS:
                (folder / name).unlink(missing_ok=True)


def last_words(folder: Path) -> str:
    """Return why Bochs or the kernel inside it stopped, or nothing when neither says so."""
    for name, marks in ((CONSOLE, ("Kernel panic",)), (LOG, (">>PANIC<<",)), (SCREEN, ("Bochs is exiting",))):
        file = folder / name
        lines = file.read_text(errors="replace").splitlines() if file.is_file() else []
        for number, text in enumerate(lines):
            if any(mark in text for mark in marks):
                return " ".join(lines[number : number + 2]).strip()
    return ""
