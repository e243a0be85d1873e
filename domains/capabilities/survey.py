"""What one script saw on a host, in one round trip; everything after it is a pure function of its text."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from domains import paths
from domains.capabilities.model import HugePages, PciFunction
from domains.errors import InfrastructureError
from domains.host import Host

SCRIPT = Path(__file__).with_name("survey.sh")
EMULATOR = str(paths.SYSTEM_QEMU)
_SECONDS = 30.0
_PCI = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]")

Opened = Literal["opens", "missing", "refused", "unknown"]


@dataclass(frozen=True)
class Interface:
    """A network interface of the host; ``device`` is the PCI address behind it, if there is one."""

    name: str
    device: str | None
    master: str | None
    is_bridge: bool


@dataclass(frozen=True)
class Survey:
    """The sections of the script's output by name. What could not be read is an empty text."""

    sections: Mapping[str, str]

    def text(self, section: str) -> str:
        """Return a section without surrounding white space; empty when the host could not tell."""
        return self.sections.get(section, "").strip()

    def lines(self, section: str) -> list[str]:
        """Return the lines of a section that are not empty."""
        return [line.strip() for line in self.text(section).splitlines() if line.strip()]

    def opened(self, section: str) -> tuple[Opened, str]:
        """Return what became of opening a device, and the words of the refusal."""
        lines = self.lines(section)
        if not lines:
            return "unknown", ""
        word, _, reason = lines[0].partition(" ")
        if word == "opens":
            return "opens", ""
        if word == "missing":
            return "missing", ""
        return "refused", reason

    @functools.cached_property
    def cpu(self) -> dict[str, str]:
        """The first CPU of /proc/cpuinfo, keys as the kernel writes them."""
        pairs = (line.partition(":") for line in self.lines("cpuinfo"))
        return {key.strip(): value.strip() for key, _, value in pairs}

    @functools.cached_property
    def cpu_flags(self) -> frozenset[str]:
        """The CPU's flags; what newer kernels list apart as "vmx flags" is among them."""
        return frozenset(f"{self.cpu.get('flags', '')} {self.cpu.get('vmx flags', '')}".split())

    @property
    def vendor(self) -> Literal["intel", "amd"] | None:
        """Whose virtualisation extension the CPU would have."""
        names: dict[str, Literal["intel", "amd"]] = {
            "GenuineIntel": "intel",
            "AuthenticAMD": "amd",
            "HygonGenuine": "amd",
        }
        return names.get(self.cpu.get("vendor_id", ""))

    @property
    def extension(self) -> str | None:
        """The flag of the virtualisation extension that the CPU shows: "vmx", "svm" or None."""
        return next((flag for flag in ("vmx", "svm") if flag in self.cpu_flags), None)

    @property
    def outer_hypervisor(self) -> str | None:
        """The name of the hypervisor that this host is a guest of; None on bare metal."""
        if "hypervisor" not in self.cpu_flags:
            return None
        names = [*self.lines("outer"), " ".join(self.lines("product"))]
        return ", ".join(name for name in names if name and name != "none") or "an unnamed hypervisor"

    @functools.cached_property
    def modules(self) -> dict[str, dict[str, str]]:
        """The loaded kvm modules, each with the parameters that matter here."""
        found: dict[str, dict[str, str]] = {}
        for line in self.lines("modules"):
            module, _, setting = line.partition(" ")
            parameters = found.setdefault(module, {})
            if setting:
                key, _, value = setting.partition("=")
                parameters[key] = value
        return found

    @property
    def kvm_module(self) -> str | None:
        """The vendor's kvm module that is loaded, or None."""
        return next((name for name in ("kvm_intel", "kvm_amd") if name in self.modules), None)

    def parameter(self, key: str) -> bool | None:
        """Return a switch among the vendor module's parameters; None when it has none of this name."""
        value = self.modules.get(self.kvm_module or "", {}).get(key)
        return None if value is None else value in {"Y", "1"}

    def can_load(self, module: str) -> bool:
        """Return whether this kernel has a module that is not loaded yet."""
        return module in self.lines("loadable")

    @functools.cached_property
    def pci(self) -> tuple[PciFunction, ...]:
        """The PCI functions of the host."""
        behind: dict[str, list[str]] = {}
        for interface in self.interfaces:
            if interface.device:
                behind.setdefault(interface.device, []).append(interface.name)
        return tuple(_function(line, behind) for line in self.lines("pci"))

    @functools.cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """The network interfaces of the host."""
        return tuple(_interface(line) for line in self.lines("interfaces"))

    @property
    def management(self) -> frozenset[str]:
        """PCI addresses of the NICs that the host is reached by: by default route, and by our login."""
        names = {match[1] for line in self.lines("routes") if (match := re.search(r"\bdev (\S+)", line))}
        names |= {line.split()[1] for line in self.lines("reached-at") if len(line.split()) > 1}
        below = {interface.name for interface in self.interfaces if interface.master in names}
        return frozenset(
            interface.device
            for interface in self.interfaces
            if interface.device and interface.name in names | below
        )

    @property
    def bridges(self) -> frozenset[str]:
        """The names of the host's bridges."""
        return frozenset(interface.name for interface in self.interfaces if interface.is_bridge)

    @property
    def hugepages(self) -> tuple[HugePages, ...]:
        """The pools of huge pages, smallest pages first."""
        found = []
        for line in self.lines("hugepages"):
            if match := re.fullmatch(r"(\d+)kB (\d+) (\d+)", line):
                found.append(HugePages(int(match[1]) * 1024, int(match[2]), int(match[3])))
        return tuple(sorted(found, key=lambda pool: pool.size))

    @property
    def memory_total(self) -> int | None:
        """The host's memory in bytes."""
        match = re.search(r"MemTotal:\s+(\d+) kB", self.text("memory"))
        return int(match[1]) * 1024 if match else None

    @property
    def cpus(self) -> frozenset[int] | None:
        """The numbers of the host's CPUs that are online."""
        if not self.text("cpus"):
            return None
        found: set[int] = set()
        for part in self.text("cpus").split(","):
            first, _, last = part.partition("-")
            found |= set(range(int(first), int(last or first) + 1))
        return frozenset(found)


