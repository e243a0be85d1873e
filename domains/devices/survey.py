"""One look at a host's PCI devices, in one round trip; everything after it is a pure function of its text."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from domains.devices.model import Disk, Interface, Inventory, Mount, PciDevice
from domains.errors import InfrastructureError
from domains.host import Host

SCRIPT = Path(__file__).with_name("survey.sh")
_SECONDS = 30.0
_ADDRESS = r"[0-9a-f]{4,}:[0-9a-f]{2}:[01][0-9a-f]\.[0-7]"
_PCI = re.compile(_ADDRESS)
# What `ls -ld` prints of a symbolic link, from the tree on; the names before " -> " hold no spaces.
_LINK = re.compile(r"(/sys/\S+) -> (\S+)$")
_PCI_LINK = re.compile(rf"/sys/bus/pci/devices/({_ADDRESS})(?:/(\w+))?")
_NET_LINK = re.compile(r"/sys/class/net/([^/]+)(?:/(\w+?)(?:_([^/]+))?)?")
_BLOCK_LINK = re.compile(r"/sys/class/block/([^/]+)(?:/slaves/([^/]+))?")
_VALUE = re.compile(
    rf"/sys/(?:bus/pci/devices/({_ADDRESS})|class/net/([^/]+)|class/block/([^/]+)|kernel/iommu_groups/(\d+))"
    r"/(\w+):(.*)"
)
_UP = 1  # IFF_UP of <linux/if.h>

Fields = dict[str, dict[str, str]]


def look(host: Host, root: str = "") -> Inventory:
    """Return the PCI devices of a host; ``root`` is where its tree begins (for tests).

    Raises :class:`InfrastructureError` when the host cannot be asked.
    """
    words = ["sh", "-c", SCRIPT.read_text(), "tdlab-devices", root]
    done = host.run(words, timeout=_SECONDS, check=False)
    sections = _sections(done.stdout)
    if "end" not in sections:
        raise InfrastructureError(
            f"{host.name}'s devices could not be listed: {done.stderr.strip() or f'status {done.status}'}",
            remedy="check that a shell command can be run on the host",
        )
    return parse(done.stdout, host.name)


def parse(text: str, host: str = "localhost") -> Inventory:
    """Read the script's output."""
    sections = _sections(text)
    pci, net, block, groups = _values(sections)
    links = [match for line in sections.get("links", []) if (match := _LINK.search(line))]
    interfaces = _interfaces(links, net, sections)
    disks = _disks(links, block)
    return Inventory(
        host,
        _devices(links, pci, interfaces, disks, sections),
        interfaces,
        disks,
        tuple(_mounts(sections)),
        _reached_by(sections, interfaces),
        {int(number): fields["type"] for number, fields in groups.items() if "type" in fields},
    )


