"""Commands over SSH: what the program ssh is asked for, and how its ends are told apart."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from domains.cloud import ssh as ssh_guest
from domains.cloud.ssh import SshGuest
from domains.errors import GuestError, ProcessError

# Stands for ssh: notes its words, and ends as the file beside it says.
SSH = """\
#!{python}
import json, pathlib, sys
folder = pathlib.Path({folder!r})
(folder / "asked").write_text(json.dumps(sys.argv[1:]))
told = json.loads((folder / "answer").read_text())
print(told["out"], end="")
print(told["err"], end="", file=sys.stderr)
sys.exit(told["status"])
"""


class World:
    """A folder with an ssh that does as it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "ssh"
        program.write_text(SSH.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        self.answers()
        machine: Any = SimpleNamespace(name="tdlab-x")
        self.guest = SshGuest(machine, "10.1.2.3", folder / "key", folder / "with space")

    def answers(self, status: int = 0, out: str = "", err: str = "") -> None:
        (self.folder / "answer").write_text(json.dumps({"status": status, "out": out, "err": err}))

    @property
    def asked(self) -> list[str]:
        words: list[str] = json.loads((self.folder / "asked").read_text())
        return words


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return World(tmp_path)


def test_that_words_arrive_as_they_were(world: World) -> None:
    world.answers(out="done\n")
    assert world.guest.run(["echo", "a b", "$HOME; id"]).stdout == "done\n"
    assert world.asked[-2:] == ["root@10.1.2.3", "echo 'a b' '$HOME; id'"]


def test_that_only_our_key_and_the_guests_own_are_trusted(world: World) -> None:
    world.guest.run(["true"])
    asked = " ".join(world.asked)
    for words in (
        "-F none",
        f"-i {world.folder}/key",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=none",
        "IdentitiesOnly=yes",
        "BatchMode=yes",
        f"UserKnownHostsFile='{world.folder}/with space'",
    ):
        assert words in asked


def test_that_a_failed_program_is_told_from_a_failed_connection(world: World) -> None:
    world.answers(status=3, err="no such thing\n")
    with pytest.raises(ProcessError, match="status 3: no such thing"):
        world.guest.run(["false"])
    assert world.guest.run(["false"], check=False).status == 3
    world.answers(status=255, err="ssh: connect to host 10.1.2.3 port 22: Connection refused\n")
    with pytest.raises(GuestError, match=r"tdlab-x: .*Connection refused"):
        world.guest.run(["true"], check=False)


def test_that_the_driver_is_read_as_by_the_agent(world: World) -> None:
    world.answers(out="/sys/bus/virtio/drivers/virtio_net\n")
    assert world.guest.driver() == "virtio_net"
    assert world.guest.channel == "ssh"


def test_that_a_guest_is_known_by_its_host_key(tmp_path: Path) -> None:
    written = ssh_guest.known_hosts("10.1.2.3", "ssh-ed25519 AAAA tdlab", tmp_path / "known")
    assert written.read_text() == "10.1.2.3 ssh-ed25519 AAAA\n"
    ssh_guest.known_hosts("10.1.2.3", "ssh-ed25519 AAAA tdlab", written, port=2222)
    assert written.read_text() == "[10.1.2.3]:2222 ssh-ed25519 AAAA\n"
