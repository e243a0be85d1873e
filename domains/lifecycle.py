"""A guest's life: off → booted → ready → gone, owned by ``with`` blocks, so that nothing is left behind."""

from __future__ import annotations

import contextlib
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

from domains import ownership, render, store, validate
from domains.errors import HypervisorError
from domains.guest import Guest
from domains.hypervisor import Hypervisor, Machine
from domains.images import KERNEL_ARGUMENTS, NO_DISKS
from domains.render import NetworkPlan, Owner, Placement
from domains.spec import DomainSpec

READY_SECONDS = 120.0
_SUBNETS, _ATTEMPTS = 4096, 16


@dataclass(frozen=True)
class Network:
    """A run's own network: the host's address on it, and the addresses of the guests."""

    plan: NetworkPlan

    def guest_address(self, number: int) -> str:
        """Return the address of the n-th guest, counted from 0."""
        return f"{self.plan.host_address.rpartition('.')[0]}.{10 + number}"


@dataclass(frozen=True)
class Domain:
    """A running guest that is ready, and how long it took to be so (seconds from start to agent).

    ``interface`` is the guest's name of the NIC; ``port`` the bus of the root port that it was plugged into,
    or None where the machine started with it.
    """

    spec: DomainSpec
    machine: Machine
    guest: Guest
    address: str
    xml: str
    boot_to_ready: float
    interface: str = "eth0"
    port: str | None = None


@contextlib.contextmanager
def network(hypervisor: Hypervisor, owner: Owner, *, mode: str = "isolated") -> Iterator[Network]:
    """Own a network with a subnet that nothing on the host uses; libvirt refuses one that is taken.

    Raises :class:`HypervisorError` with libvirt's last words when it refuses every subnet that was tried.
    """
    first = zlib.crc32(owner.run.encode()) % _SUBNETS
    for attempt in range(_ATTEMPTS):
        number = (first + attempt * 97) % _SUBNETS
        plan = NetworkPlan(
            name=f"{ownership.PREFIX}{owner.run}",
            bridge=f"tdl{owner.run[:8]}",
            host_address=f"10.{208 + number // 256}.{number % 256}.1",
            mode="nat" if mode == "nat" else "isolated",
            owner=owner,
        )
        try:
            hypervisor.create_network(render.render_network(plan))
            break
        except HypervisorError:
            # libvirt has no error code for a subnet in use, and says it in the daemon's language.
            if attempt == _ATTEMPTS - 1:
                raise
    try:
        yield Network(plan)
    finally:
        hypervisor.destroy_network(plan.name)


@contextlib.contextmanager
def running(
    hypervisor: Hypervisor,
    spec: DomainSpec,
    place: Placement,
    net: Network,
    number: int,
    *,
    ready_within: float = READY_SECONDS,
) -> Iterator[Domain]:
    """Own a guest from start to end; inside the block it is ready: its agent answers.

    ``place`` names the image and the accelerator; ``number`` chooses the guest's address on ``net``.
    Raises :class:`DeadlineExceeded` when it is not ready within ``ready_within`` seconds.
    """
    address = net.guest_address(number)
    arguments = [*KERNEL_ARGUMENTS, f"tdlab.ip={address}/{net.plan.prefix}"]
    if spec.disk is None:
        arguments.append(NO_DISKS)
    place = replace(place, network=net.plan.name, kernel_arguments=" ".join(arguments))
    with contextlib.ExitStack() as cleanup:
        if spec.disk and place.owner:
            pool = store.pool(hypervisor)
            volume = ownership.volume_name(place.owner, f"{place.name}.qcow2")
            cleanup.callback(pool.delete, volume)
            place = replace(
                place, disk_path=pool.create(render.render_volume(volume, spec.disk.size, format_="qcow2"))
            )
        xml = render.render(spec, place)
        validate.validate(xml)
        began = time.monotonic()
        machine = hypervisor.create(xml)
        cleanup.callback(machine.destroy)
        machine.wait_for_agent(ready_within)
        seconds = time.monotonic() - began
        yield Domain(spec, machine, Guest(machine), address, xml, seconds)
