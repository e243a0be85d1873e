#!/usr/bin/env python3
"""Ask the CPU to enter a guest whose state makes no sense, and show how it refuses.

A code segment is either 64-bit (its bit L) or 32-bit (its bit D). This guest's has both bits set. Before each
entry the CPU checks the guest's state in the VMCS (Intel) or the VMCB (AMD), finds this, and does not enter:
KVM reports FAIL_ENTRY with the CPU's code for it. Where the KVM module was told so (kvm_intel
dump_invalid_vmcs=1, kvm_amd dump_invalid_vmcb=1), the kernel log then shows the whole VMCS or VMCB.

    python3 bad_entry.py          # prints the reason; the dump is in the kernel log: dmesg

Needs Python 3.9, an x86-64 Linux and the right to open /dev/kvm. Constants and offsets: the kernel's
include/uapi/linux/kvm.h (struct kvm_sregs, struct kvm_run).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import mmap
import os
import struct
import sys

CREATE_VM, GET_VCPU_MMAP_SIZE, CREATE_VCPU, RUN = 0xAE01, 0xAE04, 0xAE41, 0xAE80
GET_SREGS, SET_SREGS, SET_USER_MEMORY_REGION = 0x8138AE83, 0x4138AE84, 0x4020AE46
GET_SUPPORTED_CPUID, SET_CPUID2 = 0xC008AE05, 0x4008AE90
REASONS = {8: "SHUTDOWN", 9: "FAIL_ENTRY", 17: "INTERNAL_ERROR"}

# struct kvm_sregs: eight segments of 24 bytes, two descriptor tables of 16, and the control registers.
SEGMENT = struct.Struct("=QIH10B")
CS, CR0, CR3, CR4, EFER = 0, 224, 240, 248, 264

PROTECTED_PAGED = 0x80000021  # CR0: PG, NE, PE
EXTENDED = 0x20  # CR4: PAE
LONG_MODE = 0x500  # EFER: LMA, LME


def nonsense(registers: bytearray) -> None:
    """Make the state that of a CPU in 64-bit mode, and then set D in the code segment beside L."""
    for offset, value in ((CR0, PROTECTED_PAGED), (CR3, 0), (CR4, EXTENDED), (EFER, LONG_MODE)):
        struct.pack_into("=Q", registers, offset, value)
    code = 11  # executed, readable, accessed
    # type, present, dpl, db (that is D), s, l, g, avl, unusable, padding
    SEGMENT.pack_into(registers, CS, 0, 0xFFFFFFFF, 8, code, 1, 0, 1, 1, 1, 1, 0, 0, 0)


def enter() -> tuple[str, int]:
    """Try to enter the guest; return the reason and the CPU's own code for it."""
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    vm = fcntl.ioctl(kvm, CREATE_VM, 0)
    # Some memory, although the guest never gets to it: for a VM that has none, KVM has no page tables either,
    # and ends with ENOSPC before it asks the CPU.
    memory = mmap.mmap(-1, 0x10000)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    fcntl.ioctl(vm, SET_USER_MEMORY_REGION, struct.pack("=IIQQQ", 0, 0, 0, len(memory), address))
    vcpu = fcntl.ioctl(vm, CREATE_VCPU, 0)
    shared = mmap.mmap(vcpu, fcntl.ioctl(kvm, GET_VCPU_MMAP_SIZE, 0))
    # A vCPU that was told of no features has no 64-bit mode: give it those that KVM can give.
    features = bytearray(struct.pack("=II", 256, 0)) + bytearray(256 * 40)
    fcntl.ioctl(kvm, GET_SUPPORTED_CPUID, features)
    fcntl.ioctl(vcpu, SET_CPUID2, features)
    registers = bytearray(312)
    fcntl.ioctl(vcpu, GET_SREGS, registers)
    nonsense(registers)
    fcntl.ioctl(vcpu, SET_SREGS, registers)
    fcntl.ioctl(vcpu, RUN, 0)
    (reason,) = struct.unpack_from("=I", shared, 8)
    (code,) = struct.unpack_from("=Q", shared, 32)
    return REASONS.get(reason, str(reason)), code


def main() -> int:
    """Enter, and print one line of JSON."""
    try:
        reason, code = enter()
    except OSError as failed:
        print(f"bad_entry: {failed}", file=sys.stderr)
        return 3
    print(json.dumps({"schema": "tdlab.bad-entry/1", "reason": reason, "code": hex(code)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
