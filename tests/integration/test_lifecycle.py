"""What is left after a kill -9 is removed, and nothing else; a guest whose QEMU dies is noticed."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domains import hypervisor, images, lifecycle, ownership, paths, process, render, store, wait
from domains.errors import GuestError, HypervisorError
from domains.hypervisor import Hypervisor
from domains.render import NetworkPlan, Owner, Placement
from domains.spec import DomainSpec

pytestmark = pytest.mark.integration

SPEC = DomainSpec.model_validate({"accelerator": "tcg", "memory": "192 MiB", "disk": {"bus": "virtio"}})

# Holds a guest, a network and a volume, says their names, and then waits to be killed.
HOLDER = """
import json, sys
from tests.integration import test_lifecycle as shared
from domains import hypervisor, lifecycle, ownership
with hypervisor.connected() as connection:
    owner = ownership.this_process(ownership.new_run_id())
    with lifecycle.network(connection, owner) as net:
        with lifecycle.running(connection, shared.SPEC, shared.place(connection, owner), net, 0) as domain:
            print(json.dumps([owner.run, domain.machine.name, net.plan.name]), flush=True)
            sys.stdin.read()
"""


def place(connection: Hypervisor, owner: Owner) -> Placement:
    stored = store.keep(connection, images.build())
    return Placement(
        name=f"{ownership.PREFIX}{owner.run}-guest",
        accelerator="tcg",
        kernel=stored.kernel,
        initramfs=stored.initramfs,
        owner=owner,
    )


@pytest.fixture
def connection(libvirt_daemon: None) -> Iterator[Hypervisor]:
    with hypervisor.connected() as open_one:
        yield open_one


@pytest.fixture
def owner() -> Owner:
    return ownership.this_process(ownership.new_run_id())


def _guests(connection: Hypervisor) -> set[str]:
    return {machine.name for machine, _ in connection.machines()}


def _volumes(connection: Hypervisor, run: str) -> set[str]:
    return {name for name in store.pool(connection).volumes() if run in name}


@pytest.fixture
def strangers(connection: Hypervisor, owner: Owner) -> Iterator[tuple[str, str]]:
    """A network and a volume with names like ours, that are nobody's business."""
    plan = NetworkPlan(f"tdlab-{owner.run}x", f"str{owner.run}", "10.207.77.1")
    volume = f"tdlab-{owner.run}-not-ours.raw"
    connection.create_network(render.render_network(plan))
    store.pool(connection).create(render.render_volume(volume, 4096))
    yield plan.name, volume
    store.pool(connection).delete(volume)
    connection.destroy_network(plan.name)


def test_what_a_killed_process_held_is_removed_and_nothing_else(
    connection: Hypervisor, owner: Owner, strangers: tuple[str, str]
) -> None:
    with lifecycle.network(connection, owner) as mine:
        run = _killed_holder(connection)
        removed = ownership.sweep(connection, store.pool(connection))

        assert {"network"} <= {one.kind for one in removed if run in one.name}
        assert run not in " ".join(_guests(connection) | set(connection.networks()))
        assert _volumes(connection, run) == set()
        # A living owner's network, and what has no owner, are left alone.
        assert {mine.plan.name, strangers[0]} <= set(connection.networks())
        assert strangers[1] in store.pool(connection).volumes()
    assert mine.plan.name not in connection.networks()


def _killed_holder(connection: Hypervisor) -> str:
    """Kill -9 a process that holds a guest, a network and a volume; return the name of its run."""
    argv = [sys.executable, "-c", HOLDER]
    with process.started(argv, env={"PYTHONPATH": str(paths.SHIPPED)}, stdin=True) as child:
        assert child.stdout
        said = child.stdout.readline()
        assert said, child.stderr and child.stderr.read()
        run, guest, network = json.loads(said)
        assert guest in _guests(connection)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    # libvirt itself ends the guest, since the connection that started it is gone.
    wait.until(lambda: guest not in _guests(connection), waiting_for="autodestroy", deadline=30)
    assert network in connection.networks()
    assert len(_volumes(connection, run)) == 1
    return str(run)


def _qemu(name: str) -> int:
    """Return the process number of a guest's QEMU."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if any(word.startswith(f"guest={name},".encode()) for word in words):
            return int(folder.name)
    raise AssertionError(f"no QEMU runs {name}")


def test_guest_whose_qemu_is_killed_is_noticed_and_cleaned_up(connection: Hypervisor, owner: Owner) -> None:
    with lifecycle.network(connection, owner) as net:
        with lifecycle.running(connection, SPEC, place(connection, owner), net, 0) as domain:
            name = domain.machine.name
            os.kill(_qemu(name), signal.SIGKILL)
            with pytest.raises(GuestError):
                domain.guest.run(["/bin/true"], timeout=10)
        assert name not in _guests(connection)
    assert net.plan.name not in connection.networks()
    assert _volumes(connection, owner.run) == set()


def test_guest_that_stops_before_it_is_ready_is_told_from_a_late_one(
    connection: Hypervisor, owner: Owner
) -> None:
    broken = replace(place(connection, owner), initramfs=None)  # panics, and panic=-1 ends the guest
    with (
        lifecycle.network(connection, owner) as net,
        pytest.raises(GuestError, match="stopped before it was ready"),
        lifecycle.running(connection, SPEC, broken, net, 0),
    ):
        raise AssertionError("a guest without user space was ready")
    assert _volumes(connection, owner.run) == set()


def test_network_takes_another_subnet_when_its_own_is_taken(connection: Hypervisor, owner: Owner) -> None:
    with lifecycle.network(connection, owner) as first:
        wanted = first.plan.host_address
    taken = NetworkPlan(f"taken-{owner.run}", f"tak{owner.run}", wanted)
    connection.create_network(render.render_network(taken))
    try:
        with lifecycle.network(connection, owner) as second:
            assert second.plan.host_address != wanted
            assert second.guest_address(0).startswith(second.plan.host_address.rpartition(".")[0])
    finally:
        connection.destroy_network(taken.name)


def test_network_whose_name_is_taken_is_not_taken_over(connection: Hypervisor, owner: Owner) -> None:
    with lifecycle.network(connection, owner) as first:
        with pytest.raises(HypervisorError), lifecycle.network(connection, owner):
            raise AssertionError("two networks have one name")
        assert first.plan.name in connection.networks()
