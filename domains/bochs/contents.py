"""What the Intel appliance is made of: packages, drivers, programs, and the words its kernel starts with."""

from __future__ import annotations

from pathlib import Path

from domains.errors import CapabilityMissing

HERE = Path(__file__).resolve().parent / "guest"

# Debian's cloud kernel has KVM and no drivers of hardware that Bochs would be asked about for nothing; it
# is also packed with LZ4, which costs an emulator a tenth of what xz does.
KERNEL_PACKAGE = {"debian": "linux-image-cloud-amd64", "ubuntu": "linux-image-virtual"}
PACKAGES = (
    "bochs",
    "bochs-term",
    "bochsbios",
    "vgabios",
    "isolinux",
    "syslinux-common",
    "xorriso",
    "busybox-static",
)

DRIVERS = ("kvm_intel",)

# What programs in the appliance may import, with all that these bring along; the rest of the standard library
# is not there, for each MB of the CD costs an emulator a tenth of a second.
LIBRARY = (
    "argparse",
    "base64",
    "collections",
    "contextlib",
    "ctypes",
    "dataclasses",
    "encodings.ascii",
    "encodings.latin_1",
    "errno",
    "fcntl",
    "json",
    "linecache",
    "locale",
    "mmap",
    "os",
    "pathlib",
    "re",
    "statistics",
    "struct",
    "sys",
    "termios",
    "time",
    "traceback",
    "tty",
    "types",
    "typing",
    "zlib",
)

# Of Bochs's own files, where the packages have them and where they go in the appliance's folder.
FIRMWARE = {"usr/share/bochs/BIOS-bochs-latest": "bios", "usr/share/vgabios/vgabios.bin": "vgabios"}
PLUGINS = "usr/lib/x86_64-linux-gnu/bochs/plugins"
BOOT_LOADER = ("usr/lib/ISOLINUX/isolinux.bin", "usr/lib/syslinux/modules/bios/ldlinux.c32")

# Bochs makes one tick of the emulated clocks for one instruction; this many are one second there.
INSTRUCTIONS_PER_SECOND = 100_000_000

# Seconds of this machine from starting Bochs to the agent's word are in brackets where one was measured.
KERNEL_ARGUMENTS = (
    "console=ttyS0",
    "quiet",  # each line on the emulated serial line costs 0.1 s [minus 35]
    "loglevel=3",
    "panic=0",  # a panic stays where it is, and its text on the console is found there
    "mitigations=off",
    # The CPUID of the emulated CPU promises 3.5 GHz. Believing it, the kernel waits 35 emulated seconds where
    # it means one: each jiffy, each grace period of RCU.
    f"tsc_early_khz={INSTRUCTIONS_PER_SECOND // 1000}",
    "lpj=200000",
    "tsc=reliable",
    "rcupdate.rcu_expedited=1",  # KVM waits for RCU when a VM ends [minus 7 for one VM]
    "noxsave",  # Bochs's XSAVE areas make the kernel warn, at length
    "nokaslr",
    "audit=0",
    "lsm=",
    "rodata=off",
    "noreplace-smp",
    "cryptomgr.notests",
    "ipv6.disable=1",
)


def kernel_package(distribution: str, like: str = "") -> str:
    """Return the kernel package of a distribution, by its ID and ID_LIKE in os-release."""
    for name in (distribution, *like.split()):
        if name in KERNEL_PACKAGE:
            return KERNEL_PACKAGE[name]
    raise CapabilityMissing(
        f"the Intel appliance is made from packages, and none are known for {distribution!r}",
        remedy=f"use one of {', '.join(KERNEL_PACKAGE)}; the emulated AMD host needs no Bochs",
    )
