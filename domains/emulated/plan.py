"""What an emulated lab host looks like: its processor, its memory, its networks and its name in libvirt."""

from __future__ import annotations

import re
import uuid
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from domains import ownership, render
from domains.errors import UsageError

MEMORY = 4 << 30
VCPUS = 2
DEFAULT_NAME = "emulated"
# iommu=pt: the host's own devices are not translated, only those that are handed to guests.
KERNEL_ARGUMENTS = (
    "root=/dev/vda",
    "rw",
    "console=ttyS0",
    "quiet",
    "intel_iommu=on",
    "iommu=pt",
    "mitigations=off",
    "apparmor=0",
    "audit=0",
    # A grace period takes tens of milliseconds here, and each network and guest waits for dozens.
    "rcupdate.rcu_expedited=1",
    "transparent_hugepage=madvise",
    "cryptomgr.notests",
    "noreplace-smp",
    # Under load the emulated timer can be late enough for the kernel to call it broken, and panic.
    "no_timer_check",
    "systemd.show_status=no",
    "fsck.mode=skip",
    # The processors' time stamp counters are one clock here. Without being told, Linux doubts it and takes
    # the HPET: each look at the time is then a system call and a device read, thousands while QEMU starts.
    "tsc=reliable",
    "clocksource=tsc",
    "panic=-1",
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_NAMESPACE = uuid.UUID("6d1b1f1e-5a0e-4d1c-9a53-4f1d2f6c7a11")


class Networks(NamedTuple):
    """The networks of an emulated host: one to log in by, and a switch that its two igb NICs share."""

    login: str
    data: str


class Files(NamedTuple):
    """Paths on the outer host, as its QEMU sees them."""

    emulator: str
    kernel: str
    initramfs: str
    disk: str
    seed: str
    console: str


@dataclass(frozen=True)
class HostPlan:
    """An emulated host before it runs: memory in bytes, and the address it will have on its own subnet."""

    name: str
    run: str
    subnet: str  # the first three numbers: 10.211.7
    memory: int = MEMORY
    vcpus: int = VCPUS
    cpu_model: str = "EPYC-Milan"
    iommu: bool = True
    interrupt_remapping: bool = True

    @property
    def domain_name(self) -> str:
        """Its name in libvirt, which says whose it is."""
        return f"{ownership.PREFIX}host-{self.name}"

    @property
    def uuid(self) -> str:
        """The same for the same name: a saved state can only be restored under it."""
        return str(uuid.uuid5(_NAMESPACE, self.name))

    @property
    def address(self) -> str:
        """Where it is reached from here."""
        return f"{self.subnet}.2"

    @property
    def gateway(self) -> str:
        """This machine's address on the host's network."""
        return f"{self.subnet}.1"

    @property
    def networks(self) -> Networks:
        """The names of its networks in libvirt."""
        return Networks(f"{ownership.PREFIX}host-{self.name}", f"{ownership.PREFIX}host-{self.name}-data")

    @property
    def bridges(self) -> Networks:
        """The names of its bridges, which Linux limits to 15 characters."""
        tag = f"{zlib.crc32(self.name.encode()):08x}"
        return Networks(f"tdlh{tag}", f"tdld{tag}")

    @property
    def kernel_arguments(self) -> str:
        """Its kernel's command line."""
        return " ".join(KERNEL_ARGUMENTS)

    def mac(self, number: int) -> str:
        """Return the address of its n-th NIC: 0 to log in by, 1 and 2 the igb pair."""
        low = zlib.crc32(f"{self.name} {number}".encode()) & 0xFFFFFF
        return f"52:54:00:{low >> 16:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"

    def xml(self, files: Files, owner: render.Owner) -> str:
        """Return its domain XML."""
        cpu = {
            "mode": "custom",
            "model": self.cpu_model,
            "features": [("svm", "require"), ("npt", "require")],
        }
        return render.template("emulated_host.xml.j2").render(plan=self, files=files, owner=owner, cpu=cpu)


def check_name(name: str) -> str:
    """Return a host's name that libvirt, Linux and the file system can take; raise :class:`UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"a lab host cannot be called {name!r}",
            remedy="write a small letter, then at most 30 small letters, digits and dashes",
        )
    return name
