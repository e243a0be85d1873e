"""Machines that are off, broken, slow or hostile, and a teacher's machine that dies: the others go on."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchmarks._room import room, using
from benchmarks._room.using import deploy, hosts, tdlab
from domains import wait

pytestmark = pytest.mark.integration


def test_of_eight_machines_five_broken_ones_are_named_and_a_rerun_finishes_them_alone(
    own_state: Path, tmp_path: Path
) -> None:
    with room.opened(8, megabytes=96) as made:
        inventory = using.inventory(made.machines, made.key, tmp_path / "room.yml")
        dropping, hung, full, locked, slow = made.machines[3:]
        dropping.drop()
        hung.signal_sshd(signal.SIGSTOP)
        full.shell("fallocate -l $(($(df -Pk /opt | awk 'NR == 2 { print $4 }') - 2000))K /var/tmp/filled")
        locked.shell("mv /root/.ssh/authorized_keys /root/.ssh/kept")
        slow.slow("150kbit")
        began = time.monotonic()
        broken = deploy(inventory, "--json", "--transfer-seconds", "15")
        assert time.monotonic() - began < 240
        assert broken.status == 4, broken.stderr
        causes = {row["host"]: row["cause"] for row in hosts(broken)}
        assert causes == {
            **{one.name: None for one in made.machines[:3]},
            dropping.name: "off",
            hung.name: "hung",
            full.name: "disk-full",
            locked.name: "wrong-key",
            slow.name: "slow",
        }
        assert all(row["mend"] for row in hosts(broken) if row["cause"])

        # What came half is kept, once all that was under way has come, and is sent on from there.
        wait.until(
            lambda: "tar.gz" in slow.run("ls", "/opt/tdlab/objects/.partial", check=False),
            waiting_for="the part that came",
            deadline=90,
        )

        dropping.mend_link()
        hung.signal_sshd(signal.SIGCONT)
        full.run("rm", "/var/tmp/filled")
        locked.shell("mv /root/.ssh/kept /root/.ssh/authorized_keys")
        slow.mend_link()
        mended = deploy(inventory, "--json")
        states = [row["state"] for row in hosts(mended)]
        assert states == ["unchanged"] * 3 + ["done"] * 5, mended.stdout

        words = ("collect", using.LAB, "-i", inventory, "--into", tmp_path / "class", "--submit", "--json")
        archives = json.loads(tdlab(*words).stdout.splitlines()[-1])["archives"]
        assert [row["verified"] for row in archives] == [True] * 8
        graded = tdlab("grade", using.LAB, tmp_path / "class", "--into", tmp_path / "marks", "--json")
        marks = [one["score"] for one in json.loads(graded.stdout)["submissions"]]
        assert marks == [0] * 8, graded.stderr


def test_a_deployment_that_is_killed_in_the_middle_ends_the_same_when_it_is_repeated(
    own_state: Path, tmp_path: Path
) -> None:
    with room.opened(2) as made:
        inventory = using.inventory(made.machines, made.key, tmp_path / "room.yml")
        began = using.deploying(inventory, "--json")
        with subprocess.Popen(began, stdout=subprocess.PIPE, text=True) as killed:
            assert killed.stdout is not None
            for line in killed.stdout:
                if json.loads(line).get("phase") == "files":
                    break
            killed.kill()
        repeated = deploy(inventory, "--json")
        assert {row["state"] for row in hosts(repeated)} == {"done"}, repeated.stdout
        again = deploy(inventory, "--json")
        assert [(row["state"], row["changed"]) for row in hosts(again)] == [("unchanged", 0)] * 2


def test_a_deployment_that_is_asked_to_end_ends_and_says_so(own_state: Path, tmp_path: Path) -> None:
    with room.opened(1) as made:
        inventory = using.inventory(made.machines, made.key, tmp_path / "room.yml")
        made.machines[0].slow("100kbit")
        with subprocess.Popen(
            using.deploying(inventory, "--json"), stdout=subprocess.PIPE, text=True
        ) as asked:
            assert asked.stdout is not None
            for line in asked.stdout:
                if json.loads(line).get("phase") == "files":
                    break
            asked.terminate()  # SIGINT is ignored where tests run in the background
            rest, _ = asked.communicate(timeout=60)
        assert asked.returncode == 130
        assert json.loads(rest.splitlines()[-1])["hosts"][0]["cause"] == "interrupted"


def test_a_relay_that_a_killed_deployment_left_ends_with_the_next_one(
    own_state: Path, tmp_path: Path
) -> None:
    with room.opened(2) as made:
        inventory = using.inventory(made.machines, made.key, tmp_path / "room.yml")
        passing, taking = made.machines
        taking.slow("300kbit")
        words = using.deploying(inventory, "--json", "--relay", passing.name)
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as killed:
            assert killed.stdout is not None
            for line in killed.stdout:
                event = json.loads(line)
                if event["host"] == taking.name and event["phase"] == "files":
                    break
            killed.kill()
        assert ":8730" in passing.run("ss", "-Htln")
        # Should nobody come, it ends by itself.
        assert "timeout 7200 rsync --daemon" in passing.run("pgrep", "-af", "rsync --daemon")
        taking.mend_link()

        repeated = deploy(inventory, "--json")
        assert {row["cause"] for row in hosts(repeated)} == {None}, repeated.stdout
        assert ":8730" not in passing.run("ss", "-Htln")
        assert "relay" not in passing.run("ls", "/opt/tdlab")
        state = json.loads(tdlab("status", "-i", inventory, "--json").stdout)
        assert [one["deployed"] for one in state["hosts"]] == [True, True]
