"""Build the tiny guest and boot it on bare QEMU: no libvirt between the image and what is asserted."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domains import images
from domains.errors import DeadlineExceeded
from domains.images import GuestImage
from domains.process import run, started
from domains.wait import until

pytestmark = pytest.mark.integration

READY_SECONDS = 120  # a limit for a broken guest, not a measurement: a loaded machine may be slow

# QEMU's device, the driver that must serve it, in the order of their PCI addresses.
NICS = {
    "i82557b": "e100",
    "e1000": "e1000",
    "e1000e": "e1000e",
    "rtl8139": "8139cp",
    "pcnet": "pcnet32",
    "vmxnet3": "vmxnet3",
    "virtio-net-pci": "virtio_net",
}


class Agent:
    """The guest agent's protocol, straight from QEMU's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, command: str, **arguments: Any) -> None:
        self._connection.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")

    def ask(self, command: str, **arguments: Any) -> Any:
        self.send(command, **arguments)
        answer = b""
        while not answer.endswith(b"\n"):
            answer += (part := self._connection.recv(65536))
            assert part, f"the agent hung up on {command}"
        return json.loads(answer)["return"]

    def shell(self, text: str) -> str:
        words = {"path": "/bin/sh", "arg": ["-c", text], "capture-output": True}
        pid = self.ask("guest-exec", **words)["pid"]

        def ended() -> Any:
            status = self.ask("guest-exec-status", pid=pid)
            return status if status["exited"] else None

        status = until(ended, waiting_for="the guest's command", deadline=READY_SECONDS)
        said = base64.b64decode(status.get("out-data", "")).decode()
        assert status["exitcode"] == 0, said + base64.b64decode(status.get("err-data", "")).decode()
        return said


@contextlib.contextmanager
def booted(
    image: GuestImage, folder: Path, *devices: str, arguments: str = ""
) -> Iterator[tuple[Agent, Any]]:
    """Own a guest under TCG; yields its agent, which has answered, and QEMU's process."""
    path = folder / "agent.sock"
    words = [
        "qemu-system-x86_64",
        "-machine",
        "q35,accel=tcg",
        "-m",
        "256",
        "-nodefaults",
        "-display",
        "none",
    ]
    words += ["-serial", f"file:{folder / 'console'}", "-no-reboot"]
    words += ["-kernel", str(image.kernel), "-initrd", str(image.initramfs)]
    words += ["-append", " ".join((*images.KERNEL_ARGUMENTS, arguments))]
    words += ["-chardev", f"socket,path={path},server=on,wait=off,id=agent", "-device", "virtio-serial-pci"]
    words += ["-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"]
    with started([*words, *devices]) as qemu, socket.socket(socket.AF_UNIX) as connection:
        until(lambda: path.exists() or qemu.poll(), waiting_for="QEMU's socket", deadline=READY_SECONDS)
        assert qemu.poll() is None, qemu.stderr.read() if qemu.stderr else ""
        connection.connect(str(path))
        connection.settimeout(READY_SECONDS)
        agent = Agent(connection)
        try:
            agent.ask("guest-ping")
        except TimeoutError as late:
            console = (folder / "console").read_text(errors="replace")[-2000:]
            raise DeadlineExceeded(f"the agent; the console says {console}", READY_SECONDS) from late
        yield agent, qemu


@pytest.fixture(scope="session")
def image() -> GuestImage:
    return images.build()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_that_every_nic_has_its_driver_and_its_address_in_pci_order(
    image: GuestImage, tmp_path: Path
) -> None:
    netdevs: list[str] = []
    cards: list[str] = []
    for number, model in enumerate(NICS):
        netdevs += ["-netdev", f"hubport,hubid={number},id=n{number}"]
        # Cabled backwards on purpose: the address, not the command line, decides the order.
        cards[:0] = ["-device", f"{model},addr={number + 0x10:#x},romfile=,netdev=n{number}"]
    addresses = ",".join(f"10.77.{number}.2/24" for number in range(len(NICS)))
    with booted(image, tmp_path, *netdevs, *cards, arguments=f"tdlab.ip={addresses}") as (agent, _):
        names = agent.shell("tdlab-net --list").split()
        drivers = [
            agent.shell(f"readlink /sys/class/net/{name}/device/driver").strip().rpartition("/")[2]
            for name in names
        ]
        shown = [agent.shell(f"ip -4 -o address show dev {name}").split()[3] for name in names]
        assert drivers == list(NICS.values())
        assert shown == addresses.split(",")
        assert {agent.shell(f"cat /sys/class/net/{name}/carrier").strip() for name in names} == {"1"}
        assert agent.shell("cat /proc/sys/kernel/tainted").strip() == "0"


