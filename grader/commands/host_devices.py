"""``tdlab host devices``: the PCI devices of a host, and which of them it can spare."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from domains.devices import Inventory, PciDevice

SCHEMA = "tdlab.devices/1"
_CLASSES = {1: "storage", 2: "NIC", 3: "display", 4: "sound", 6: "bridge", 0xC: "bus"}


@click.command("devices")
@click.argument("name", default="localhost")
@click.option("--json", "as_json", is_flag=True, help=f"Print {SCHEMA} to stdout.")
@click.option("--put-back", is_flag=True, help="First undo every change by tdlab, also of running ones.")
def command(name: str, as_json: bool, put_back: bool) -> None:
    """List a host's PCI devices by IOMMU group: drivers, PFs and VFs, and why one must stay.

    NAME is one of `tdlab host list`, USER@ADDRESS, or this machine.
    """
    from domains import devices, hosts

    host = hosts.find(name)
    if put_back:
        for leftover in devices.put_back(host, everything=True):
            click.echo(f"put back: {leftover.name}", err=True)
    seen = devices.look(host)
    if as_json:
        click.echo(json.dumps(contract(seen), indent=1))
        return
    for device in _in_groups(seen):
        click.echo(line(seen, device))


def contract(seen: Inventory) -> dict[str, Any]:
    """Return the devices as the machine-readable contract has them."""
    from domains.devices import essential

    return {
        "schema": SCHEMA,
        "host": seen.host,
        "devices": [
            {
                "address": device.address,
                "id": f"{device.vendor}:{device.device}",
                "class": f"{device.class_:06x}",
                "driver": device.driver,
                "iommu_group": device.iommu_group,
                "pf": device.pf,
                "vfs": list(device.vfs),
                "vf_total": device.vf_total,
                "interfaces": list(device.interfaces),
                "block_devices": list(device.block_devices),
                "held": device.is_held,
                "essential": essential.reason(seen, device),
                "warning": essential.warning(seen, device),
            }
            for device in _in_groups(seen)
        ],
    }


def line(seen: Inventory, device: PciDevice) -> str:
    """Return what is told of one device."""
    from domains.devices import essential

    group = "-" if device.iommu_group is None else str(device.iommu_group)
    kind = _CLASSES.get(device.class_ >> 16, "other")
    words = [*device.interfaces, *device.block_devices]
    if device.is_pf:
        words.append(f"PF with {len(device.vfs)} of {device.vf_total} VFs")
    if device.pf:
        words.append(f"VF of {device.pf}")
    if device.is_held:
        words.append("held by a guest")
    if not device.is_bridge and (reason := essential.reason(seen, device)):
        words.append(f"must stay: it {reason}")
    columns = f"{group:>4}  {device.address}  {device.vendor}:{device.device}  {kind:<8}"
    return f"{columns} {device.driver or '-':<12} {', '.join(words)}".rstrip()


def _in_groups(seen: Inventory) -> list[PciDevice]:
    """Return the devices by group; those in none come last."""
    return sorted(
        seen, key=lambda device: (device.iommu_group is None, device.iommu_group or 0, device.address)
    )
