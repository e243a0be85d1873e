#!/usr/bin/env python3
"""What a miss in the TLB costs: the same walk through memory, with pages of 4 KiB and with pages of 2 MiB.

The guest runs in 64-bit mode on page tables that this program writes. It follows a chain of pointers, one in
each 4 KiB of its memory, in a random order, so that each step needs another translation. With pages of 4 KiB
the translations are as many as the steps, and a TLB holds one or two thousand; with pages of 2 MiB one
translation serves 512 steps, and a miss is one table shorter. Memory, chain and code are the same both times.

    python3 page_walk.py          # finds exit_meter.py, whose virtual machine it uses, in ../exit-meter

In a VM each miss walks two tables, the guest's and the hypervisor's: up to 24 loads instead of 4. The host is
asked to back the guest's memory by pages of 2 MiB both times, so that only the guest's own pages differ.
"""

from __future__ import annotations

import argparse
import json
import mmap
import pathlib
import random
import struct
import sys
import time

if "exit_meter" not in sys.modules:  # run as a file of the lab, and not fed to a host's Python
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "exit-meter"))
from exit_meter import VirtualMachine

KIB4, MIB2 = 4096, 2 * 1024 * 1024
PRESENT_WRITABLE, LARGE = 0x3, 0x80
# Where things lie in the guest's memory: one table of each upper level, as many of the lowest as are needed.
CODE, LEVEL4, LEVEL3, LEVEL2, LEVEL1, DATA = 0x1000, 0x2000, 0x3000, 0x4000, 0x10000, MIB2

STEPS_A_ROUND = 8
STEP = b"\x48\x8b\x00"  # mov rax, [rax]
CHASE = STEP * STEPS_A_ROUND + b"\x48\xff\xc9\x75" + bytes([256 - len(STEP) * STEPS_A_ROUND - 5]) + b"\xf4"


def tables(size: int, page: int) -> dict[int, bytes]:
    """Return the page tables, by address, that map ``size`` bytes to themselves in pages of ``page``."""
    regions = range(size // MIB2)
    if page == MIB2:
        level2 = [number * MIB2 | PRESENT_WRITABLE | LARGE for number in regions]
    else:
        level2 = [LEVEL1 + number * KIB4 | PRESENT_WRITABLE for number in regions]
    found = {
        LEVEL4: struct.pack("<Q", LEVEL3 | PRESENT_WRITABLE),
        LEVEL3: struct.pack("<Q", LEVEL2 | PRESENT_WRITABLE),
        LEVEL2: struct.pack(f"<{len(level2)}Q", *level2),
    }
    if page == KIB4:
        entries = [number * KIB4 | PRESENT_WRITABLE for number in range(size // KIB4)]
        found[LEVEL1] = struct.pack(f"<{len(entries)}Q", *entries)
    return found


def chain(count: int) -> list[int]:
    """Return addresses, one in each of ``count`` pages of 4 KiB, in a random order, always the same."""
    # Each at another offset: addresses that differ by whole pages would share a few lines of the cache.
    addresses = [DATA + number * KIB4 + number * 64 % KIB4 for number in range(count)]
    random.Random(1).shuffle(addresses)  # noqa: S311 (an order, and no secret)
    return addresses


def machine(count: int, page: int) -> VirtualMachine:
    """Return a VM in 64-bit mode with ``count`` pages of data, mapped in pages of ``page`` bytes."""
    size = DATA + -(-count * KIB4 // MIB2) * MIB2
    made = VirtualMachine(size)
    made.memory.madvise(mmap.MADV_HUGEPAGE)
    made.load(CODE, CHASE)
    for address, table in tables(size, page).items():
        made.load(address, table)
    addresses = chain(count)
    for here, there in zip(addresses, addresses[1:] + addresses[:1]):  # noqa: B905 (Python 3.9)
        made.load(here, struct.pack("<Q", there))
    made.allow_all_features()
    system = made.system_registers()
    for name in ("cs", "ds", "es", "fs", "gs", "ss"):
        segment = getattr(system, name)
        segment.base, segment.limit, segment.present, segment.s, segment.g = 0, 0xFFFFFFFF, 1, 1, 1
        segment.type, segment.l, segment.db = (11, 1, 0) if name == "cs" else (3, 0, 1)
        segment.selector = 8 if name == "cs" else 16
    # CR0: PG, NE, PE; CR4: PAE; EFER: LMA, LME.
    system.cr0, system.cr3, system.cr4, system.efer = 0x80000021, LEVEL4, 0x20, 0x500
    made.set_system_registers(system)
    return made


def chase(guest: VirtualMachine, start: int, steps: int) -> float:
    """Let the guest follow the chain; return nanoseconds a step."""
    guest.set_registers(rip=CODE, rax=start, rcx=steps // STEPS_A_ROUND)
    began = time.perf_counter()
    reason = guest.run()
    while reason == "INTR":
        reason = guest.run()
    seconds = time.perf_counter() - began
    if reason != "HLT":
        raise OSError(f"the guest ended with {reason} ({guest.detail():#x}), and not with HLT")
    return seconds / steps * 1e9


def measure(counts: list[int], steps: int, repeat: int) -> list[dict[str, object]]:
    """Return, for each number of pages, the nanoseconds a step with both sizes of page, taken in turn."""
    rows: list[dict[str, object]] = []
    for count in counts:
        guests = {"4k": machine(count, KIB4), "2m": machine(count, MIB2)}
        start = chain(count)[0]
        samples: dict[str, list[float]] = {name: [] for name in guests}
        for guest in guests.values():  # once through all of it, so that the host has given the memory
            chase(guest, start, -(-count // STEPS_A_ROUND) * STEPS_A_ROUND)
        for _ in range(repeat):
            for name, guest in guests.items():
                samples[name].append(chase(guest, start, steps))
        for guest in guests.values():
            guest.close()
        rows.append({"pages": count, "kib": count * 4, "nanoseconds": samples})
    return rows


def main() -> int:
    """Measure, and print it for people or as JSON."""
    parser = argparse.ArgumentParser(description="Time a step through memory with pages of 4 KiB and 2 MiB.")
    parser.add_argument("--pages", type=int, nargs="+", default=[16, 64, 256, 1024, 4096, 16384])
    parser.add_argument("--steps", type=int, default=400_000, help="steps each time")
    parser.add_argument("--repeat", type=int, default=5, help="how often each is measured")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    try:
        rows = measure(options.pages, options.steps, options.repeat)
    except OSError as failed:
        print(f"page_walk: {failed}", file=sys.stderr)
        return 3
    if options.json:
        print(json.dumps({"schema": "tdlab.page-walk/1", "steps": options.steps, "rows": rows}))
        return 0
    for row in rows:
        samples = row["nanoseconds"]
        told = {name: min(values) for name, values in samples.items()} if isinstance(samples, dict) else {}
        print(f"{row['pages']} pages: {told['4k']:.1f} ns with 4 KiB, {told['2m']:.1f} ns with 2 MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
