#!/usr/bin/env python3
"""Ask VFIO for a device as a hypervisor does, and let it reach for memory that it was and was not given.

The kernel's VFIO hands a PCI device to an ordinary program: its IOMMU group to open, its registers to read
and write, and a table in the IOMMU, which leads from the addresses that the device uses (IOVA) to memory of
the program. QEMU fills that table with the guest's memory, and so the device can reach the guest and nothing
else. This program gives the device one page, and has it read at two addresses: the page's, and another.

    python3 confinement.py GROUP                # does VFIO hand out this group?
    python3 confinement.py GROUP ADDRESS        # and what may the device read? for NICs with the driver igb

Needs Python 3.9 and root; the device must be bound to vfio-pci. Nothing is sent on the network.
Constants and structures: the kernel's include/uapi/linux/vfio.h; the registers: Intel's 82576 datasheet.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import mmap
import os
import select
import struct
import sys
import time
from typing import Any

# The requests of VFIO: to its container, to a group, to a device.
SET_IOMMU, GET_INFO, MAP_DMA = 0x3B66, 0x3B70, 0x3B71
GROUP_STATUS, SET_CONTAINER, DEVICE_FD = 0x3B67, 0x3B68, 0x3B6A
REGION_INFO = 0x3B6C
TYPE1V2, VIABLE, READ_WRITE, IOVA_RANGES = 3, 1, 3, 1
BAR0, CONFIG_SPACE = 0, 7

PAGE = 4096
GIVEN = 0x100000  # where the device finds the page that it was given
# Not given. In every PC this physical address is memory, and the host's kernel uses it.
NOT_GIVEN = 0x200000

# Registers of the NIC, and bits in them.
COMMAND, MEMORY_AND_DMA = 0x04, 0x6
CTRL, RESET = 0x0000, 1 << 26
IMC, TCTL, ENABLE_SENDING = 0x150C, 0x0400, 1 << 1
QUEUE, QUEUE_SIZE, QUEUE_HEAD, QUEUE_TAIL = 0xE000, 0xE008, 0xE010, 0xE018
QUEUE_CONTROL, ENABLE_QUEUE = 0xE028, 1 << 25
# A descriptor that sends nothing: it only sets up what later ones would send.
CONTEXT = struct.pack("<QII", 0, 0x20200000, 0)

LOG_SECONDS, NIC_SECONDS = 1.5, 2.0


class Refused(Exception):
    """VFIO said no: at which step, and the kernel's word."""

    def __init__(self, step: str, why: OSError) -> None:
        super().__init__(f"{step}: {why.strerror}")
        self.step, self.why = step, why.strerror or str(why)


