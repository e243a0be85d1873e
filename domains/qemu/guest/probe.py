"""What the probed QEMU can do, seen from inside the machine that it emulates. Standard library only.

Prints one line a behaviour: ``tdlab-probe NAME yes|no|unknown EVIDENCE``.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct
from collections.abc import Callable

# ioctls and exit reasons of include/uapi/linux/kvm.h.
CREATE_VM, VCPU_SIZE, CREATE_VCPU, RUN = 0xAE01, 0xAE04, 0xAE41, 0xAE80
SET_MEMORY, SET_REGISTERS, GET_SYSTEM, SET_SYSTEM = 0x4020AE46, 0x4090AE82, 0x8138AE83, 0x4138AE84
EXIT_HALT, EXIT_SHUTDOWN = 5, 8

MEMORY = 64 * 1024
CODE, DIRECTORY, RESULT = 0x1000, 0x2000, 0x3000
PROGRAM = (
    b"\x0f\x20\xd8"  # mov eax, cr3
    + b"\xa3"
    + struct.pack("<I", RESULT)  # mov [RESULT], eax
    + b"\xf4"  # hlt
)

# Offsets in struct kvm_sregs, and the bits of CR0 and CR4 that are set in it.
CR0, CR3, CR4 = 224, 240, 248
PROTECTED, NUMERIC_ERROR_FIXED, WRITE_PROTECT, PAGING = 1 << 0, 1 << 4, 1 << 16, 1 << 31
LARGE_PAGES = 1 << 4
SEGMENT = struct.Struct("<QIHBBBBBBBBBB")  # base, limit, selector, type, present, dpl, db, s, l, g, avl, ...
CODE_SEGMENT, DATA_SEGMENT = 11, 3

# Of the 82576's VF: its registers lie behind BAR 0; STATUS is the third (datasheet, section 9).
STATUS = 8
# What is read where no device answers; a VF in use always has some bits set and some not.
NOBODY = (0, 0xFFFFFFFF)


def shadow_paging() -> tuple[str, str]:
    """Let a guest on shadow page tables read its CR3: it must see its own, not the hypervisor's."""
    with open("/sys/module/kvm_amd/parameters/npt") as parameter:
        if (npt := parameter.read().strip()) not in ("N", "0"):
            return "unknown", f"kvm_amd runs with npt={npt} although npt=0 was asked for"
    system = os.open("/dev/kvm", os.O_RDWR)
    machine = fcntl.ioctl(system, CREATE_VM, 0)
    memory = mmap.mmap(-1, MEMORY)
    memory[CODE : CODE + len(PROGRAM)] = PROGRAM
    # One page of 4 MiB, mapped to itself: present, writable, large.
    memory[DIRECTORY : DIRECTORY + 4] = struct.pack("<I", 0x83)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(machine, SET_MEMORY, struct.pack("<IIQQQ", 0, 0, 0, MEMORY, address))
    vcpu = fcntl.ioctl(machine, CREATE_VCPU, 0)
    state = mmap.mmap(vcpu, fcntl.ioctl(system, VCPU_SIZE, 0))
    fcntl.ioctl(vcpu, SET_SYSTEM, with_paging(fcntl.ioctl(vcpu, GET_SYSTEM, bytes(0x138))))
    fcntl.ioctl(vcpu, SET_REGISTERS, struct.pack("<18Q", *[0] * 16, CODE, 2))
    fcntl.ioctl(vcpu, RUN, 0)
    (reason,) = struct.unpack_from("<I", state, 8)
    (read,) = struct.unpack_from("<I", memory, RESULT)
    said = f"with npt=0 a guest whose CR3 is {DIRECTORY:#x} reads {read:#x}"
    if reason == EXIT_SHUTDOWN:
        return "no", "with npt=0 a guest that reads its CR3 triple-faults"
    if reason != EXIT_HALT:
        return "unknown", f"with npt=0 a guest that reads its CR3 left with KVM's exit reason {reason}"
    return ("yes" if read == DIRECTORY else "no"), said


def with_paging(system: bytes) -> bytes:
    """Return the system registers for flat 32-bit code with paging on.

    Paging and write protection must be on: only then does KVM leave reads of CR0 alone, and a QEMU which
    takes a read of CR3 for one of CR0 leaves this one alone too.
    """
    new = bytearray(system)
    for index, kind in enumerate((CODE_SEGMENT, *[DATA_SEGMENT] * 5)):
        fields = (0, 0xFFFFFFFF, 8 if index == 0 else 16, kind, 1, 0, 1, 1, 0, 1, 0, 0, 0)
        SEGMENT.pack_into(new, index * SEGMENT.size, *fields)
    struct.pack_into("<Q", new, CR0, PROTECTED | NUMERIC_ERROR_FIXED | WRITE_PROTECT | PAGING)
    struct.pack_into("<Q", new, CR3, DIRECTORY)
    struct.pack_into("<Q", new, CR4, LARGE_PAGES)
    return bytes(new)


def vf_bars() -> tuple[str, str]:
    """Make a VF of the emulated igb and read its STATUS register through its BAR 0."""
    devices = "/sys/bus/pci/devices"
    pfs = [name for name in sorted(os.listdir(devices)) if os.path.exists(f"{devices}/{name}/sriov_numvfs")]
    if not pfs:
        return "unknown", "no PCI device of the machine has SR-IOV"
    pf = f"{devices}/{pfs[0]}"
    write(f"{pf}/sriov_drivers_autoprobe", "0")
    write(f"{pf}/sriov_numvfs", "1")
    vf = os.path.realpath(f"{pf}/virtfn0")
    write(f"{vf}/enable", "1")
    with open(f"{vf}/resource") as resource:
        begin, end, _ = (int(word, 16) for word in resource.readline().split())
    registers = os.open(f"{vf}/resource0", os.O_RDWR | os.O_SYNC)
    (status,) = struct.unpack_from("<I", mmap.mmap(registers, end - begin + 1), STATUS)
    said = f"the STATUS register of an igb VF (BAR 0 at {begin:#x}) reads {status:#010x}"
    return ("no" if status in NOBODY else "yes"), said


def write(file: str, text: str) -> None:
    """Write into a file of sysfs."""
    with open(file, "w") as attribute:
        attribute.write(text)


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
