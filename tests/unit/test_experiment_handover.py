"""Devices handed to guests: what a guest tells of its PCI functions, and what goes with a device."""

from __future__ import annotations

from domains.devices import Inventory, PciDevice
from grader.experiments import handover

MIB = 1 << 20


def test_that_a_guests_functions_are_read_with_driver_and_memory() -> None:
    text = (
        "0000:00:00.0 0x8086 0x29c0 0x060000 - 0x0000000000000000 0x0000000000000000 0x0000000000000000,\n"
        "0000:02:00.0 0x1234 0x1111 0x038000 bochs-drm "
        "0x00000000fb000000 0x00000000fbffffff 0x0000000000042208,"
        "0x0000000000000000 0x0000000000000000 0x0000000000000000,"
        "0x00000000fe800000 0x00000000fe800fff 0x0000000000040200,"
        "0x000000000000c000 0x000000000000c03f 0x0000000000040101,\n"
    )
    bridge, display = handover.parse_functions(text)
    assert bridge == handover.Function("0000:00:00.0", "8086", "29c0", 0x060000)
    assert display.driver == "bochs-drm"
    assert display.class_ >> 16 == 0x03
    assert display.memory == (16 * MIB, 4096)  # the I/O ports are no memory


def test_that_a_function_without_bars_is_read_too() -> None:
    (one,) = handover.parse_functions("0000:00:1f.3 0x8086 0x2930 0x0c0500 -\n")
    assert one.memory == ()
    assert one.driver is None


def test_that_the_whole_group_goes_but_bridges_stay() -> None:
    bridge = PciDevice("0000:00:01.0", class_=0x060400, iommu_group=1)
    display = PciDevice("0000:01:00.0", class_=0x030000, iommu_group=1)
    sound = PciDevice("0000:01:00.1", class_=0x040300, iommu_group=1)
    seen = Inventory("h", (bridge, display, sound))
    assert handover.going(seen, display) == (display, sound)
