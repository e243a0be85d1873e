#!/usr/bin/env python3
"""A hypervisor small enough to be read: it runs a guest of a few bytes and counts how often it comes out.

The kernel's KVM does what needs privilege: it puts the CPU into the guest (VMLAUNCH and VMRESUME at Intel,
VMRUN at AMD) and gets it back at the next VM exit. The rest of a hypervisor is an ordinary program: it gives
the guest memory, sets its registers, and decides what to do when the guest comes out. This is that program.

    python3 exit_meter.py --count 2000          # 2,000 `out` and one `hlt`: 2,001 exits

Needs Python 3.9, an x86-64 Linux and the right to open /dev/kvm; nothing is installed and nothing is changed.
Constants and structures: the kernel's include/uapi/linux/kvm.h and its Documentation/virt/kvm/api.rst.
"""

from __future__ import annotations

import argparse
import collections
import ctypes
import fcntl
import json
import mmap
import os
import statistics
import struct
import sys
import time
from typing import Any

# The requests that this program makes of KVM, by ioctl: to KVM itself, to one VM, to one vCPU.
GET_API_VERSION, CREATE_VM, GET_VCPU_MMAP_SIZE = 0xAE00, 0xAE01, 0xAE04
CREATE_VCPU, SET_USER_MEMORY_REGION, SET_TSS_ADDRESS = 0xAE41, 0x4020AE46, 0xAE47
GET_SUPPORTED_CPUID, SET_CPUID2 = 0xC008AE05, 0x4008AE90
RUN, GET_REGS, SET_REGS, GET_SREGS, SET_SREGS = 0xAE80, 0x8090AE81, 0x4090AE82, 0x8138AE83, 0x4138AE84

# Why the guest came out, as KVM tells a program like this one.
REASONS = {2: "IO", 5: "HLT", 6: "MMIO", 8: "SHUTDOWN", 9: "FAIL_ENTRY", 10: "INTR", 17: "INTERNAL_ERROR"}


def fields(kind: type, names: str) -> list[tuple[str, type]]:
    """Return the fields of a C structure: each of ``names``, and all of one ``kind``."""
    return [(name, kind) for name in names.split()]


class Segment(ctypes.Structure):
    """One segment register, with the part of it that programs never see."""

    _fields_ = [
        *fields(ctypes.c_uint64, "base"),
        *fields(ctypes.c_uint32, "limit"),
        *fields(ctypes.c_uint16, "selector"),
        *fields(ctypes.c_uint8, "type present dpl db s l g avl unusable padding"),
    ]


class DescriptorTable(ctypes.Structure):
    """Where the GDT or the IDT lies."""

    _fields_ = [
        *fields(ctypes.c_uint64, "base"),
        *fields(ctypes.c_uint16, "limit"),
        *fields(ctypes.c_uint16 * 3, "padding"),
    ]


class SystemRegisters(ctypes.Structure):
    """What only ring 0 may set: segments, control registers, the mode of the CPU (struct kvm_sregs)."""

    _fields_ = [
        *fields(Segment, "cs ds es fs gs ss tr ldt"),
        *fields(DescriptorTable, "gdt idt"),
        *fields(ctypes.c_uint64, "cr0 cr2 cr3 cr4 cr8 efer apic_base"),
        *fields(ctypes.c_uint64 * 4, "interrupt_bitmap"),
    ]


class Registers(ctypes.Structure):
    """What every program may use (struct kvm_regs)."""

    _fields_ = fields(
        ctypes.c_uint64, "rax rbx rcx rdx rsi rdi rsp rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags"
    )


class VirtualMachine:
    """A VM with one vCPU and ``size`` bytes of memory, which is memory of this very process."""

    def __init__(self, size: int = 0x10000) -> None:
        self.kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
        self.vm = fcntl.ioctl(self.kvm, CREATE_VM, 0)
        # Older Intel CPUs want three pages of guest-physical addresses to imitate real mode: any will do.
        fcntl.ioctl(self.vm, SET_TSS_ADDRESS, 0x70000000)
        self.memory = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        # slot 0, no flags, guest-physical address 0, size, and the address where this process has it
        fcntl.ioctl(self.vm, SET_USER_MEMORY_REGION, struct.pack("=IIQQQ", 0, 0, 0, size, address))
        self.vcpu = fcntl.ioctl(self.vm, CREATE_VCPU, 0)
        # Through these pages, shared with the kernel, KVM tells why the guest came out.
        self.shared = mmap.mmap(self.vcpu, fcntl.ioctl(self.kvm, GET_VCPU_MMAP_SIZE, 0))

    def load(self, address: int, content: bytes) -> None:
        """Write ``content`` into the guest's memory, at a guest-physical address."""
        self.memory[address : address + len(content)] = content

    def registers(self) -> Registers:
        """Return the general registers as they are."""
        registers = Registers()
        fcntl.ioctl(self.vcpu, GET_REGS, registers)
        return registers

    def set_registers(self, **values: int) -> None:
        """Set the general registers named; the others become 0, and the flags what they are after a reset."""
        fcntl.ioctl(self.vcpu, SET_REGS, Registers(**{"rflags": 2, **values}))

    def system_registers(self) -> SystemRegisters:
        """Return the segments and control registers as they are."""
        system = SystemRegisters()
        fcntl.ioctl(self.vcpu, GET_SREGS, system)
        return system

    def set_system_registers(self, system: SystemRegisters) -> None:
        """Set segments and control registers, and with them the mode of the CPU."""
        fcntl.ioctl(self.vcpu, SET_SREGS, system)

    def start_in_real_mode(self, address: int = 0) -> None:
        """Let the guest begin at ``address`` in real mode, as a PC does when it is switched on."""
        system = self.system_registers()
        system.cs.base = system.cs.selector = 0
        self.set_system_registers(system)
        self.set_registers(rip=address)

    def allow_all_features(self) -> None:
        """Tell the vCPU of all features that KVM can give: without them it knows no 64-bit mode."""
        features = bytearray(struct.pack("=II", 256, 0)) + bytearray(256 * 40)
        fcntl.ioctl(self.kvm, GET_SUPPORTED_CPUID, features)
        fcntl.ioctl(self.vcpu, SET_CPUID2, features)

    def run(self) -> str:
        """Enter the guest and return, at the next exit that KVM leaves to us, the reason for it."""
        try:
            fcntl.ioctl(self.vcpu, RUN, 0)
        except InterruptedError:  # a signal for this program: none of the guest's doing
            return "INTR"
        (reason,) = struct.unpack_from("=I", self.shared, 8)
        return REASONS.get(reason, str(reason))

    def detail(self) -> int:
        """Return what KVM adds to the reason: the CPU's own code where an entry failed."""
        return int(struct.unpack_from("=Q", self.shared, 32)[0])

    def close(self) -> None:
        """Give everything back; the VM is gone."""
        for descriptor in (self.vcpu, self.vm, self.kvm):
            os.close(descriptor)


