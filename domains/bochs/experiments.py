"""The experiments that the Intel appliance runs, all in one boot; kvm_intel is loaded anew between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domains import paths
from domains.bochs import appliance, contents, machine
from domains.bochs.appliance import Answer, Appliance
from domains.bochs.image import ApplianceImage, Say
from domains.errors import GuestError, UsageError

# The programs are those that students read and run elsewhere; the appliance has none of its own but cpuinfo.
_LAB = paths.LABS / "r202" / "experiments"
EXIT_METER = _LAB / "exit-meter" / "exit_meter.py"
PAGE_TABLES = _LAB / "exit-meter" / "page_tables.py"
BAD_ENTRY = _LAB / "vmcs" / "bad_entry.py"
CPUINFO = contents.HERE / "cpuinfo.py"

_WRITTEN = {"on": "1", "off": "0"}
_SHOWN = {"Y": "on", "N": "off"}


@dataclass(frozen=True)
class Finding:
    """What one experiment found with EPT on or off (``ept`` is None where KVM was not loaded).

    ``ept`` was read back from the kernel and is what was asked for. ``found`` is what the program printed as
    JSON, and its times are the emulated clock's. ``kernel_log`` holds the VMCS.
    """

    experiment: str
    ept: str | None
    found: Mapping[str, Any]
    kernel_log: str
    guest_seconds: float
    seconds: float


@dataclass(frozen=True)
class ApplianceResult:
    """What a boot of the appliance gave; ``seconds`` are of this machine, with the boot."""

    emulator: str
    kernel: str
    seconds_to_ready: float
    seconds: float
    findings: tuple[Finding, ...]
    folder: Path

    def of(self, experiment: str, ept: str | None = None) -> Finding:
        """Return the finding of an experiment, with EPT "on" or "off" where it makes a difference."""
        for one in self.findings:
            if one.experiment == experiment and ept in (None, one.ept):
                return one
        raise UsageError(f"the Intel appliance did not run {experiment} with EPT {ept or 'on or off'}")

    @property
    def logs(self) -> tuple[Path, ...]:
        """Bochs's files of this boot that there are: what the kernel, Bochs and its screen said."""
        names = (machine.CONSOLE, machine.LOG, machine.SCREEN, machine.CONFIGURATION)
        return tuple(self.folder / name for name in names if (self.folder / name).is_file())

    def document(self) -> dict[str, Any]:
        """Return the result as ``tdlab.appliance/1``."""
        return {
            "schema": "tdlab.appliance/1",
            "emulator": self.emulator,
            "comparable_with_hardware": False,
            "clock": appliance.CLOCK,
            "kernel": self.kernel,
            "seconds_to_ready": round(self.seconds_to_ready, 2),
            "seconds": round(self.seconds, 2),
            "findings": [asdict(one) for one in self.findings],
            "logs": [str(file) for file in self.logs],
        }


def run(
    experiments: Sequence[str] = (),
    *,
    folder: Path,
    say: Say = lambda _: None,
    made: ApplianceImage | None = None,
) -> ApplianceResult:
    """Boot the appliance once, run the experiments named (all when none is), and end it.

    ``folder`` exists and gets the logs; ``say`` gets a sentence at each step. Raises :class:`UsageError` for
    an unknown name, and what :func:`~domains.bochs.appliance.running` raises.
    """
    names = tuple(experiments) or tuple(EXPERIMENTS)
    if unknown := [name for name in names if name not in EXPERIMENTS]:
        raise UsageError(
            f"the Intel appliance has no experiment {unknown[0]}", remedy=f"it has {', '.join(EXPERIMENTS)}"
        )
    began = time.monotonic()
    findings: list[Finding] = []
    with appliance.running(folder, say, made=made) as intel:
        for name in names:
            say(f"running {name} in the Intel appliance")
            findings += EXPERIMENTS[name](intel)
    return ApplianceResult(
        emulator=intel.emulator,
        kernel=intel.release,
        seconds_to_ready=intel.seconds_to_ready,
        seconds=time.monotonic() - began,
        findings=tuple(findings),
        folder=folder,
    )


def cpuinfo(intel: Appliance) -> list[Finding]:
    """What /proc/cpuinfo says: vmx, and the flags of VMX, ept and vpid among them."""
    answer = intel.run(CPUINFO)
    return [_finding("cpuinfo", None, answer, answer.json())]


def exit_meter(intel: Appliance, count: int = 2000) -> list[Finding]:
    """Count the exits of a guest that does ``count`` `out`: ``count`` + 1, with EPT on and off."""
    arguments = ("--json", "--count", str(count))
    return _both_ways("exit-meter", lambda ept: _under(intel, ept, EXIT_METER, arguments))


def ept_microbench(intel: Appliance, count: int = 1000) -> list[Finding]:
    """Count exits and time of a guest that changes its page tables ``count`` times, with EPT on and off."""
    arguments = ("--json", "--count", str(count))
    return _both_ways("ept-microbench", lambda ept: _under(intel, ept, PAGE_TABLES, arguments))


def vmcs(intel: Appliance) -> list[Finding]:
    """Enter a guest in a state that the CPU refuses, and have the kernel print its VMCS."""
    parameters = {"ept": "1", "dump_invalid_vmcs": "1"}
    answer = intel.run(BAD_ENTRY, parameters=parameters, kernel_log=True)
    if "VMCS" not in answer.kernel_log:
        raise GuestError(
            f"{BAD_ENTRY.name} made the kernel print no VMCS: {answer.stdout}{answer.stderr}",
            remedy=f"see {intel.folder / machine.CONSOLE}",
        )
    return [_finding("vmcs", "on", answer, answer.json())]


EXPERIMENTS: Mapping[str, Callable[[Appliance], list[Finding]]] = {
    "cpuinfo": cpuinfo,
    "exit-meter": exit_meter,
    "ept-microbench": ept_microbench,
    "vmcs": vmcs,
}


def _both_ways(name: str, run_with: Callable[[str], Answer]) -> list[Finding]:
    answers = {ept: run_with(ept) for ept in _WRITTEN}
    return [_finding(name, ept, answer, answer.json()) for ept, answer in answers.items()]


def _under(intel: Appliance, ept: str, program: Path, arguments: Sequence[str]) -> Answer:
    # The same for every experiment but EPT, so that the module is loaded anew only where that changes.
    parameters = {"ept": _WRITTEN[ept], "dump_invalid_vmcs": "1"}
    return intel.run(program, arguments, beside=(EXIT_METER,), parameters=parameters)


def _finding(name: str, asked: str | None, answer: Answer, found: Mapping[str, Any]) -> Finding:
    ran = _SHOWN.get(answer.parameters.get("ept", ""))
    if asked != ran and asked is not None:
        raise GuestError(f"{name} was to run with EPT {asked}; kvm_intel shows it as {ran or 'unknown'}")
    return Finding(
        experiment=name,
        ept=asked and ran,
        found=found,
        kernel_log=answer.kernel_log,
        guest_seconds=answer.guest_seconds,
        seconds=answer.seconds,
    )
