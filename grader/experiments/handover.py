"""What an experiment asks of a device that is handed to a guest: who has it, and who is refused it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from domains import wait
from domains.devices import Inventory, PciDevice
from domains.errors import HypervisorError, InfrastructureError
from domains.host import Host
from domains.lifecycle import Domain
from domains.spec import DomainSpec
from grader.experiments.stage import Stage
from grader.measure import iperf

_SLACK_SECONDS = 30
_GUEST_PCI = (
    "for device in /sys/bus/pci/devices/*; do read -r vendor <$device/vendor; read -r id <$device/device;"
    " read -r class <$device/class; driver=-; [ ! -e $device/driver ] || driver=$(readlink $device/driver);"
    ' echo "${device##*/} $vendor $id $class ${driver##*/} $(tr "\\n" "," <$device/resource)"; done'
)
_SPACE = 0x00000200  # IORESOURCE_MEM of <linux/ioport.h>


@dataclass(frozen=True)
class Function:
    """A PCI function as a guest sees it; ``memory`` holds the sizes of its memory BARs in bytes."""

    address: str
    vendor: str
    device: str
    class_: int
    driver: str | None = None
    memory: tuple[int, ...] = ()


def lspci(host: Host, *addresses: str) -> str:
    """Return what `lspci -nnk` says of some devices of a host, or why it says nothing."""
    said = [host.run(["lspci", "-D", "-nnk", "-s", one], timeout=20, check=False) for one in addresses]
    return "".join(one.stdout or one.stderr for one in said)


def opened(stage: Stage, group: int) -> str | None:
    """Open the VFIO file of a group as root, as a hypervisor does; return the kernel’s words of refusal."""
    words = ["sh", "-c", 'exec 3<>"$1"', "tdlab", f"/dev/vfio/{group}"]
    done = stage.as_root(words, check=False)
    return None if done.status == 0 else done.stderr.strip().rpartition(": ")[2]


def refused(stage: Stage, spec: DomainSpec, device: str) -> str:
    """Start a guest with a device that another one has, and return libvirt's words; they are kept too.

    Raises :class:`InfrastructureError` when the guest is given the device, or is refused for another reason.
    """
    try:
        with stage.guest(spec):
            pass
    except HypervisorError as why:
        if device not in why.problem:
            raise
        stage.evidence(f"{spec.name}-refused.txt", why.problem + "\n")
        return why.problem
    raise InfrastructureError(f"{spec.name} was given {device}, which another guest has")


def functions(domain: Domain) -> tuple[Function, ...]:
    """Return the PCI functions that a guest sees."""
    return parse_functions(domain.guest.shell(_GUEST_PCI))


def parse_functions(text: str) -> tuple[Function, ...]:
    """Read what the guest prints of its PCI functions, one a line."""
    found = []
    for line in text.splitlines():
        address, vendor, device, class_, driver, *resource = line.split(maxsplit=5)
        found.append(
            Function(
                address,
                vendor.removeprefix("0x"),
                device.removeprefix("0x"),
                int(class_, 16),
                None if driver == "-" else driver,
                tuple(_sizes("".join(resource))),
            )
        )
    return tuple(found)


def _sizes(resource: str) -> list[int]:
    """Return the sizes of memory BARs: of each BAR, sysfs gives first byte, last byte and flags."""
    sizes = []
    for bar in resource.split(",")[:6]:
        if match := re.fullmatch(r"(0x\w+) (0x\w+) (0x\w+)", bar.strip()):
            start, end, flags = (int(one, 16) for one in match.groups())
            if flags & _SPACE and end > start:
                sizes.append(end - start + 1)
    return sizes


def going(seen: Inventory, device: PciDevice) -> tuple[PciDevice, ...]:
    """Return what a guest must be given to have a device: it, and what shares its IOMMU group."""
    return (device, *seen.companions(device))


def transfer(host: Host, address: str, *, seconds: int, warmup: int = 1) -> iperf.Throughput:
    """Move data from the host to a guest by TCP, as fast as it goes."""
    command = iperf.client(address, "to_guest", seconds=seconds, warmup=warmup)

    def listened() -> str | None:
        done = host.run(command, timeout=seconds + warmup + _SLACK_SECONDS, check=False)
        return None if iperf.nothing_began(done.stdout) else done.stdout

    return iperf.parse(wait.until(listened, waiting_for=f"iperf3 at {address}", deadline=10))


def side_by_side(host: Host, addresses: list[str], *, seconds: int) -> list[iperf.Throughput]:
    """Move data from the host to several guests at the same time, as :func:`transfer` does to one."""
    with ThreadPoolExecutor(len(addresses)) as threads:
        return list(threads.map(lambda one: transfer(host, one, seconds=seconds), addresses))
