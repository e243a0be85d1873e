"""What the tiny guest holds: packages, programs, drivers, scripts."""

from __future__ import annotations

from pathlib import Path

from domains.errors import CapabilityMissing

HERE = Path(__file__).resolve().parent

# The package whose dependency is the distribution's current kernel. Ubuntu keeps the drivers of the older
# NIC models in linux-modules-extra, which only its "generic" kernel brings along.
KERNEL_PACKAGE = {"debian": "linux-image-amd64", "ubuntu": "linux-image-generic"}

PROGRAM_PACKAGES = ("busybox-static", "iperf3", "qemu-guest-agent")

# Where a program is looked for in the unpacked packages, and where it goes in the guest. Debian 13 ships
# everything under /usr, Debian 12 does not yet.
PROGRAMS = {
    "bin/busybox": ("usr/bin/busybox", "bin/busybox"),
    "bin/iperf3": ("usr/bin/iperf3", "bin/iperf3"),
    "bin/qemu-ga": ("usr/sbin/qemu-ga", "usr/bin/qemu-ga"),
}

# Drivers by what they drive. Their dependencies follow by themselves.
NIC_DRIVERS = (
    "e100",
    "e1000",
    "e1000e",
    "8139cp",
    "8139too",
    "pcnet32",
    "vmxnet3",
    "virtio_net",
    "igb",
    "igbvf",
)
DISK_DRIVERS = ("virtio_blk", "ata_piix", "ahci", "sd_mod", "vmw_pvscsi", "virtio_scsi")
CHANNEL_DRIVERS = ("virtio_console", "virtio_pci", "virtio_mmio")
# Without a source of entropy the first random number takes a second, in the midst of a transfer.
ENTROPY_DRIVERS = ("virtio_rng",)
# No device asks for it: an experiment loads it, to see a CPU with the extension and one without.
HYPERVISOR_DRIVERS = ("kvm_amd",)
DRIVERS = NIC_DRIVERS + DISK_DRIVERS + CHANNEL_DRIVERS + ENTROPY_DRIVERS + HYPERVISOR_DRIVERS

# Scripts of this folder and where they go.
SCRIPTS = {
    "init": HERE / "init",
    "bin/tdlab-net": HERE / "tdlab-net",
    "bin/tdlab-drivers": HERE / "tdlab-drivers",
    "sbin/shutdown": HERE / "shutdown",
}

FOLDERS = ("bin", "dev", "etc", "proc", "root", "run", "sbin", "sys", "tmp", "var")

LINKS = {"usr/bin": "../bin", "usr/sbin": "../sbin", "var/run": "../run", "etc/mtab": "/proc/mounts"}

TEXTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "etc/group": "root:x:0:\n",
    "etc/hosts": "127.0.0.1 localhost tdlab-guest\n",
}


def kernel_package(distribution: str, like: str = "") -> str:
    """Return the kernel package of a distribution, by its ID and ID_LIKE in os-release."""
    for name in (distribution, *like.split()):
        if name in KERNEL_PACKAGE:
            return KERNEL_PACKAGE[name]
    raise CapabilityMissing(
        f"no kernel package is known for the distribution {distribution!r}",
        remedy=f"use one of {', '.join(KERNEL_PACKAGE)}, or add its kernel package to {HERE / 'contents.py'}",
    )
