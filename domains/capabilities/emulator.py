"""Rows about QEMU and its known bugs: pure functions of a survey."""

from __future__ import annotations

import re
from dataclasses import dataclass

from domains.capabilities import model
from domains.capabilities.model import Capability
from domains.capabilities.suitability import QEMU_DEVICES
from domains.capabilities.survey import EMULATOR, Survey
from domains.quantities import EMULATED_NICS

Version = tuple[int, int, int]
_SET_UP = "run ./tdlab once as root: set-up installs it"


@dataclass(frozen=True)
class Bug:
    """A bug that was met, and the versions it was met in: from ``first`` up to, and without, ``fixed``."""

    first: Version
    fixed: Version | None
    says: str


# A table only says where to look; all of them touch guests of the emulated lab host, never real hardware.
BUGS = (
    Bug(
        (9, 1, 0),
        None,
        "a guest on shadow page tables (npt=0) inside an emulated host triple-faults: TCG's decoder takes"
        " a nested guest's read of CR3 for one of CR0",
    ),
    Bug(
        (10, 0, 0),
        (10, 0, 13),
        "VFs of the emulated igb do not start: the upper half of their 64-bit BARs is lost"
        " (seen in 10.0.2, gone in 10.0.13)",
    ),
    Bug(
        (10, 0, 0),
        None,
        "an emulated host with two processors stops now and then when two guests run in it at once: loading"
        " FPU state on one changes flags of the other",
    ),
)


def rows(survey: Survey) -> list[Capability]:
    """Return the rows ``qemu``, ``nic:MODEL``, ``microvm`` and ``qemu-bugs``."""
    models = [_model(name, survey) for name in ("virtio", *EMULATED_NICS)]
    return [_qemu(survey), *models, _microvm(survey), _bugs(survey)]


def devices(survey: Survey) -> frozenset[str] | None:
    """Return the names of QEMU's devices, or None when QEMU could not be asked."""
    return frozenset(survey.lines("qemu-devices")) or None


def machines(survey: Survey) -> frozenset[str] | None:
    """Return the names of QEMU's machine types, or None when QEMU could not be asked."""
    return frozenset(survey.lines("qemu-machines")) or None


def version(survey: Survey) -> Version | None:
    """Return QEMU's version, or None when it did not say."""
    match = re.search(r"version (\d+)\.(\d+)\.(\d+)", survey.text("qemu-version"))
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def _qemu(survey: Survey) -> Capability:
    if said := survey.text("qemu-version"):
        return model.yes("qemu", f"{said.removeprefix('QEMU emulator version ')}, {EMULATOR}")
    if survey.text("qemu-file"):
        cause = f"{EMULATOR} does not run"
        return model.no(
            "qemu", f"{EMULATOR} --version failed", cause=cause, remedy="reinstall qemu-system-x86"
        )
    return model.no("qemu", f"{EMULATOR} is missing", cause="QEMU is not installed", remedy=_SET_UP)


def _model(name: str, survey: Survey) -> Capability:
    identity, known = f"nic:{name}", devices(survey)
    device = QEMU_DEVICES.get(name, name)
    if known is None:
        return model.unknown(identity, cause="QEMU could not be asked", remedy="see the row qemu")
    if device in known:
        return model.yes(identity, f"QEMU has device {device}")
    remedy = "use QEMU 8.0 or newer" if name == "igb" else "install the distribution's qemu-system-x86"
    return model.no(identity, "qemu -device help", cause=f"this QEMU has no device {device}", remedy=remedy)


def _microvm(survey: Survey) -> Capability:
    known = machines(survey)
    if known is None:
        return model.unknown("microvm", cause="QEMU could not be asked", remedy="see the row qemu")
    if "microvm" in known:
        return model.yes("microvm", "QEMU has machine microvm")
    cause = "this QEMU was built without machine microvm"
    remedy = "install the distribution's qemu-system-x86"
    return model.no("microvm", "qemu -machine help", cause=cause, remedy=remedy)


def _bugs(survey: Survey) -> Capability:
    found = version(survey)
    if found is None:
        return model.unknown("qemu-bugs", cause="QEMU did not tell its version", remedy="see the row qemu")
    known = [bug for bug in BUGS if bug.first <= found and (bug.fixed is None or found < bug.fixed)]
    told = ".".join(map(str, found))
    if not known:
        return model.yes("qemu-bugs", f"QEMU {told}: none in tdlab's table")
    return model.no(
        "qemu-bugs",
        f"QEMU {told}: {len(known)} in tdlab's table",
        cause="; ".join(bug.says for bug in known),
        remedy="matters only inside an emulated host: give that another version of QEMU, or a patched one",
    )