def look(host: Host) -> Survey:
    """Run the script on a host and return what it saw; raises when the host cannot be asked at all."""
    done = host.run(["sh", "-c", SCRIPT.read_text(), "tdlab-survey", EMULATOR], timeout=_SECONDS, check=False)
    survey = parse(done.stdout)
    if "end" not in survey.sections:
        raise InfrastructureError(
            f"{host.name} could not be looked at: {done.stderr.strip() or f'status {done.status}'}",
            remedy="check that a shell command can be run on the host",
        )
    return survey


def parse(text: str) -> Survey:
    """Split the script's output into its sections."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@ "):
            current = sections.setdefault(line[3:].strip(), [])
        else:
            current.append(line)
    return Survey({name: "\n".join(lines) for name, lines in sections.items()})


def _function(line: str, behind: Mapping[str, list[str]]) -> PciFunction:
    address, *settings = line.split()
    get = dict(setting.split("=", 1) for setting in settings).get
    group, possible = get("iommu_group"), get("sriov_totalvfs")
    return PciFunction(
        address=address,
        device_class=int(get("class", "0"), 16),
        vendor=get("vendor", "").removeprefix("0x"),
        device=get("device", "").removeprefix("0x"),
        driver=get("driver"),
        iommu_group=int(group) if group else None,
        pf=get("physfn"),
        vfs_possible=int(possible) if possible else None,
        vfs_enabled=int(get("sriov_numvfs", "0")),
        interfaces=tuple(behind.get(address, ())),
    )


def _interface(line: str) -> Interface:
    name, *settings = line.split()
    get = dict(setting.split("=", 1) for setting in settings).get
    # A virtio NIC's device is not the PCI function but a device on it: the path's last PCI address counts.
    addresses = _PCI.findall(get("device", ""))
    return Interface(name, addresses[-1] if addresses else None, get("master"), get("bridge") == "yes")
