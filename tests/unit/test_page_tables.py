"""The guest that changes its page tables: its code and its tables, byte by byte."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from domains import paths

FOLDER = paths.LABS / "r202" / "experiments" / "exit-meter"


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module, which finds exit_meter beside itself as a program does."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield import_module("page_tables")
    for name in ("page_tables", "exit_meter"):
        sys.modules.pop(name, None)


def test_that_the_loop_jumps_back_to_its_body_and_then_halts(guest: Any) -> None:
    for body in guest.LOOPS.values():
        code = guest.program(body, 1000)
        assert code[:5] == b"\xb9" + struct.pack("<I", 1000)  # mov ecx, 1000
        (jump,) = struct.unpack("b", code[-2:-1])
        assert code[-3] == 0xE2  # loop
        assert len(code) - 1 + jump == 5  # back to the byte after the mov
        assert code[-1] == 0xF4  # hlt


def test_that_the_table_maps_the_guest_itself_and_the_page_that_changes(guest: Any) -> None:
    entries = struct.unpack("<1024I", guest.page_table())
    present = {index * 4096: entry & ~0xFFF for index, entry in enumerate(entries) if entry & 1}
    assert present == {**{n * 4096: n * 4096 for n in range(16)}, guest.PAGE: guest.FRAMES[0]}
    assert guest.ENTRY == guest.TABLE + guest.PAGE // 4096 * 4


def test_that_a_change_swaps_the_two_frames_and_keeps_the_bits(guest: Any) -> None:
    address, mask = struct.unpack("<II", guest.FLIP[2:])
    assert address == guest.ENTRY
    assert (guest.FRAMES[0] | 3) ^ mask == guest.FRAMES[1] | 3


def test_that_a_count_below_one_is_refused(guest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["page_tables.py", "--count", "0"])
    with pytest.raises(SystemExit) as refused:
        guest.main()
    assert refused.value.code == 2
