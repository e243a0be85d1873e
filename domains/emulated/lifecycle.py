"""An emulated lab host's life: booted → provisioned → saved → up. A warm start, and a reset, restore it."""

from __future__ import annotations

import contextlib
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from domains import ownership, provision, render, store, validate, wait
from domains.cloud.image import key_pair
from domains.emulated import image, registry, saved, seed
from domains.emulated.emulator import Emulator
from domains.emulated.plan import Files, HostPlan
from domains.emulated.registry import Record
from domains.emulated.saved import SavedState
from domains.errors import DeadlineExceeded, HypervisorError, InfrastructureError
from domains.host import Host
from domains.hypervisor import Hypervisor, Machine, Pool
from domains.phases import collected, phase
from domains.render import NetworkPlan, Owner

# Booting takes 20 to 30 s on two free cores; on a busy machine it is a multiple of that.
BOOT_SECONDS = 240.0
_SSH_SECONDS = 60.0
_SETTLE_SECONDS = 60
_SUBNETS, _ATTEMPTS = 4096, 16

Say = Callable[[str], None]
# Gives a host what each copy that is restored later is to have; called before its state is saved.
Furnish = Callable[[Host, Say], None]


@dataclass(frozen=True)
class Up:
    """A host that is up: whether it was "running" before, restored ("warm") or booted ("cold")."""

    record: Record
    how: str
    phases: dict[str, float]


def _nothing(_host: Host, _say: Say) -> None:
    """Furnish a host with nothing."""


def up(
    hypervisor: Hypervisor, asked: HostPlan, emulator: Emulator, say: Say, furnish: Furnish = _nothing
) -> Up:
    """Have an emulated lab host up; returns when it has been provisioned and answers over SSH.

    Raises :class:`InfrastructureError` and its kin, and then leaves nothing of the host behind.
    """
    with registry.lock(asked.name), collected() as phases:
        record = registry.read(asked.name)
        if record and hypervisor.machine(asked.domain_name):
            return Up(record, "running", {})
        with phase("image"):
            made = image.build(say)
            key = saved.key(made, asked, emulator.path)
        pool = store.pool(hypervisor)
        if record:  # it stopped by itself, or this machine did: its networks may be there still
            _end(hypervisor, pool, record.plan)
        state = saved.read(asked.name)
        if state and state.key == key:
            try:
                return Up(_warm(hypervisor, pool, state, emulator), "warm", phases.outermost)
            except InfrastructureError as failed:
                say(f"the saved state of {asked.name} cannot be restored, so it is booted: {failed.problem}")
        saved.drop(asked.name, pool)
        record = _cold(hypervisor, pool, asked, emulator, key, say, furnish)
        return Up(record, "cold", phases.outermost)


def down(hypervisor: Hypervisor, name: str, *, forget: bool = False) -> None:
    """End a host and remove what it ran on; its saved state stays, unless ``forget``."""
    with registry.lock(name):
        record = registry.require(name)
        pool = store.pool(hypervisor)
        _end(hypervisor, pool, record.plan)
        if forget:
            saved.drop(name, pool)
            registry.forget(name)


def reset(hypervisor: Hypervisor, name: str, emulator: Emulator, say: Say, furnish: Furnish = _nothing) -> Up:
    """Put a host back to how it was when it had just been provisioned."""
    record = registry.require(name)
    down(hypervisor, name)
    return up(hypervisor, record.plan, emulator, say, furnish)


def _end(hypervisor: Hypervisor, pool: Pool, plan: HostPlan) -> None:
    registry.close_ssh(plan.name)
    if machine := hypervisor.machine(plan.domain_name):
        machine.destroy()
    for network in plan.networks:
        hypervisor.destroy_network(network)
    pool.refresh()
    there = pool.volumes()
    for volume in there:
        owner = ownership.volume_owner(volume)
        is_kept = volume.endswith(ownership.WHOLE) or volume + ownership.WHOLE in there
        if owner and owner.run == plan.run and not is_kept:
            pool.delete(volume)


def _cold(
    hypervisor: Hypervisor,
    pool: Pool,
    asked: HostPlan,
    emulator: Emulator,
    key: str,
    say: Say,
    furnish: Furnish,
) -> Record:
    owner = ownership.this_process(ownership.new_run_id())
    plan = replace(asked, run=owner.run)
    with contextlib.ExitStack() as undo:
        undo.callback(lambda: _end(hypervisor, pool, plan))
        plan = _networks(hypervisor, plan, owner)
        with phase("upload"):
            files, disk, seed_volume = _files(hypervisor, pool, plan, emulator, owner)
        with phase("boot"):
            xml = plan.xml(files, owner)
            validate.validate(xml)
            machine = hypervisor.create_lasting(xml)
            _wait_for_agent(machine, plan, BOOT_SECONDS)
            _wait_for_ssh(plan)
        record = Record(plan, str(emulator.path), emulator.why, key)
        with phase("provision"):
            provision_host(record, say)
        with phase("furnish"):
            furnish(registry.host_of(plan), say)
        with phase("save"):
            _settle(plan)
            overlay = saved.take(machine, pool, owner, key, plan, disk, seed_volume)
            say(f"saved the state of {plan.name}; it goes on with {overlay}")
        _keep(machine, record, owner)
        undo.pop_all()
    return record


