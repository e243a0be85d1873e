"""What the probed QEMU can do, seen from inside the machine that it emulates.

Runs there as the only program, beside the lab's own small hypervisor (exit_meter.py). Prints one line a
behaviour: ``tdlab-probe NAME yes|no|unknown EVIDENCE``.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable
from pathlib import Path

from exit_meter import SystemRegisters, VirtualMachine

# Where things are in the guest's memory: its code, its page directory, and where it leaves what it read.
CODE, DIRECTORY, RESULT = 0x1000, 0x2000, 0x3000
READ_CR3 = (
    b"\x0f\x20\xd8"  # mov eax, cr3
    + b"\xa3"
    + struct.pack("<I", RESULT)  # mov [RESULT], eax
    + b"\xf4"  # hlt
)
LARGE_PAGE = 0x83  # present, writable, 4 MiB; frame 0

# Bits of CR0 and CR4, and types of segments.
PROTECTED, EXTENSION, WRITE_PROTECT, PAGING = 1 << 0, 1 << 4, 1 << 16, 1 << 31
LARGE_PAGES = 1 << 4
CODE_SEGMENT, DATA_SEGMENT = 11, 3

# Of the 82576's VF: its registers lie behind BAR 0; STATUS is the third (datasheet, section 9).
STATUS = 8
# What is read where no device answers; a VF in use always has some bits set and some not.
NOBODY = (0, 0xFFFFFFFF)


def shadow_paging() -> tuple[str, str]:
    """Let a guest on shadow page tables read its CR3: it must see its own, not the hypervisor's."""
    npt = Path("/sys/module/kvm_amd/parameters/npt").read_text().strip()
    if npt not in ("N", "0"):
        return "unknown", f"kvm_amd runs with npt={npt} although npt=0 was asked for"
    machine = VirtualMachine()
    machine.load(CODE, READ_CR3)
    machine.load(DIRECTORY, struct.pack("<I", LARGE_PAGE))
    system = machine.system_registers()
    turn_paging_on(system)
    machine.set_system_registers(system)
    machine.set_registers(rip=CODE)
    reason = machine.run()
    if reason == "SHUTDOWN":
        return "no", "with npt=0 a guest that reads its CR3 triple-faults"
    if reason != "HLT":
        return "unknown", f"with npt=0 a guest that reads its CR3 leaves with {reason}"
    (read,) = struct.unpack_from("<I", machine.memory, RESULT)
    said = f"with npt=0 a guest whose CR3 is {DIRECTORY:#x} reads {read:#x}"
    return ("yes" if read == DIRECTORY else "no"), said


def turn_paging_on(system: SystemRegisters) -> None:
    """Set the system registers for flat 32-bit code with paging on.

    Paging and write protection must be on: only then does KVM leave reads of CR0 alone, and a QEMU which
    takes a read of CR3 for one of CR0 leaves this one alone too.
    """
    for name in ("cs", "ds", "es", "fs", "gs", "ss"):
        segment = getattr(system, name)
        segment.base, segment.limit, segment.selector = 0, 0xFFFFFFFF, 8 if name == "cs" else 16
        segment.type = CODE_SEGMENT if name == "cs" else DATA_SEGMENT
        segment.present = segment.db = segment.s = segment.g = 1
        segment.dpl = segment.l = segment.unusable = 0
    system.cr0 = PROTECTED | EXTENSION | WRITE_PROTECT | PAGING
    system.cr3 = DIRECTORY
    system.cr4 = LARGE_PAGES


def vf_bars() -> tuple[str, str]:
    """Make a VF of the emulated igb and read its STATUS register through its BAR 0."""
    pf = next((file.parent for file in Path("/sys/bus/pci/devices").glob("*/sriov_numvfs")), None)
    if pf is None:
        return "unknown", "no PCI device of the machine has SR-IOV"
    (pf / "sriov_drivers_autoprobe").write_text("0")
    (pf / "sriov_numvfs").write_text("1")
    vf = pf / "virtfn0"
    (vf / "enable").write_text("1")
    begin, end, _ = (int(word, 16) for word in (vf / "resource").read_text().split()[:3])
    registers = os.open(vf / "resource0", os.O_RDWR | os.O_SYNC)
    (status,) = struct.unpack_from("<I", mmap.mmap(registers, end - begin + 1), STATUS)
    said = f"the STATUS register of an igb VF (BAR 0 at {begin:#x}) reads {status:#010x}"
    return ("no" if status in NOBODY else "yes"), said


def main() -> None:
    """Try each behaviour; what goes wrong in one is no reason not to try the next."""
    behaviours: dict[str, Callable[[], tuple[str, str]]] = {
        "shadow-paging": shadow_paging,
        "vf-bars": vf_bars,
    }
    for name, probe in behaviours.items():
        try:
            verdict, evidence = probe()
        except OSError as failed:
            verdict, evidence = "unknown", f"the probe failed: {failed}"
        print(f"tdlab-probe {name} {verdict} {evidence}", flush=True)


if __name__ == "__main__":
    main()
