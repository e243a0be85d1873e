"""A host's saved state: its memory and its disk as they were when it had just been provisioned.

Restoring it takes seconds where booting and provisioning take a minute. It is as good as the cold start only
while nothing that it was made of has changed; :func:`key` says so in one word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lxml import etree

from domains import files, ownership, provision, render
from domains.emulated import registry
from domains.emulated.image import HostImage
from domains.emulated.plan import Files, HostPlan
from domains.errors import InfrastructureError
from domains.hypervisor import Machine, Pool
from domains.ownership import WHOLE
from domains.render import OWNER_NAMESPACE, DiskImage, Owner


@dataclass(frozen=True)
class SavedState:
    """Volumes that hold a host's state, by name, and the paths of those that its XML names."""

    key: str
    plan: HostPlan
    volumes: tuple[str, ...]
    memory: str
    disk: str
    seed: str


def key(image: HostImage, plan: HostPlan, emulator: Path) -> str:
    """Return a word that changes when a state saved before would not be what a cold start gives."""
    status = emulator.stat()
    # A host's run, its subnet and its paths are its own affair: the state has them inside.
    paths = Files(str(emulator), "kernel", "initramfs", "disk", "seed", "console")
    machine = replace(plan, run="", subnet="").xml(paths, Owner("", 0, 0, "", ""))
    parts = [image.digest, provision.role_digest(), status.st_size, status.st_mtime_ns, machine]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:20]


def read(name: str) -> SavedState | None:
    """Return a host's saved state, or None."""
    try:
        kept = json.loads((registry.folder(name) / "saved.json").read_text())
    except FileNotFoundError:
        return None
    volumes = tuple(kept.pop("volumes"))
    return SavedState(plan=HostPlan(**kept.pop("plan")), volumes=volumes, **kept)


def take(machine: Machine, pool: Pool, owner: Owner, key_: str, plan: HostPlan, disk: str, seed: str) -> str:
    """Save the state of a running host, which goes on with a new overlay; return the overlay's volume.

    ``disk`` and ``seed`` are the volumes that it has run on so far: they become part of the state.
    """
    memory = ownership.volume_name(owner, f"host-{plan.name}.state")
    memory_path = pool.create(render.render_volume(memory, 0))
    overlay, overlay_path = new_overlay(pool, owner, plan.name, pool.volumes()[disk])
    snapshot = etree.Element("domainsnapshot")
    etree.SubElement(snapshot, "memory", snapshot="external", file=memory_path)
    disks = etree.SubElement(snapshot, "disks")
    root = etree.SubElement(disks, "disk", name="vda", snapshot="external", type="file")
    etree.SubElement(root, "source", file=overlay_path)
    etree.SubElement(root, "driver", type="qcow2")
    etree.SubElement(disks, "disk", name="vdb", snapshot="no")
    machine.snapshot(etree.tostring(snapshot, encoding="unicode"))
    volumes = (memory, disk, seed)
    for volume in volumes:
        pool.create(render.render_volume(volume + WHOLE, 0))
    paths = pool.volumes()
    state = SavedState(key_, plan, volumes, memory_path, paths[disk], paths[seed])
    text = json.dumps(asdict(state), indent=1)
    files.write_whole(registry.folder(plan.name) / "saved.json", text + "\n")
    return overlay


def new_overlay(pool: Pool, owner: Owner, name: str, backing: str) -> tuple[str, str]:
    """Make an empty overlay for a host; return the volume's name and its path."""
    volume = ownership.volume_name(owner, f"host-{name}-{ownership.new_run_id()}.qcow2")
    return volume, pool.create(render.render_volume(volume, 0, format_="qcow2", backing=DiskImage(backing)))


def as_restored(state: SavedState, overlay: str, owner: Owner) -> Callable[[str], str]:
    """Return what makes the XML of a saved machine that of a restored one: its overlay, and its owner."""

    def change(xml: str) -> str:
        domain = etree.fromstring(xml.encode())
        for disk in domain.iterfind("devices/disk"):
            source, target = disk.find("source"), disk.find("target")
            if source is None or target is None or target.get("dev") != "vda":
                continue
            source.set("file", overlay)
            for chain in disk.findall("backingStore"):
                disk.remove(chain)
        metadata = domain.find("metadata")
        if metadata is None:
            raise InfrastructureError(f"the saved state of {state.plan.name} does not say whose it is")
        for old in metadata.findall(f"{{{OWNER_NAMESPACE}}}owner"):
            metadata.remove(old)
        metadata.append(etree.fromstring(render.render_owner(owner).encode()))
        return etree.tostring(domain, encoding="unicode")

    return change


def drop(name: str, pool: Pool) -> None:
    """Remove a host's saved state, if there is one."""
    state = read(name)
    if state is None:
        return
    (registry.folder(name) / "saved.json").unlink()
    pool.refresh()
    for volume in state.volumes:
        pool.delete(volume + WHOLE)
        pool.delete(volume)
