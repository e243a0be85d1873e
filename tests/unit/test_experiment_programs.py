"""The lab's small programs, as far as they can be held to account without KVM."""

from __future__ import annotations

import ctypes
import importlib.util
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest

from domains import paths

FOLDER = paths.LABS / "r202" / "experiments"


def load(path: str) -> ModuleType:
    file = FOLDER / path
    spec = importlib.util.spec_from_file_location(Path(path).stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def exit_meter(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("exit-meter/exit_meter.py")
    monkeypatch.setitem(sys.modules, "exit_meter", module)
    return module


def test_the_structures_have_the_sizes_that_the_kernel_expects(exit_meter: ModuleType) -> None:
    sizes = [ctypes.sizeof(getattr(exit_meter, name)) for name in ("Segment", "SystemRegisters", "Registers")]
    assert sizes == [24, 312, 144]
    # A request to the kernel carries its operand's size in bits 16 to 29.
    assert [request >> 16 & 0x3FFF for request in (exit_meter.SET_SREGS, exit_meter.SET_REGS)] == [312, 144]


def test_the_loop_goes_back_to_its_body(exit_meter: ModuleType) -> None:
    code = exit_meter.loop(exit_meter.OUT, 2000)
    assert code[:6] == b"\x66\xb9" + struct.pack("<I", 2000)
    (back,) = struct.unpack("b", code[-2:-1])
    assert len(code) - 1 + back == 6
    assert code[-1:] == b"\xf4"
    assert len(code) == len(exit_meter.loop(exit_meter.NOTHING, 2000))


def test_a_walk_visits_every_page_once_and_both_tables_map_the_same(exit_meter: ModuleType) -> None:
    walk = load("tlb/page_walk.py")
    chain = walk.chain(1024)
    assert sorted(address // 4096 for address in chain) == list(range(512, 512 + 1024))
    assert walk.chain(1024) == chain
    size = 6 * walk.MIB2
    small, large = walk.tables(size, walk.KIB4), walk.tables(size, walk.MIB2)
    entries = struct.unpack(f"<{size // 4096}Q", small[walk.LEVEL1])
    assert [entry >> 12 for entry in entries] == list(range(size // 4096))
    regions = struct.unpack("<6Q", large[walk.LEVEL2])
    assert [entry & ~0xFFF for entry in regions] == [number * walk.MIB2 for number in range(6)]
    assert all(entry & walk.LARGE for entry in regions)
    # The tables lie below the data, and the lowest one has room for the longest walk.
    assert walk.LEVEL1 + 4096 * (16384 // 512 + 1) <= walk.DATA


def test_the_bad_entry_sets_both_bits_that_exclude_each_other() -> None:
    bad = load("vmcs/bad_entry.py")
    registers = bytearray(312)
    bad.nonsense(registers)
    _base, _limit, _selector, _type, present, _dpl, db, _s, long, *_ = bad.SEGMENT.unpack_from(registers, 0)
    assert (present, db, long) == (1, 1, 1)
    assert struct.unpack_from("=Q", registers, bad.EFER)[0] == 0x500


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["qemu", "-name", "guest=web,debug-threads=on"], True),
        (["qemu", "-name", "guest=web2,debug-threads=on"], False),
        (["grep", "guest=web"], False),
        (["qemu", "-name"], False),
        ([], False),
    ],
)
def test_the_process_of_a_vm_is_known_by_its_name_alone(words: list[str], found: bool) -> None:
    assert load("ps/processes.py").is_vm(words, "web") is found


def test_cpu_time_is_read_after_the_name_whatever_it_holds() -> None:
    ps = load("ps/processes.py")
    ticks = ps.os.sysconf("SC_CLK_TCK")
    stat = f"7 (CPU 0) KVM) S {' '.join(['0'] * 10)} {3 * ticks} {2 * ticks} 0"
    assert ps.cpu_seconds(stat) == 5.0


@pytest.mark.parametrize(
    ("vendor", "value", "says"),
    [
        ("GenuineIntel", 0x5, {"locked": True, "allows": True}),
        ("GenuineIntel", 0x1, {"locked": True, "allows": False}),
        ("GenuineIntel", 0x0, {"locked": False, "allows": False}),
        ("AuthenticAMD", 0x0, {"locked": False, "allows": True}),
        ("AuthenticAMD", 0x18, {"locked": True, "allows": False}),
        ("AuthenticAMD", 0x8, {"locked": True, "allows": True}),
    ],
)
def test_the_firmwares_register_is_read_by_vendor(vendor: str, value: int, says: dict[str, bool]) -> None:
    assert load("firmware/switches.py").judged(vendor, value) == says
