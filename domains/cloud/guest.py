"""The life of a guest that runs an ordinary cloud image: off → booted → cloud-init done → ready → gone."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from domains import ownership, render, store, validate, wait
from domains.capabilities.model import Refused
from domains.cloud import image as cloud_image
from domains.cloud import ssh as ssh_guest
from domains.cloud import tools as guest_tools
from domains.cloud.image import CloudImage, KeyPair, Seed
from domains.cloud.ssh import SshGuest
from domains.errors import DeadlineExceeded, GuestError, InfrastructureError
from domains.guest import Guest
from domains.hypervisor import Hypervisor
from domains.images import GuestImage
from domains.lifecycle import Domain, Network
from domains.render import DiskImage, Owner, Placement
from domains.spec import DomainSpec

# systemd and cloud-init under TCG on two cores take 40 s; on a busy host it is a multiple of that.
READY_SECONDS = 300.0
# How long to listen for the agent before SSH is tried once more.
_LISTEN_SECONDS = 1.0
# An agent that systemd has started opens its channel at once; this is for a busy host.
_AGENT_SECONDS = 20.0
_ASK_SECONDS = 30.0
_UPLOAD = re.compile(r"-disk-([0-9a-f]{16})$")


@dataclass(frozen=True)
class CloudBase:
    """A cloud image where the host's QEMU can read it, and what all guests of one run share."""

    image: CloudImage
    stored: DiskImage
    folder: Path
    login: KeyPair
    host_key: KeyPair
    tools: Path


def image_digest(live: str) -> str:
    """Return the digest of the image that a running guest's disk rests on, from libvirt's XML of it.

    Written as :attr:`CloudImage.label` ends; raises :class:`InfrastructureError` for another kind of guest.
    """
    source = etree.fromstring(live.encode()).find("devices/disk/backingStore/source")
    found = None if source is None else _UPLOAD.search(source.get("file", ""))
    if not found:
        raise InfrastructureError("the guest's disk rests on no image of this run")
    return f"sha256:{found[1]}"


def refusal(spec: DomainSpec) -> Refused | None:
    """Return why a spec cannot run an ordinary cloud image, or None."""
    if spec.machine == "microvm":
        return Refused(
            "a microvm has no firmware that boots from a disk, as a cloud image must", "write machine: q35"
        )
    if spec.nic.model == "hostdev":
        return Refused(
            "cloud-init finds a NIC by its MAC address, and a device handed over keeps its own",
            "write model: vf, or leave --image out",
        )
    return None


@contextlib.contextmanager
def prepared(
    hypervisor: Hypervisor, image: CloudImage, tiny: GuestImage, folder: Path, owner: Owner
) -> Iterator[CloudBase]:
    """Own a copy of the image in the host's storage pool, and a run's keys in ``folder``, which is emptied.

    The tools are taken from ``tiny``, the guest image that is measured otherwise.
    """
    pool = store.pool(hypervisor)
    volume = ownership.volume_name(owner, f"disk-{image.digest[:16]}")
    with contextlib.ExitStack() as cleanup:
        _remove(folder)  # a killed run's
        cleanup.callback(_remove, folder)
        folder.mkdir(mode=0o700, parents=True)
        # Copied each time, a second for half a gigabyte: images would pile up on the host otherwise.
        cleanup.callback(pool.delete, volume)
        copy = pool.upload(render.render_volume(volume, image.file.stat().st_size), image.file)
        yield CloudBase(
            image,
            DiskImage(copy, format=image.format),
            folder,
            cloud_image.key_pair(folder),
            cloud_image.key_pair(folder, "host_key"),
            guest_tools.write(tiny, folder / "tools"),
        )


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


@contextlib.contextmanager
def running(
    hypervisor: Hypervisor,
    base: CloudBase,
    spec: DomainSpec,
    place: Placement,
    net: Network,
    number: int,
    *,
    ready_within: float = READY_SECONDS,
) -> Iterator[Domain]:
    """Own a guest from start to end; inside the block cloud-init is done and iperf3 listens.

    Its agent is the channel if it has one that runs commands, else SSH: :attr:`Guest.channel` says which.
    Raises :class:`DeadlineExceeded` when neither answers within ``ready_within`` seconds, and
    :class:`GuestError` when the image cannot do what measuring needs.
    """
    address = net.guest_address(number)
    with contextlib.ExitStack() as cleanup:
        mac = spec.nic.mac or _mac(str(place.name))
        seed = Seed(
            instance=str(place.name),
            mac=mac,
            address=f"{address}/{net.plan.prefix}",
            public_key=base.login.public,
            host_key=base.host_key,
            tools=base.tools,
        )
        place = _with_disks(hypervisor, base, spec, replace(place, network=net.plan.name), seed, cleanup)
        addressed = spec.model_copy(update={"nic": spec.nic.model_copy(update={"mac": mac})})
        xml = render.render(addressed, place)
        validate.validate(xml)
        known = ssh_guest.known_hosts(
            address, base.host_key.public, base.folder / f"{place.name}.known_hosts"
        )
        began = time.monotonic()
        machine = hypervisor.create(xml)
        cleanup.callback(machine.destroy)
        guest = _ready(spec, SshGuest(machine, address, base.login.private, known), ready_within)
        seconds = time.monotonic() - began
        _check_nic(guest, mac, spec)
        yield Domain(spec, machine, guest, address, xml, seconds)


