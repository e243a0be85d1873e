"""What a QEMU does, found by booting a small machine on it that runs real KVM and has an SR-IOV NIC.

A table of versions only says where to look: distributions patch, and bugs come back. So each candidate is
tried once, and the verdict is kept until its file or the probe changes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domains import files, locks, paths
from domains.errors import DeadlineExceeded, InfrastructureError
from domains.process import run
from domains.qemu import probe_image
from domains.qemu.probe_image import ProbeImage

SHADOW_PAGING = "shadow-paging"
VF_BARS = "vf-bars"
BEHAVIOURS: Mapping[str, str] = {
    SHADOW_PAGING: "guests of an emulated host run on shadow page tables (EPT/RVI off)",
    VF_BARS: "VFs of the emulated igb work",
}

# From start to power-off 8 s were seen on two busy cores.
DEADLINE_SECONDS = 90.0
KERNEL_ARGUMENTS = (
    *("console=ttyS0", "quiet", "panic=-1"),
    *("mitigations=off", "cryptomgr.notests", "noreplace-smp", "rodata=off", "lsm="),  # 1 s in all
    # The kernel's test of the timer is a matter of luck where the emulator gets little of its CPU.
    "no_timer_check",
)
_LOCK_SECONDS = 300
_SCHEMA = "tdlab.qemu-behaviour/1"

_LINE = re.compile(
    r"^tdlab-probe (?P<name>\S+) (?P<status>yes|no|unknown) (?P<evidence>.+?)\r?$", re.MULTILINE
)

Status = Literal["yes", "no", "unknown"]
Verdicts = Mapping[str, "Verdict"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """Whether a QEMU behaves as asked, and the line that shows it; of "unknown" the line is the cause."""

    status: Status
    evidence: str


@dataclass(frozen=True)
class Observed:
    """A QEMU as it was probed: its version, and a verdict for each of ``BEHAVIOURS``."""

    version: str
    verdicts: Verdicts

    def can(self, needs: frozenset[str]) -> bool:
        """Return whether all of ``needs`` was seen to work."""
        return all(self.verdicts[need].status == "yes" for need in needs)


def probe(emulator: Path, say: Say = lambda _: None) -> Observed:
    """Return what a QEMU does: as remembered, or else by booting the probe on it (about 8 s under TCG).

    Raises :class:`InfrastructureError` when the QEMU does not start at all or the probe image cannot be made;
    all that goes wrong after that is a verdict.
    """
    file = _file_for(emulator)
    # One probe at a time: two of them side by side take longer than one after the other.
    with locks.held(file.with_name(".probing"), "what this QEMU does", _LOCK_SECONDS):
        if kept := recall(emulator):
            return kept
        observed = observe(emulator, say)
        # What could not be told today may be told tomorrow.
        if all(verdict.status != "unknown" for verdict in observed.verdicts.values()):
            files.write_whole(file, json.dumps({"schema": _SCHEMA, **dataclasses.asdict(observed)}, indent=1))
        return observed


def observe(emulator: Path, say: Say = lambda _: None) -> Observed:
    """Return what a QEMU does by probing it now; errors as in :func:`probe`."""
    version = version_of(emulator)
    has_igb = '"igb"' in run([emulator, "-device", "help"], timeout=20).stdout
    image = probe_image.build(say)
    say(f"probing {emulator}: booting a small machine on it, for {DEADLINE_SECONDS:g} s at most")
    with tempfile.TemporaryFile() as log:
        try:
            done = run(argv(emulator, image, has_igb=has_igb), timeout=DEADLINE_SECONDS, check=False, log=log)
            ended = "switched itself off" if done.status == 0 else f"ended with status {done.status}"
        except DeadlineExceeded as late:
            ended = f"was still running after {late.seconds:g} s"
        log.seek(0)
        console = log.read().decode(errors="replace")
    return Observed(version, judge(console, ended, has_igb=has_igb))


def recall(emulator: Path) -> Observed | None:
    """Return what is remembered about a QEMU, or None when it was not probed since it last changed."""
    try:
        kept = json.loads(_file_for(emulator).read_text())
        verdicts = {name: Verdict(**kept["verdicts"][name]) for name in BEHAVIOURS}
        return Observed(kept["version"], verdicts) if kept["schema"] == _SCHEMA else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # there is none, or none that can be read: probing again is slower and just as right


def parse(console: str) -> dict[str, Verdict]:
    """Read the probe's lines from what the machine printed on its console."""
    found: dict[str, Verdict] = {}
    for match in _LINE.finditer(console):
        status: Status = "yes" if match["status"] == "yes" else "no" if match["status"] == "no" else "unknown"
        found[match["name"]] = Verdict(status, match["evidence"])
    return found


def judge(console: str, ended: str, *, has_igb: bool) -> dict[str, Verdict]:
    """Return a verdict for each behaviour; ``ended`` says how the machine came to its end."""
    found = parse(console)
    if not has_igb:
        found[VF_BARS] = Verdict("no", "this QEMU has no device igb")
    lines = [line.strip() for line in console.splitlines() if line.strip()]
    last = f"; its last line: {lines[-1]}" if lines else ""
    silent = Verdict("unknown", f"the probe said nothing about it: the machine {ended}{last}")
    return {name: found.get(name, silent) for name in BEHAVIOURS}


def argv(emulator: Path, image: ProbeImage, *, has_igb: bool) -> list[str]:
    """Return the words that boot the probe: a machine like an emulated lab host, as small as can be."""
    # The wide window puts the NIC's BARs above 4 GiB, where they are in a machine with much memory; below it
    # the upper half of a VF's BAR is zero, and losing it does no harm.
    slot = ["-device", "pcie-root-port,id=behind,pref64-reserve=8G"]
    return [
        str(emulator),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-machine", "q35,usb=off", "-accel", "tcg", "-cpu", "EPYC-Milan,svm=on,npt=on", "-m", "512"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
        *("-append", " ".join(KERNEL_ARGUMENTS)),
        *("-serial", "stdio"),
        *([*slot, "-device", "igb,bus=behind"] if has_igb else []),
    ]


def version_of(emulator: Path) -> str:
    """Return a QEMU's version as it tells it; raises :class:`InfrastructureError` when it does not run."""
    try:
        said = run([emulator, "--version"], timeout=20).stdout.partition("\n")[0]
    except OSError as refused:
        raise InfrastructureError(f"{emulator} does not start: {refused}") from refused
    match = re.search(r"version (\S+.*)", said)
    if not match:
        raise InfrastructureError(f"{emulator} does not tell its version; it said {said!r}")
    return match[1]


def _file_for(emulator: Path) -> Path:
    """Return where the verdicts about this very file are kept; raises nothing for a file that is gone."""
    try:
        status = emulator.stat()
        content = [status.st_size, status.st_mtime_ns]
    except OSError:
        content = []
    words = argv(emulator, ProbeImage(Path(), Path(), ""), has_igb=True)
    identity = json.dumps([words, content, probe_image.recipe()])
    folder = paths.cache() / "qemu"
    folder.mkdir(exist_ok=True)
    return folder / f"behaviour-{hashlib.sha256(identity.encode()).hexdigest()[:20]}.json"
