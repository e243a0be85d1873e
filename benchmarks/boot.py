"""How long until a guest answers: through tdlab and libvirt, and by bare ``qemu -kernel``, in turn.

Both boot the same kernel, initramfs and devices and end when the guest agent answers.
"""

from __future__ import annotations

import json
import socket
import tempfile
import time
from pathlib import Path

from benchmarks import _report
from domains import daemon, hypervisor, images, lifecycle, ownership, process, store, wait
from domains.errors import InfrastructureError
from domains.render import Placement
from domains.spec import DomainSpec

_ROUNDS = 7
_MEMORY_MIB = 192


def main() -> None:
    """Boot in turn and print the ratio of the times."""
    daemon.ensure_running()
    image = images.build()
    ours, bare = [], []
    with hypervisor.connected() as connection:
        stored = store.keep(connection, image)
        owner = ownership.this_process(ownership.new_run_id())
        spec = DomainSpec.model_validate({"accelerator": "tcg", "memory": f"{_MEMORY_MIB} MiB"})
        place = Placement(
            name=f"{ownership.PREFIX}{owner.run}-boot",
            accelerator="tcg",
            kernel=stored.kernel,
            initramfs=stored.initramfs,
            owner=owner,
        )
        with lifecycle.network(connection, owner) as net:
            for _ in range(_ROUNDS):
                bare.append(_bare(image))
                with lifecycle.running(connection, spec, place, net, 0) as domain:
                    ours.append(domain.boot_to_ready)
    _report.publish("boot", {"boot": _report.ratio(ours, bare)}, {"tdlab_s": ours, "bare_s": bare})


def _bare(image: images.GuestImage) -> float:
    with tempfile.TemporaryDirectory() as folder:
        agent = Path(folder) / "agent"
        words = [
            *("qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "qemu64,svm=off,vmx=off"),
            *("-m", str(_MEMORY_MIB), "-nodefaults", "-no-user-config", "-display", "none"),
            *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
            *("-append", " ".join((*images.KERNEL_ARGUMENTS, "tdlab.ip=10.0.2.15/24"))),
            *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile=,addr=0x10"),
            *(
                "-device",
                "virtio-serial-pci",
                "-device",
                "virtserialport,chardev=a,name=org.qemu.guest_agent.0",
            ),
            *("-chardev", f"socket,path={agent},server=on,wait=off,id=a"),
            *("-object", "rng-random,id=r,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=r"),
        ]
        began = time.monotonic()
        with process.started(words):
            wait.until(agent.exists, waiting_for="QEMU's socket", deadline=10)
            _wait_for_agent(agent)
            return time.monotonic() - began


def _wait_for_agent(path: Path) -> None:
    """Ask once: the question waits in the channel until the agent opens it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(60)
        client.connect(str(path))
        client.sendall(b'{"execute":"guest-ping"}\n')
        if "return" not in json.loads(client.recv(4096)):
            raise InfrastructureError("the guest agent refused a ping")