def loop(body: bytes, count: int) -> bytes:
    """Return real-mode code that does ``body`` ``count`` times and halts.

    mov ecx, count | again: body | dec ecx | jnz again | hlt
    """
    back = 256 - (len(body) + 4)
    return b"\x66\xb9" + struct.pack("<I", count) + body + b"\x66\x49\x75" + bytes([back]) + b"\xf4"


OUT = b"\xe6\x10"  # out 0x10, al: the guest speaks to a device, and a device is what it has not got
NOTHING = b"\x90\x90"  # nop, nop: as long as the above, and nothing in it that concerns a hypervisor


def count_exits(code: bytes) -> tuple[dict[str, int], float]:
    """Run ``code`` in a new VM until it halts; return the exits by reason and the seconds they took."""
    machine = VirtualMachine()
    try:
        machine.load(0, code)
        machine.start_in_real_mode()
        exits: collections.Counter[str] = collections.Counter()
        start = time.perf_counter()
        while True:
            reason = machine.run()
            if reason == "INTR":
                continue
            exits[reason] += 1
            # A real hypervisor would imitate the device here. We only let the guest go on.
            if reason != "IO":
                break
        seconds = time.perf_counter() - start
        if reason != "HLT":
            raise OSError(f"the guest ended with {reason} ({machine.detail():#x}), and not with HLT")
        return dict(exits), seconds
    finally:
        machine.close()


def ioctl_microseconds(times: int = 2000) -> float:
    """Return what Python and the system call cost alone: a question to KVM that enters no guest."""
    kvm = os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC)
    try:
        start = time.perf_counter()
        for _ in range(times):
            fcntl.ioctl(kvm, GET_API_VERSION, 0)
        return (time.perf_counter() - start) / times * 1e6
    finally:
        os.close(kvm)


def measure(count: int, repeat: int) -> dict[str, Any]:
    """Return exits and times of ``repeat`` runs of a loop with ``count`` exits, and of a loop without any."""
    with_exits = [count_exits(loop(OUT, count)) for _ in range(repeat)]
    without = [count_exits(loop(NOTHING, count)) for _ in range(repeat)]
    quiet = statistics.median(seconds for _, seconds in without)
    each = [max(seconds - quiet, 0.0) / count * 1e6 for _, seconds in with_exits]
    return {
        "schema": "tdlab.exit-meter/1",
        "count": count,
        "exits": with_exits[0][0],
        "total": sum(with_exits[0][0].values()),
        "totals": [sum(exits.values()) for exits, _ in with_exits],
        "seconds": [seconds for _, seconds in with_exits],
        "microseconds_per_exit": each,
        "median_microseconds_per_exit": statistics.median(each),
        "loop_without_exits": {"exits": without[0][0], "seconds": [seconds for _, seconds in without]},
        "microseconds_per_ioctl": ioctl_microseconds(),
    }


def main() -> int:
    """Measure, and print it for people or as JSON."""
    parser = argparse.ArgumentParser(description="Count the VM exits of a tiny guest, and time one.")
    parser.add_argument("--count", type=int, default=2000, help="how many `out` the guest does")
    parser.add_argument("--repeat", type=int, default=1, help="how often the whole is measured")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.count < 1 or options.repeat < 1:
        parser.error("--count and --repeat are at least 1")
    try:
        found = measure(options.count, options.repeat)
    except OSError as failed:
        print(f"exit_meter: {failed}", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps(found))
        return 0
    print(f"{options.count} `out` and one `hlt`: {found['total']} exits, {found['exits']}")
    print(f"one exit and the way back in: {found['median_microseconds_per_exit']:.1f} µs,")
    print(f"of which {found['microseconds_per_ioctl']:.1f} µs are Python calling the kernel")
    return 0


if __name__ == "__main__":
    sys.exit(main())
