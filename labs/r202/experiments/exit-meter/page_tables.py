#!/usr/bin/env python3
"""What it costs a guest to change its page tables: with EPT (or NPT) nothing leaves it, without it much does.

The guest runs in protected mode with paging. It maps one page to two frames in turn, tells the CPU about the
change, and touches the page; nothing else. Where the CPU walks two tables (the guest's own, then EPT), the
guest stays inside. Where it cannot, the hypervisor keeps a shadow of the guest's table, and the guest comes
out for each INVLPG, each load of CR3 and each touch of a page that the shadow does not yet know.

    python3 page_tables.py --count 1000          # beside exit_meter.py, whose virtual machine it uses

Exits are counted by KVM itself (KVM_GET_STATS_FD, kernel 5.14 or newer), for none of these reaches a program.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pathlib
import struct
import sys
import time
from typing import Any

from exit_meter import VirtualMachine

GET_STATS = 0xAECE
COUNTERS = ("exits", "pf_taken", "pf_fixed", "pf_guest", "invlpg", "tlb_flush", "io_exits")

# The guest's memory, by guest-physical address.
CODE, DIRECTORY, TABLE, FRAMES = 0x1000, 0x2000, 0x3000, (0x8000, 0x9000)
PAGE = 0x400000 - 0x1000  # the virtual address that is mapped anew: the last page of the first table
ENTRY = TABLE + PAGE // 4096 * 4
PRESENT_WRITABLE = 0x3

ARITHMETIC = b"\x83\xc2\x03" * 4  # add edx, 3, four times: work that no hypervisor has a part in
FLIP = b"\x81\x35" + struct.pack("<II", ENTRY, FRAMES[0] ^ FRAMES[1])  # xor dword [ENTRY], both frames
TOUCH = b"\xa1" + struct.pack("<I", PAGE)  # mov eax, [PAGE]
INVLPG = b"\x0f\x01\x3d" + struct.pack("<I", PAGE)  # invlpg [PAGE]
RELOAD = b"\x0f\x20\xdf\x0f\x22\xdf"  # mov edi, cr3 | mov cr3, edi: forget all translations

LOOPS = {
    "arithmetic": ARITHMETIC,
    "change-and-invlpg": FLIP + INVLPG + TOUCH,
    "change-and-reload-cr3": FLIP + RELOAD + TOUCH,
}


def program(body: bytes, count: int) -> bytes:
    """Return 32-bit code that does ``body`` ``count`` times and halts: mov ecx, count | body | loop | hlt."""
    return b"\xb9" + struct.pack("<I", count) + body + b"\xe2" + bytes([256 - len(body) - 2]) + b"\xf4"


def page_table() -> bytes:
    """Return a table that maps the first 64 KiB to themselves, and PAGE to the first frame."""
    entries = [number * 4096 | PRESENT_WRITABLE for number in range(16)] + [0] * 1008
    entries[PAGE // 4096] = FRAMES[0] | PRESENT_WRITABLE
    return struct.pack("<1024I", *entries)


def protected_mode(machine: VirtualMachine) -> None:
    """Switch the vCPU to 32-bit protected mode with paging, flat segments, no interrupts."""
    system = machine.system_registers()
    for name in ("cs", "ds", "es", "fs", "gs", "ss"):
        segment = getattr(system, name)
        segment.base, segment.limit, segment.selector = 0, 0xFFFFFFFF, 8 if name == "cs" else 16
        segment.type, segment.present, segment.s, segment.db, segment.g = (
            (11 if name == "cs" else 3),
            1,
            1,
            1,
            1,
        )
    # PE, NE, WP and PG: write protection is what lets a hypervisor see changes of a table that it shadows.
    system.cr0, system.cr3, system.cr4 = 0x80010021, DIRECTORY, 0
    machine.set_system_registers(system)
    machine.set_registers(rip=CODE)


def counters(machine: VirtualMachine) -> dict[str, int]:
    """Return what KVM has counted for this vCPU (struct kvm_stats_header and kvm_stats_desc of kvm.h)."""
    file = fcntl.ioctl(machine.vcpu, GET_STATS, 0)
    try:
        _, name_size, number, _, descriptors, data = struct.unpack("=6I", os.pread(file, 24, 0))
        found = {}
        for index in range(number):
            row = os.pread(file, 16 + name_size, descriptors + index * (16 + name_size))
            offset, name = struct.unpack_from("=I", row, 8)[0], row[16:].split(b"\0")[0].decode()
            if name in COUNTERS:
                found[name] = struct.unpack("=Q", os.pread(file, 8, data + offset))[0]
        return found
    finally:
        os.close(file)


def run(body: bytes, count: int) -> dict[str, Any]:
    """Run one loop in a new VM; return the exits that it caused and its time."""
    machine = VirtualMachine()
    try:
        machine.load(CODE, program(body, count))
        machine.load(DIRECTORY, struct.pack("<I", TABLE | PRESENT_WRITABLE))
        machine.load(TABLE, page_table())
        protected_mode(machine)
        before = counters(machine)
        start = time.perf_counter()
        reason = machine.run()
        seconds = time.perf_counter() - start
        if reason != "HLT":
            raise OSError(f"the guest ended with {reason} ({machine.detail():#x}), and not with HLT")
        after = counters(machine)
    finally:
        machine.close()
    return {
        "count": count,
        "exits": {name: after[name] - before[name] for name in after},
        "exits_per_change": (after["exits"] - before["exits"]) / count,
        "seconds": seconds,
        "microseconds_per_change": seconds / count * 1e6,
    }


def two_tables() -> str | None:
    """Return whether KVM uses EPT or NPT, as its module says it: "Y", "N" (older kernels: "1", "0")."""
    for parameter in ("kvm_intel/parameters/ept", "kvm_amd/parameters/npt"):
        try:
            return pathlib.Path("/sys/module", parameter).read_text().strip()
        except OSError:
            continue
    return None


def main() -> int:
    """Run all loops, and print what they cost for people or as JSON."""
    parser = argparse.ArgumentParser(description="Count the exits of a guest that changes its page tables.")
    parser.add_argument("--count", type=int, default=1000, help="how many changes the guest makes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.count < 1:
        parser.error("--count is at least 1")
    try:
        loops = {name: run(body, options.count) for name, body in LOOPS.items()}
    except OSError as failed:
        print(f"page_tables: {failed}", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps({"schema": "tdlab.page-tables/1", "two_tables": two_tables(), "loops": loops}))
        return 0
    print(f"EPT or NPT: {two_tables() or 'unknown'}")
    for name, found in loops.items():
        each = f"{found['exits_per_change']:.3f} exits, {found['microseconds_per_change']:.2f} µs"
        print(f"{name}: {each} each time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
