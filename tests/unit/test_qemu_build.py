"""Our own build and the private runtimes, as far as they can be told without compiling anything."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from domains import privilege, process
from domains.errors import CapabilityMissing, InfrastructureError
from domains.qemu import build, home, runtime

SOURCE = """\
static bool decode_op(DisasContext *s, CPUX86State *env, X86DecodedInsn *decode,
        if (op->n != 0 && op->n != 2 && op->n != 3 && op->n != 4 && op->n != 8) {
            return false;
        }
        if (decode->e.intercept) {
            decode->e.intercept += op->n;
        }
        break;
between
              */
             return false;
         }
        if (decode->e.intercept) {
            decode->e.intercept += op->n;
        }
        break;
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(home, "known", lambda: [tmp_path])
    monkeypatch.setattr(home, "writable", lambda _=None: tmp_path)
    return tmp_path


def own(place: Path, script: str) -> Path:
    program = place / f"own-{build.key()}" / "bin" / build.PROGRAM
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def test_what_is_built_is_taken_as_it_is(place: Path) -> None:
    assert build.built() is None
    program = own(place, "exit 0")
    assert build.built() == build.ensure_built() == program


def test_a_program_that_no_longer_starts_is_none(place: Path) -> None:
    own(place, "exit 127")
    assert build.built() is None


def test_the_key_changes_with_the_patches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = build.key()
    shutil.copytree(build.PATCHES, tmp_path / "patches")
    monkeypatch.setattr(build, "PATCHES", tmp_path / "patches")
    assert build.key() == before
    (tmp_path / "patches" / "0002-more.patch").write_text("more")
    assert build.key() != before


def test_the_first_patch_turns_both_tests() -> None:
    text = sorted(build.PATCHES.glob("*.patch"))[0].read_text()
    assert text.count("\n-        if (decode->e.intercept) {") == 2
    assert text.count("\n+        if (decode->e.has_intercept) {") == 2


@pytest.mark.parametrize("patch", sorted(build.PATCHES.glob("*.patch")), ids=lambda patch: patch.name[:4])
def test_each_patch_has_a_message_fit_to_be_sent_and_counts_its_lines(patch: Path) -> None:
    text = patch.read_text()
    assert "\nSubject: [PATCH] target/i386: tcg: " in text
    assert "Signed-off-by" not in text  # only a person can sign
    message, changes = text.split("\n---\n")
    assert max(map(len, message.splitlines())) <= 80
    added = len(re.findall(r"^\+(?!\+\+)", changes, re.MULTILINE))
    removed = len(re.findall(r"^-(?!--)", changes, re.MULTILINE))
    told = {what: int(count) for count, what in re.findall(r"(\d+) (insertion|deletion)", changes)}
    assert (told["insertion"], told.get("deletion", 0)) == (added, removed)


def test_without_room_nothing_is_begun(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "NEEDS_BYTES", 1 << 60)
    with pytest.raises(InfrastructureError, match=r"GiB left; building QEMU needs") as refused:
        build.ensure_built()
    assert refused.value.remedy
    assert not list(place.glob(".building-*"))


def test_without_root_the_packages_are_named_for_the_one_who_has_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "missing_packages", lambda: ["ninja-build", "flex"])
    monkeypatch.setattr(privilege, "as_root", lambda: None)
    with pytest.raises(CapabilityMissing) as refused:
        build.ensure_built()
    assert refused.value.remedy == "ask an administrator: apt-get install ninja-build flex"
    assert not list(place.glob(".building-*"))


def test_a_failing_step_tells_its_last_words_and_where_the_log_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(works: build._Works) -> Path:
        works.run(["sh", "-c", "echo first; echo the mirror is down >&2; exit 3"], remedy="check the network")
        raise AssertionError

    monkeypatch.setattr(build, "missing_packages", list)
    monkeypatch.setattr(build, "_fetch", fetch)
    with pytest.raises(InfrastructureError) as failed:
        build.ensure_built()
    assert failed.value.problem == "QEMU could not be built: sh ended with status 3: the mirror is down"
    assert str(place / f"own-{build.key()}.log") in str(failed.value.remedy)
    assert build.built() is None
    assert not list(place.glob(".building-*"))


def test_what_a_killed_build_left_is_cleared_away(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = place / ".building-killed"
    left.mkdir()
    (left / "source").write_text("half")
    monkeypatch.setattr(build, "NEEDS_BYTES", 1 << 60)
    with pytest.raises(InfrastructureError):
        build.ensure_built()
    assert not left.exists()


def test_of_older_builds_the_newest_are_kept_and_a_log_goes_with_its_build(place: Path) -> None:
    for age, name in enumerate(("own-c", "own-b", "own-a")):
        (place / name).mkdir()
        manifest = place / name / "manifest.json"
        manifest.write_text("{}")
        os.utime(manifest, (1_000_000 - age, 1_000_000 - age))
        (place / f"{name}.log").write_text("built")
    (place / "own-failed.log").write_text("the compiler says why")
    home.keep_newest(place, "own-", 2)
    assert sorted(kept.name for kept in place.iterdir()) == [
        "own-b",
        "own-b.log",
        "own-c",
        "own-c.log",
        "own-failed.log",
    ]


def test_missing_packages_are_those_that_dpkg_does_not_call_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = "gcc installed\nflex config-files\nninja-build installed\n"
    monkeypatch.setattr(
        process, "run", lambda argv, **_: process.Completed(tuple(argv), 1, said, "no packages found", 0.0)
    )
    missing = build.missing_packages()
    assert "flex" in missing
    assert not {"gcc", "ninja-build"} & set(missing)


def test_folders_that_others_may_pass_through(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inner = closed / "inner"
    inner.mkdir(parents=True)
    closed.chmod(0o700)
    assert home.is_reachable(Path("/usr/bin"))
    assert not home.is_reachable(inner)


def test_a_user_with_a_closed_home_and_no_sudo_is_told_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    monkeypatch.setattr(home, "is_reachable", lambda _: False)
    monkeypatch.setattr(home, "SHARED", tmp_path / "none" / "qemu")
    monkeypatch.setattr(privilege, "as_root", lambda: None)
    with pytest.raises(CapabilityMissing) as refused:
        home.writable()
    assert "chmod o+x" in str(refused.value.remedy)
    assert tmp_path / "none" / "qemu-4321" in home.known()


def test_a_runtime_s_wrapper_uses_its_own_loader_libraries_and_firmware(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    loader = folder / "lib" / "x86_64-linux-gnu" / "ld-linux-x86-64.so.2"
    loader.parent.mkdir(parents=True)
    loader.write_text('#!/bin/sh\nprintf "%s\\n" "$QEMU_MODULE_DIR" "$@"\n')
    loader.chmod(0o755)
    script = folder / "qemu"
    script.write_text(runtime.wrapper(folder, Path("lib/x86_64-linux-gnu")))
    script.chmod(0o755)
    said = process.run([script, "-name", "a b"], timeout=10).stdout.splitlines()
    assert said[0] == f"{folder}/usr/lib/x86_64-linux-gnu/qemu"
    assert said[-2:] == ["-name", "a b"]
    assert f"{folder}/usr/bin/qemu-system-x86_64" in said
    assert said.count("-L") == 3


def test_a_runtime_without_mmdebstrap_is_a_missing_capability(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "found", lambda _: None)
    with pytest.raises(CapabilityMissing, match="needs mmdebstrap"):
        runtime.ensure_unpacked("trixie")
    there = place / "trixie-1" / "qemu-system-x86_64"
    there.parent.mkdir()
    there.write_text("")
    assert runtime.ensure_unpacked("trixie") == there