class KernelLog:
    """What the kernel writes from now on."""

    def __init__(self) -> None:
        self.file = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self.file, 0, os.SEEK_END)

    def new(self) -> list[str]:
        """Return the lines that came; the first may take a moment, for faults are told by an interrupt."""
        lines: list[str] = []
        end = time.monotonic() + LOG_SECONDS
        while select.select([self.file], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                lines.append(message(os.read(self.file, 8192).decode(errors="replace")))
            except OSError as why:
                if why.errno not in (errno.EAGAIN, errno.EPIPE):  # EPIPE: older lines were dropped
                    raise
            if time.monotonic() > end:
                break
        return lines


def message(record: str) -> str:
    """Return the text of a record of /dev/kmsg."""
    return record.split(";", 1)[-1].split("\n", 1)[0]


def attach(group: int) -> tuple[int, int]:
    """Open a group and give it an IOMMU table of its own; return the files of container and group."""
    step = "open /dev/vfio/vfio"
    try:
        container = os.open("/dev/vfio/vfio", os.O_RDWR)
        step = f"open /dev/vfio/{group}"
        opened = os.open(f"/dev/vfio/{group}", os.O_RDWR)
        step = "VFIO_GROUP_GET_STATUS"
        status = bytearray(struct.pack("<II", 8, 0))
        fcntl.ioctl(opened, GROUP_STATUS, status)
        if not struct.unpack("<II", status)[1] & VIABLE:
            raise OSError(errno.EPERM, "the group is not viable: a driver of the host has a device of it")
        step = "VFIO_GROUP_SET_CONTAINER"
        fcntl.ioctl(opened, SET_CONTAINER, struct.pack("<i", container))
        step = "VFIO_SET_IOMMU"
        fcntl.ioctl(container, SET_IOMMU, TYPE1V2)
    except OSError as why:
        raise Refused(step, why) from why
    return container, opened


def windows(container: int) -> list[list[int]]:
    """Return the first and last address of each range in which a device can be given memory."""
    info = bytearray(4096)
    struct.pack_into("<I", info, 0, len(info))
    fcntl.ioctl(container, GET_INFO, info)
    return parse_windows(bytes(info))


def parse_windows(info: bytes) -> list[list[int]]:
    """Read ``struct vfio_iommu_type1_info`` and the chain of capabilities behind it."""
    at: int = struct.unpack_from("<IIQI", info)[3]
    while at:
        kind, _, following = struct.unpack_from("<HHI", info, at)
        if kind == IOVA_RANGES:
            count = struct.unpack_from("<I", info, at + 8)[0]
            return [list(struct.unpack_from("<QQ", info, at + 16 + 16 * one)) for one in range(count)]
        at = following
    return []


def give(container: int, page: mmap.mmap, iova: int) -> None:
    """Let the devices of the container reach a page of ours, at an address of our choice."""
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    fcntl.ioctl(container, MAP_DMA, struct.pack("<IIQQQ", 32, READ_WRITE, address, iova, PAGE))


class Nic:
    """The registers of a NIC that VFIO has handed to us."""

    def __init__(self, group: int, address: str) -> None:
        # Only with a buffer that it may change does Python's ioctl return the kernel's answer: the file.
        self.file: int = fcntl.ioctl(group, DEVICE_FD, bytearray(address.encode() + b"\0"))
        self.registers, self.config = self.region(BAR0), self.region(CONFIG_SPACE)

    def region(self, number: int) -> int:
        """Return where a region begins in the device's file."""
        info = bytearray(struct.pack("<IIIIQQ", 32, 0, number, 0, 0, 0))
        fcntl.ioctl(self.file, REGION_INFO, info)
        return int(struct.unpack("<IIIIQQ", info)[5])

    def read(self, register: int) -> int:
        """Return a register."""
        return int.from_bytes(os.pread(self.file, 4, self.registers + register), "little")

    def write(self, register: int, value: int) -> None:
        """Set a register."""
        os.pwrite(self.file, value.to_bytes(4, "little"), self.registers + register)

    def start(self) -> None:
        """Reset the NIC, and let it read and write memory by itself."""
        os.pwrite(self.file, MEMORY_AND_DMA.to_bytes(2, "little"), self.config + COMMAND)
        self.write(CTRL, self.read(CTRL) | RESET)
        until(lambda: not self.read(CTRL) & RESET)
        os.pwrite(self.file, MEMORY_AND_DMA.to_bytes(2, "little"), self.config + COMMAND)
        self.write(IMC, 0xFFFFFFFF)

    def fetch(self, iova: int) -> bool:
        """Have the NIC read one descriptor at an address; return whether it went past it."""
        self.start()
        self.write(QUEUE, iova & 0xFFFFFFFF)
        self.write(QUEUE + 4, iova >> 32)
        self.write(QUEUE_SIZE, 128)
        self.write(QUEUE_HEAD, 0)
        self.write(QUEUE_CONTROL, ENABLE_QUEUE)
        until(lambda: bool(self.read(QUEUE_CONTROL) & ENABLE_QUEUE))
        self.write(TCTL, ENABLE_SENDING)
        self.write(QUEUE_TAIL, 1)
        return until(lambda: self.read(QUEUE_HEAD) == 1)


def until(condition: Any) -> bool:
    """Ask the NIC until it is so; return whether it became so in time."""
    end = time.monotonic() + NIC_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
    return True


def reach(container: int, group: int, address: str, log: KernelLog) -> list[dict[str, Any]]:
    """Give the NIC one page, and let it read at two addresses."""
    page = mmap.mmap(-1, PAGE)
    page[: len(CONTEXT)] = CONTEXT
    give(container, page, GIVEN)
    nic = Nic(group, address)
    tries = []
    for iova in (GIVEN, NOT_GIVEN):
        went_on = nic.fetch(iova)
        lines = log.new()
        tries.append({"iova": iova, "given": iova == GIVEN, "went_on": went_on, "log": lines})
    nic.write(QUEUE_CONTROL, 0)
    return tries


def main(words: list[str]) -> dict[str, Any]:
    """Carry out what the words ask for, and tell what came of it."""
    log = KernelLog()
    told: dict[str, Any] = {"refused": None, "windows": [], "tries": []}
    try:
        container, group = attach(int(words[0]))
    except Refused as no:
        told["refused"] = {"step": no.step, "why": no.why}
        told["log"] = log.new()
        return told
    told["windows"] = windows(container)
    told["log"] = log.new()
    if len(words) > 1:
        told["tries"] = reach(container, group, words[1], log)
    return told


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=1))
