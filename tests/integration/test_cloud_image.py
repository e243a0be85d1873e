"""A cloud image as a guest: its disk rests on an upload, its seed is attached, and nothing of it is left.

A whole cloud image takes minutes to make. Here the disk is empty, and the tiny guest's kernel is started with
it: that kernel sees the disks, and its agent is the channel. What cloud-init would leave is there at once.
"""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from domains import (
    hypervisor,
    images,
    lifecycle,
    ownership,
    process,
    render,
    store,
)
from domains.cloud import guest as cloud_guest
from domains.cloud import image as cloud_image
from domains.cloud import tools as guest_tools
from domains.guest_image.initramfs import Entry, archive
from domains.hypervisor import Hypervisor, Pool
from domains.images import GuestImage
from domains.render import Owner, Placement
from domains.spec import DomainSpec

pytestmark = pytest.mark.integration

SPEC = DomainSpec.model_validate({"accelerator": "tcg", "memory": "192 MiB"})


@pytest.fixture
def connection(libvirt_daemon: None) -> Iterator[Hypervisor]:
    with hypervisor.connected() as open_one:
        yield open_one


@pytest.fixture
def pool(connection: Hypervisor) -> Pool:
    return store.pool(connection)


@pytest.fixture
def owner() -> Owner:
    return ownership.this_process(ownership.new_run_id())


@pytest.fixture(scope="module")
def tiny() -> GuestImage:
    return images.build()


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Make a disk image that begins with a word by which its overlay is known."""
    file = tmp_path / "cloud.qcow2"
    process.run(["qemu-img", "create", "-q", "-f", "qcow2", file, "16M"], timeout=20)
    process.run(["qemu-io", "-c", "write -P 0x41 0 512", file], timeout=20)
    return file


@pytest.fixture
def place(pool: Pool, owner: Owner, tiny: GuestImage, tmp_path: Path) -> Iterator[Placement]:
    """Give the tiny guest the note that cloud-init's last command writes; archives may follow one another."""
    note = Entry(guest_tools.READY.lstrip("/"), stat.S_IFREG | 0o644, b"agent iperf3\n")
    initramfs = tmp_path / "initramfs"
    initramfs.write_bytes(tiny.initramfs.read_bytes() + archive([note]))
    names = [ownership.volume_name(owner, rest) for rest in ("kernel", "initramfs")]
    paths = [
        pool.upload(render.render_volume(name, file.stat().st_size), file)
        for name, file in zip(names, (tiny.kernel, initramfs), strict=True)
    ]
    yield Placement(
        name=f"{ownership.PREFIX}{owner.run}-cloud",
        accelerator="tcg",
        kernel=paths[0],
        initramfs=paths[1],
        kernel_arguments=" ".join(images.KERNEL_ARGUMENTS),
        owner=owner,
    )
    for name in names:
        pool.delete(name)


def test_guest_runs_on_an_overlay_beside_its_seed(
    connection: Hypervisor,
    pool: Pool,
    owner: Owner,
    tiny: GuestImage,
    disk: Path,
    place: Placement,
    tmp_path: Path,
) -> None:
    before = disk.read_bytes()
    image = cloud_image.inspect(disk)
    scratch = tmp_path / "run" / ".cloud"
    with (
        cloud_guest.prepared(connection, image, tiny, scratch, owner) as base,
        lifecycle.network(connection, owner) as net,
    ):
        with cloud_guest.running(connection, base, SPEC, place, net, 0) as domain:
            assert domain.guest.channel == "agent"
            assert cloud_guest.image_digest(domain.machine.xml()) == f"sha256:{image.digest[:16]}"
            assert domain.guest.shell("head -c 3 /dev/vda") == "AAA"
            assert domain.guest.shell("dd if=/dev/vdb bs=1 skip=32808 count=6 2>/dev/null") == "cidata"
            # What the guest writes, it reads again; the image stays as it was.
            domain.guest.shell("printf written | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null")
            assert domain.guest.shell("head -c 7 /dev/vda") == "written"
        copy = Path(base.stored.path)
        assert not [name for name in pool.volumes() if str(place.name) in name]
        if os.access(copy, os.R_OK):
            assert copy.read_bytes() == before
    assert disk.read_bytes() == before
    assert not scratch.exists()
    assert not [name for name in pool.volumes() if owner.run in name and "disk-" in name]


def test_that_the_tools_run_by_their_own_loader(tiny: GuestImage, tmp_path: Path) -> None:
    tools = guest_tools.write(tiny, tmp_path / "tools")
    loader = [tools / guest_tools.LOADER, "--library-path", tools / guest_tools.LIBRARIES]
    listed = process.run([*loader, "--list", tools / guest_tools.PROGRAM], timeout=20).stdout
    found = [line.split(" => ")[1] for line in listed.splitlines() if " => " in line]
    # All of it comes along: an image's own libraries may be older, or those of another C library.
    assert found
    assert all(library.startswith(str(tools)) for library in found if "ld-linux" not in library)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with process.started(
        [*loader, tools / guest_tools.PROGRAM, "-s", "-1", "-p", port, "--forceflush"]
    ) as server:
        assert server.stdout
        while "listening" not in server.stdout.readline():
            assert server.poll() is None
        client = ["iperf3", "-J", "-c", "127.0.0.1", "-p", port, "-n", "1M"]
        moved = json.loads(process.run(client, timeout=30).stdout)
    assert moved["end"]["sum_sent"]["bytes"] >= 2**20


def test_that_a_killed_runs_disks_are_swept(connection: Hypervisor, pool: Pool, owner: Owner) -> None:
    ended = Owner(owner.run, owner.pid, owner.started + 1, owner.boot, owner.machine)
    names = {
        ownership.volume_name(ended, rest) for rest in ("disk-0123456789abcdef", "x-root.qcow2", "x-seed.iso")
    }
    for name in names:
        pool.create(render.render_volume(name, 4096))
    ownership.sweep(connection, pool)
    assert not names & set(pool.volumes())