def _warm(hypervisor: Hypervisor, pool: Pool, state: SavedState, emulator: Emulator) -> Record:
    owner = ownership.this_process(ownership.new_run_id())
    plan = replace(state.plan, run=owner.run)
    with contextlib.ExitStack() as undo:
        undo.callback(lambda: _end(hypervisor, pool, plan))
        with phase("networks"):
            _create_networks(hypervisor, plan, owner)
        with phase("restore"):
            _, overlay = saved.new_overlay(pool, owner, plan.name, state.disk)
            hypervisor.restore(state.memory, saved.as_restored(state, overlay, owner))
            machine = hypervisor.machine(plan.domain_name)
            if machine is None:
                raise HypervisorError(f"{plan.domain_name} stopped as soon as it was restored")
        with phase("ssh"):
            _wait_for_ssh(plan)
            # It went on from the moment in which it was saved.
            registry.host_of(plan).run(["date", "--set", f"@{time.time():.3f}"], timeout=30)
        record = Record(plan, str(emulator.path), emulator.why, state.key)
        _keep(machine, record, owner)
        undo.pop_all()
    return record


def _keep(machine: Machine, record: Record, owner: Owner) -> None:
    """From here on the host outlives this process."""
    registry.write(record)
    element = render.render_owner(replace(owner, kept=record.name), bare=True)
    machine.set_owner(element, render.OWNER_NAMESPACE)


def _networks(hypervisor: Hypervisor, plan: HostPlan, owner: Owner) -> HostPlan:
    """Make the host's networks with a subnet that nothing here uses; libvirt refuses one that is taken."""
    first = zlib.crc32(plan.name.encode()) % _SUBNETS
    for attempt in range(_ATTEMPTS):
        number = (first + attempt * 97) % _SUBNETS
        # Runs have 10.208 to 10.223: a host's own networks must not be among them.
        placed = replace(plan, subnet=f"10.{224 + number // 256}.{number % 256}")
        try:
            _create_networks(hypervisor, placed, owner)
        except HypervisorError:
            # libvirt has no error code for a subnet in use, and says it in the daemon's language.
            for network in placed.networks:
                hypervisor.destroy_network(network)
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            return placed
    raise AssertionError


def _create_networks(hypervisor: Hypervisor, plan: HostPlan, owner: Owner) -> None:
    login, data = plan.networks, plan.bridges
    hypervisor.create_network(
        render.render_network(NetworkPlan(login.login, data.login, plan.gateway, mode="nat", owner=owner))
    )
    hypervisor.create_network(render.render_network(NetworkPlan(login.data, data.data, "", owner=owner)))


def _files(
    hypervisor: Hypervisor, pool: Pool, plan: HostPlan, emulator: Emulator, owner: Owner
) -> tuple[Files, str, str]:
    """Put a host's files where QEMU reads them; return their paths, and the volumes of disk and seed."""
    made = image.build()
    stored = store.keep_files(
        hypervisor,
        f"host-{made.digest[:16]}",
        {"kernel": made.kernel, "initramfs": made.initramfs, "disk": made.disk},
    )
    folder = registry.folder(plan.name)
    for name in ("id_ed25519", "host_key"):
        for file in (folder / name, folder / f"{name}.pub"):
            file.unlink(missing_ok=True)
    login, host_key = key_pair(folder), key_pair(folder, "host_key")
    registry.write_ssh(plan, host_key.public)
    identity = seed.Identity(
        hostname=plan.name,
        mac=plan.mac(0),
        address=f"{plan.address}/24",
        gateway=plan.gateway,
        authorized_key=login.public,
        host_key=host_key.private.read_text(),
        host_public_key=host_key.public,
    )
    archive = folder / "seed.tar"
    archive.write_bytes(seed.archive(identity))
    archive.chmod(0o600)
    volume = ownership.volume_name(owner, f"host-{plan.name}.seed")
    seed_path = pool.upload(render.render_volume(volume, archive.stat().st_size), archive)
    archive.unlink()
    disk, disk_path = saved.new_overlay(pool, owner, plan.name, stored["disk"])
    console = f"/var/log/libvirt/qemu/{plan.domain_name}-console.log"
    paths = Files(str(emulator.path), stored["kernel"], stored["initramfs"], disk_path, seed_path, console)
    return paths, disk, volume


def _wait_for_agent(machine: Machine, plan: HostPlan, deadline: float) -> None:
    try:
        machine.wait_for_agent(deadline)
    except DeadlineExceeded as late:
        raise DeadlineExceeded(
            f"the emulated host {plan.name} to boot",
            deadline,
            remedy=f"its console is in /var/log/libvirt/qemu/{plan.domain_name}-console.log",
        ) from late


def _wait_for_ssh(plan: HostPlan) -> None:
    host = registry.host_of(plan)
    wait.until(
        lambda: host.run(["true"], timeout=30, check=False).status == 0,
        waiting_for=f"the SSH server of {plan.name} at {plan.address}",
        deadline=_SSH_SECONDS,
    )


def _settle(plan: HostPlan) -> None:
    """Return when the host has done what it does after booting: it would do it in every restored copy."""
    words = ["timeout", str(_SETTLE_SECONDS), "systemctl", "is-system-running", "--wait"]
    registry.host_of(plan).run(words, timeout=_SETTLE_SECONDS + 20, check=False)
    registry.host_of(plan).run(["sync"], timeout=60)


def provision_host(record: Record, say: Say) -> provision.ProvisionReport:
    """Make an emulated host a lab host with the same role as any other."""
    report = provision.require(
        provision.provision(record.name, connection=registry.ansible_connection(record.plan))
    )
    say(f"{record.name}: ok={report.ok} changed={report.changed} in {report.seconds:.1f} s")
    return report