def _sections(text: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("@@ "):
            current = sections.setdefault(line[3:].strip(), [])
        elif line.strip():
            current.append(line)
    return sections


def _values(sections: dict[str, list[str]]) -> tuple[Fields, Fields, Fields, Fields]:
    """Return the small files by their object: PCI functions, interfaces, block devices and IOMMU groups."""
    found: tuple[Fields, Fields, Fields, Fields] = (
        defaultdict(dict),
        defaultdict(dict),
        defaultdict(dict),
        defaultdict(dict),
    )
    for line in sections.get("values", []):
        if match := _VALUE.search(line):
            *names, key, value = match.groups()
            for fields, name in zip(found, names, strict=True):
                if name is not None:
                    fields[name][key] = value.strip()
    return found


def _interfaces(
    links: list[re.Match[str]], net: Fields, sections: dict[str, list[str]]
) -> tuple[Interface, ...]:
    behind: dict[str, str | None] = {}
    lowers: dict[str, list[str]] = defaultdict(list)
    masters: dict[str, str] = {}
    for link in links:
        if (match := _NET_LINK.fullmatch(_below(link[1], "/sys/class/net"))) is None:
            continue
        name, key, rest = match.groups()
        if key is None:
            behind[name] = _last_address(link[2])
        elif key == "lower":
            lowers[name].append(rest)
        elif key == "master":
            masters[name] = link[2].rsplit("/", 1)[-1]
    addresses: dict[str, list[str]] = defaultdict(list)
    for line in sections.get("addresses", []):
        if match := re.match(r"\d+:\s+(\S+)\s+inet6?\s+(\S+)(?:\s+peer\s+\S+)?", line):
            addresses[match[1].partition("@")[0]].append(match[2])
    return tuple(
        Interface(
            name,
            behind[name],
            net[name].get("address", ""),
            bool(int(net[name].get("flags", "0"), 16) & _UP),
            masters.get(name),
            tuple(lowers[name]),
            tuple(addresses[name]),
        )
        for name in sorted(behind)
    )


def _disks(links: list[re.Match[str]], block: Fields) -> tuple[Disk, ...]:
    behind: dict[str, str | None] = {}
    slaves: dict[str, list[str]] = defaultdict(list)
    for link in links:
        if (match := _BLOCK_LINK.fullmatch(_below(link[1], "/sys/class/block"))) is None:
            continue
        if match[2]:
            slaves[match[1]].append(match[2])
        else:
            behind[match[1]] = _last_address(link[2])
    return tuple(
        Disk(name, block[name].get("dev", ""), behind[name], tuple(slaves[name])) for name in sorted(behind)
    )


def _devices(
    links: list[re.Match[str]],
    pci: Fields,
    interfaces: tuple[Interface, ...],
    disks: tuple[Disk, ...],
    sections: dict[str, list[str]],
) -> tuple[PciDevice, ...]:
    targets: dict[str, dict[str, str]] = defaultdict(dict)
    for link in links:
        if match := _PCI_LINK.fullmatch(_below(link[1], "/sys/bus/pci/devices")):
            targets[match[1]][match[2] or "path"] = link[2]
    pfs = {
        target.rsplit("/", 1)[-1]: address
        for address, found in targets.items()
        for key, target in found.items()
        if key.startswith("virtfn")
    }
    modules = {
        line.split()[0]: tuple(line.split()[1:]) for line in sections.get("drivers", []) if line.split()
    }
    held = frozenset(line.rsplit("/", 1)[-1] for line in sections.get("held", []))
    return tuple(
        _device(address, targets[address], pci[address], pfs.get(address), modules, held, interfaces, disks)
        for address in sorted(targets)
    )


def _device(
    address: str,
    targets: dict[str, str],
    fields: dict[str, str],
    pf: str | None,
    modules: dict[str, tuple[str, ...]],
    held: frozenset[str],
    interfaces: tuple[Interface, ...],
    disks: tuple[Disk, ...],
) -> PciDevice:
    group = targets["iommu_group"].rsplit("/", 1)[-1] if "iommu_group" in targets else None
    functions = sorted(
        (int(key.removeprefix("virtfn")), target.rsplit("/", 1)[-1])
        for key, target in targets.items()
        if key.startswith("virtfn")
    )
    override = fields.get("driver_override", "(null)")
    total = fields.get("sriov_totalvfs")
    return PciDevice(
        address=address,
        vendor=fields.get("vendor", "").removeprefix("0x"),
        device=fields.get("device", "").removeprefix("0x"),
        class_=int(fields.get("class", "0"), 16),
        driver=targets["driver"].rsplit("/", 1)[-1] if "driver" in targets else None,
        override=None if override == "(null)" else override,
        iommu_group=int(group) if group else None,
        pf=pf,
        vfs=tuple(name for _, name in functions),
        vf_total=int(total) if total else None,
        autoprobe={"1": True, "0": False}.get(fields.get("sriov_drivers_autoprobe", "")),
        interfaces=tuple(one.name for one in interfaces if one.pci == address),
        block_devices=tuple(one.name for one in disks if one.pci == address),
        modules=modules.get(fields.get("modalias", ""), ()),
        bridges=tuple(one for one in _PCI.findall(targets.get("path", "")) if one != address),
        boot_vga=fields.get("boot_vga") == "1",
        is_held=group is not None and (group in held or f"noiommu-{group}" in held),
    )


def _mounts(sections: dict[str, list[str]]) -> list[Mount]:
    found = []
    for line in sections.get("mounts", []):
        # man 5 proc: optional fields, any number of them, end with a dash.
        before, _, after = line.partition(" - ")
        fields, rest = before.split(), after.split()
        if len(fields) > 4 and len(rest) > 1:
            found.append(Mount(fields[4], fields[2], rest[1], rest[0]))
    for line in sections.get("swaps", [])[1:]:
        found.append(Mount("swap", "", line.split()[0], "swap"))
    return found


def _reached_by(sections: dict[str, list[str]], interfaces: tuple[Interface, ...]) -> frozenset[str]:
    names = {match[1] for line in sections.get("routes", []) if (match := re.search(r"\bdev (\S+)", line))}
    for line in sections.get("reached-at", []):
        ours, _, zone = line.strip().partition("%")
        names |= {zone} if zone else set()
        names |= {
            one.name for one in interfaces if ours in {address.partition("/")[0] for address in one.addresses}
        }
    return frozenset(names)


def _last_address(path: str) -> str | None:
    """Return the last PCI function of a device's path: virtio and USB devices are below one."""
    found = _PCI.findall(path)
    return found[-1] if found else None


def _below(path: str, start: str) -> str:
    """Drop what is before the host's own tree, so that a tree in a test's folder reads alike."""
    where = path.find(f"{start}/")
    return path[where:] if where >= 0 else path
