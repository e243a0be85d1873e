"""What travels to machines, and what of it is kept here."""

from __future__ import annotations

import gzip
import os
import tarfile
import time
from pathlib import Path

import pytest

from domains import process
from domains.paths import PLAYBOOKS
from grader.fleet import causes, objects


def aged(file: Path, hours: float) -> Path:
    file.write_text(file.name)
    moment = time.time() - hours * 3600
    os.utime(file, (moment, moment))
    return file


def test_of_each_kind_the_newest_are_kept_and_what_a_run_may_need(tmp_path: Path) -> None:
    tools = [aged(tmp_path / f"tool-{number:016x}.tar.gz", 10 + number) for number in range(6)]
    lab = aged(tmp_path / f"lab-r202-{7:016x}.tar.gz", 99)
    young = [aged(tmp_path / f"seat-{number:016x}.tar.gz", 0.5) for number in range(9)]
    foreign = aged(tmp_path / "README", 99)
    killed = aged(tmp_path / f".{tools[0].name}.0123abcd", 99)
    objects.sweep(tmp_path, {tools[5].name})
    assert [file.exists() for file in tools] == [True, True, True, False, False, True]
    assert all(file.exists() for file in (lab, foreign, *young))
    assert not killed.exists()


def test_what_is_staged_stays_when_the_store_is_swept(tmp_path: Path) -> None:
    made = aged(tmp_path / f"tool-{1:016x}.tar.gz", 99)
    (tmp_path / "stage").mkdir()
    for _ in range(2):
        objects.place(made, tmp_path / "stage" / made.name)
    made.unlink()
    assert (tmp_path / "stage" / made.name).read_text() == made.name


@pytest.mark.parametrize("is_whole", [True, False])
def test_what_came_by_another_machine_is_unpacked_only_if_it_is_what_was_sent(
    tmp_path: Path, is_whole: bool
) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab/lab.yaml").write_text("as sent")
    sent = objects.packages(tmp_path / "objects", "3.13", tmp_path / "lab")
    archive, there = tmp_path / "objects" / sent.file, tmp_path / "there"
    there.mkdir()
    if not is_whole:
        # The same tree, and one file more, which no list in it names.
        plain, besides = tmp_path / "plain.tar", tmp_path / "sitecustomize.py"
        plain.write_bytes(gzip.decompress(archive.read_bytes()))
        besides.write_text("import os")
        with tarfile.open(plain, "a") as packed:
            packed.add(besides, f"trees/{sent.file.removesuffix('.tar.gz')}/{besides.name}")
        archive.write_bytes(gzip.compress(plain.read_bytes()))
    script = (PLAYBOOKS / "roles/fleet_files/files/unpack.sh").read_text()
    words = ["sh", "-c", script, "unpack", archive, sent.sha256, there]
    done = process.run(words, timeout=60, check=False)
    assert (there / "trees").is_dir() is archive.exists() is (done.status == 0) is is_whole
    if not is_whole:
        assert causes.classify("Unpack what came", {"stderr": done.stderr}).kind.id == "not-what-was-sent"


@pytest.mark.parametrize("inside", ["first-vm-workspace", "td/first-vm"])
def test_a_workspace_that_was_cut_while_it_was_unpacked_is_in_nobodys_way(
    tmp_path: Path, inside: str
) -> None:
    (tmp_path / "made/evidence").mkdir(parents=True)
    (tmp_path / "made/workspace.yaml").write_text("lab: first-vm")
    sent = objects.seat(tmp_path / "objects", "ada", tmp_path / "made", inside, "seat ada")
    archive, home = tmp_path / "objects" / sent.file, tmp_path / "home"
    home.mkdir()
    script = (PLAYBOOKS / "roles/fleet_seat/files/unpack.sh").read_text()
    words = ["sh", "-c", script, "unpack"]
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(archive.read_bytes()[:-40])
    assert process.run([*words, cut, inside], timeout=60, check=False, cwd=home).status != 0
    assert list(home.rglob("*")) == []
    process.run([*words, archive, inside], timeout=60, cwd=home)
    assert (home / inside / "workspace.yaml").read_text() == "lab: first-vm"
    assert [one.name for one in home.iterdir()] == [inside.split("/")[0]]