def _with_disks(
    hypervisor: Hypervisor,
    base: CloudBase,
    spec: DomainSpec,
    place: Placement,
    seed: Seed,
    cleanup: contextlib.ExitStack,
) -> Placement:
    """Make the guest's own volumes, and return a placement that boots from them."""
    if place.owner is None:
        raise InfrastructureError("without an owner nobody would remove the volumes of a killed run")
    owner, pool = place.owner, store.pool(hypervisor)

    def owned(rest: str) -> str:
        volume = ownership.volume_name(owner, f"{place.name}{rest}")
        cleanup.callback(pool.delete, volume)
        return volume

    overlay = render.render_volume(
        owned("-root.qcow2"), base.image.size, format_="qcow2", backing=base.stored
    )
    root = DiskImage(pool.create(overlay))
    iso = cloud_image.seed_iso(seed, base.folder / f"{place.name}.iso")
    uploaded = pool.upload(render.render_volume(owned("-seed.iso"), iso.stat().st_size), iso)
    # A disk and no CD: the kernels of cloud images often have no driver for an AHCI controller.
    place = replace(place, images=(root, DiskImage(uploaded, format="raw")))
    if spec.disk:
        empty = render.render_volume(owned(".qcow2"), spec.disk.size, format_="qcow2")
        place = replace(place, disk_path=pool.create(empty))
    return place


def _ready(spec: DomainSpec, over_ssh: SshGuest, ready_within: float) -> Guest:
    """Return the channel to a guest that has done all that its seed told it to do."""
    end = time.monotonic() + ready_within
    machine = over_ssh.machine
    agent = Guest(machine)

    def channel() -> Guest | None:
        with contextlib.suppress(DeadlineExceeded):
            machine.wait_for_agent(_LISTEN_SECONDS)
            if _runs_commands(agent):
                return agent
        return over_ssh if _runs_commands(over_ssh) else None

    try:
        found = wait.until(channel, waiting_for=f"agent or SSH of {machine.name}", deadline=ready_within)
        # Asked for in the guest: to ask from here again and again would keep it from what it is to do.
        script = f"until cat {guest_tools.READY}; do sleep 0.2; done 2>/dev/null"
        has = found.shell(script, timeout=max(1.0, end - time.monotonic())).split()
    except DeadlineExceeded as late:
        raise DeadlineExceeded(
            late.waited_for,
            ready_within,
            remedy=f"the image needs cloud-init, a driver for {spec.nic.model}, no more than "
            f"{spec.memory >> 20} MiB of memory, and no newer CPU than it gets (cpu: {{model: max}})",
        ) from late
    if "iperf3" not in has:
        raise GuestError(f"iperf3 does not start in {machine.name}", remedy="try another image")
    if found is over_ssh and "agent" in has:
        with contextlib.suppress(DeadlineExceeded):
            machine.wait_for_agent(_AGENT_SECONDS)
            return agent if _runs_commands(agent) else over_ssh
    return found


def _runs_commands(guest: Guest) -> bool:
    """Return whether a channel works. Some distributions forbid their agent to run anything."""
    try:
        return guest.run(["/bin/true"], timeout=_ASK_SECONDS, check=False).status == 0
    except (GuestError, DeadlineExceeded):
        return False  # not yet, or never: the caller's deadline decides


def _check_nic(guest: Guest, mac: str, spec: DomainSpec) -> None:
    """Refuse a guest that does not see its NIC: its network would be waited for in vain."""
    seen = guest.shell("cat /sys/class/net/eth0/address 2>/dev/null || true").strip()
    if seen != mac.lower():
        release = guest.shell("uname -r").strip()
        raise GuestError(
            f"the image's kernel {release} has no driver for {spec.nic.model}",
            remedy="kernels for clouds often know virtio alone: use an image with the distribution's "
            "full kernel, or model: virtio",
        )


def _mac(name: str) -> str:
    """Return a MAC address in QEMU's range that stands for a guest's name, which holds its run's."""
    low = zlib.crc32(name.encode()) & 0xFFFFFF
    return f"52:54:00:{low >> 16:02x}:{low >> 8 & 0xFF:02x}:{low & 0xFF:02x}"
