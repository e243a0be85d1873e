"""How hosts are spoken to, without any: what stands for ssh runs here what is to run there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ansible.plugins.connection
import psutil
import pytest

from domains import many_hosts, process, provision, wait

Spoken = Callable[..., dict[str, Any]]
SUDO = """#!/bin/sh
while [ "$1" != -u ]; do [ "$1" != -p ] || printf %s "$2" >&2; shift; done
read -r said
[ "$said" = sesame ] || exit 1
shift 2
exec "$@"
"""


ADHOC = "from ansible.cli.adhoc import main; main()"
ENV = {"LC_ALL": "C.UTF-8", "ANSIBLE_DEPRECATION_WARNINGS": "0"}


def asked(script: str) -> list[str]:
    """Return the words that have a host run a script."""
    return ["all", "-i", "pc,", "-m", "raw", "-a", script]


def placed(folder: Path, name: str, script: str) -> None:
    """Put a program into a folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(script)
    (folder / name).chmod(0o755)


@pytest.fixture
def spoken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spoken:
    """Return what has a host run a script by Ansible, with our bound, and returns the task's result."""
    placed(tmp_path / "bin", "ssh", '#!/bin/sh\nwhile [ $# -gt 1 ]; do shift; done\nexec sh -c "$1"\n')
    placed(tmp_path / "bin", "sudo", SUDO)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")

    def speak(script: str, *words: str, most: int = 100, before: str = "pass", timeout: float = 60) -> Any:
        program = f"{before}; {ADHOC}"
        given = [*asked(script), "--tree", tmp_path / "said", *words]
        with provision.secluded():
            env = {**ENV, **many_hosts.bounds(most)}
            done = process.run([sys.executable, "-c", program, *given], timeout=timeout, check=False, env=env)
        said = tmp_path / "said/pc"
        assert said.exists(), done.stdout + done.stderr
        return {**json.loads(said.read_bytes().decode(errors="surrogateescape")), "warned": done.stderr}

    return speak


def test_what_a_host_prints_and_how_it_ends_is_passed_on(spoken: Spoken) -> None:
    said = spoken("printf '%0100d' 0; echo no >&2; exit 7")
    assert (said["rc"], said["stdout"], said["stderr"], said["warned"]) == (7, "0" * 100, "no\n", "")


@pytest.mark.parametrize(("where", "kept"), [("", "stdout"), (">&2", "stderr")])
def test_a_host_that_prints_without_end_is_cut_and_its_ssh_ended(
    spoken: Spoken, tmp_path: Path, where: str, kept: str
) -> None:
    said = spoken(f"echo $$ >{tmp_path}/pid; trap '' PIPE; while :; do echo flood {where}; done 2>&2")
    assert (said["rc"], len(said[kept])) == (many_hosts.CUT, 100)
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()


def test_a_byte_more_than_may_be_is_cut(spoken: Spoken) -> None:
    said = spoken("printf '%0101d' 0")
    assert (said["rc"], len(said["stdout"])) == (many_hosts.CUT, 100)


def test_a_flood_that_ends_like_a_host_that_is_gone_is_a_flood(spoken: Spoken) -> None:
    said = spoken("trap 'exit 255' TERM; while :; do echo flood; done")
    assert said["rc"] == many_hosts.CUT


def test_sudo_is_given_its_password_as_soon_as_it_asks(spoken: Spoken) -> None:
    said = spoken("echo in", "--become", "-e", "ansible_become_password=sesame", timeout=10)
    assert (said["rc"], said["stdout"].strip()) == (0, "in")


def test_bytes_that_are_no_text_are_taken_in(spoken: Spoken) -> None:
    said = spoken(r"printf 'a\377\376b\200'")
    assert (said["rc"], said["stdout"].encode(errors="surrogateescape")) == (0, b"a\xff\xfeb\x80")


def test_a_large_archive_comes_whole(spoken: Spoken) -> None:
    size = 8 * 2**20
    said = spoken(f"head --bytes={size} /dev/zero | base64 --wrap=0", most=48 * 2**20)
    assert (said["rc"], len(said["stdout"])) == (0, (size + 2) // 3 * 4)


def test_an_ansible_that_reads_otherwise_is_used_unbounded_and_a_warning_says_so(
    spoken: Spoken, tmp_path: Path
) -> None:
    known = Path(ansible.plugins.connection.__file__).with_name("ssh.py").read_text()
    other = tmp_path / "other"
    placed(other, "ssh.py", known.replace("subprocess.Popen(", "__import__('subprocess').Popen("))
    before = f"import ansible.plugins.connection as plugins; plugins.__file__ = '{other}/__init__.py'"
    said = spoken("printf '%0200d' 0", before=before)
    assert (said["rc"], len(said["stdout"])) == (0, 200)
    assert "not bounded" in said["warned"]


@pytest.mark.usefixtures("spoken")
def test_when_ansible_is_killed_its_workers_end_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    words = [sys.executable, "-c", ADHOC, *asked(f"echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 300")]
    with provision.secluded(), process.started(words, env={**ENV, **many_hosts.bounds(100)}) as ansible_:
        wait.until(pid.exists, waiting_for="the host's script", deadline=60)
        workers = psutil.Process(ansible_.pid).children()
        assert workers
        ansible_.kill()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []
    psutil.Process(int(pid.read_text())).kill()