def test_that_iperf3_answers_from_outside(image: GuestImage, tmp_path: Path) -> None:
    port = free_port()
    net = ["-netdev", f"user,id=n,hostfwd=tcp:127.0.0.1:{port}-:5201", "-device", "e1000,netdev=n,romfile="]
    with booted(image, tmp_path, *net, arguments="tdlab.ip=10.0.2.15/24"):
        words = ["iperf3", "--client", "127.0.0.1", "--port", str(port), "--time", "1", "--reverse", "--json"]
        done = run([*words], timeout=READY_SECONDS)
    assert json.loads(done.stdout)["end"]["sum_received"]["bytes"] > 1_000_000


def test_that_a_ready_guest_has_its_disks(image: GuestImage, tmp_path: Path) -> None:
    devices: list[str] = []
    for name, size in (("blk", 3), ("sata", 5), ("scsi", 7)):
        (tmp_path / name).write_bytes(b"")
        os.truncate(tmp_path / name, size << 20)
        devices += ["-drive", f"if=none,format=raw,id={name},file={tmp_path / name}"]
    devices += ["-device", "virtio-blk-pci,drive=blk", "-device", "ide-hd,drive=sata,bus=ide.0"]
    devices += ["-device", "pvscsi,id=hba", "-device", "scsi-hd,drive=scsi,bus=hba.0"]
    with booted(image, tmp_path, *devices) as (agent, _):
        sizes = agent.shell("for disk in /sys/block/[sv]d*; do cat $disk/size; done").split()
        assert sorted(int(sectors) * 512 >> 20 for sectors in sizes) == [3, 5, 7]


def test_that_a_guest_told_that_it_has_no_disks_loads_no_driver_of_them(
    image: GuestImage, tmp_path: Path
) -> None:
    loaded = {}
    for arguments in ("", images.NO_DISKS):
        folder = tmp_path / f"guest{len(loaded)}"
        folder.mkdir()
        with booted(image, folder, arguments=arguments) as (agent, _):
            loaded[arguments] = agent.shell("cut -d' ' -f1 /proc/modules").split()
    assert "ahci" in loaded[""]
    assert "ahci" not in loaded[images.NO_DISKS]


def test_that_io_ports_and_kernel_messages_can_be_read(image: GuestImage, tmp_path: Path) -> None:
    with booted(image, tmp_path) as (agent, _):
        assert agent.shell("dd if=/dev/port bs=1 skip=113 count=1 2>/dev/null | wc -c").strip() == "1"
        assert "Linux version" in agent.shell("dmesg | head -n 1")


def test_that_a_nic_plugged_in_later_gets_an_address(image: GuestImage, tmp_path: Path) -> None:
    monitor = tmp_path / "qmp.sock"
    devices = ["-netdev", "hubport,hubid=0,id=n", "-device", "pcie-root-port,id=socket0,chassis=1"]
    devices += ["-qmp", f"unix:{monitor},server=on,wait=off"]
    with booted(image, tmp_path, *devices) as (agent, _), socket.socket(socket.AF_UNIX) as qmp:
        assert agent.shell("tdlab-net --list") == ""
        qmp.connect(str(monitor))
        plug = {"driver": "e1000e", "bus": "socket0", "netdev": "n", "id": "late"}
        for command in ({"execute": "qmp_capabilities"}, {"execute": "device_add", "arguments": plug}):
            qmp.sendall(json.dumps(command).encode() + b"\n")
        until(
            lambda: "network" if "0x020000" in agent.shell("cat /sys/bus/pci/devices/*/class") else None,
            waiting_for="the plugged NIC on the guest's bus",
            deadline=READY_SECONDS,
        )
        name = agent.shell("tdlab-net 10.77.0.9/24").strip()
        assert agent.shell(f"ip -4 -o address show dev {name}").split()[3] == "10.77.0.9/24"


def test_that_the_guest_powers_off_when_asked(image: GuestImage, tmp_path: Path) -> None:
    with booted(image, tmp_path) as (agent, qemu):
        agent.send("guest-shutdown", mode="powerdown")
        assert qemu.wait(timeout=READY_SECONDS) == 0


def test_that_a_second_build_has_the_same_bytes(image: GuestImage, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    again = images.build()
    assert again.folder != image.folder
    assert again.digest == image.digest
    for name in ("vmlinux", "initramfs.cpio", "manifest.json"):
        assert (again.folder / name).read_bytes() == (image.folder / name).read_bytes()
