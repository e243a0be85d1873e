"""The making and keeping of the Intel appliance."""

from __future__ import annotations

import json
import platform
from pathlib import Path

import pytest

from domains.bochs import contents, image
from domains.errors import CapabilityMissing, InfrastructureError

VERSIONS = {"bochs": "2.7+dfsg-4+deb12u1", "busybox-static": "1:1.35.0-4"}


class World:
    """apt, and the writing of the appliance, played by the test."""

    def __init__(self) -> None:
        self.versions = dict(VERSIONS)
        self.online = True
        self.made: list[str] = []

    def candidates(self) -> dict[str, str]:
        return self.versions

    def make(self, home: Path, digest: str, versions: dict[str, str], _: image.Say) -> None:
        if not self.online:
            raise InfrastructureError("no network")
        self.made.append(digest)
        (home / digest).mkdir()
        manifest = {"recipe": image.recipe_digest(), "release": "6.1.0", "packages": versions}
        (home / digest / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(image, "_versions", world.candidates)
    monkeypatch.setattr(image, "_make", world.make)
    return world


def test_that_an_appliance_is_made_once_and_again_for_newer_packages(world: World) -> None:
    first = image.build()
    assert (image.build(), first.release, first.bochs_version) == (first, "6.1.0", "2.7")
    world.versions = {**VERSIONS, "bochs": "3.0-1"}
    second = image.build()
    assert second.bochs_version == "3.0"
    assert second.folder != first.folder
    assert len(world.made) == 2


def test_that_without_network_the_last_one_is_used_and_that_is_said(world: World) -> None:
    first = image.build()
    world.versions, world.online = {**VERSIONS, "bochs": "3.0-1"}, False
    said: list[str] = []
    assert image.build(said.append) == first
    assert "no network" in said[0]


def test_that_without_network_and_without_an_older_one_the_cause_is_told(world: World) -> None:
    world.online = False
    with pytest.raises(InfrastructureError, match="no network"):
        image.build()


def test_that_what_a_killed_build_left_and_old_appliances_go(world: World, tmp_path: Path) -> None:
    left = tmp_path / "tdlab/bochs/.making-killed"
    left.mkdir(parents=True)
    for version in ("1", "2", "3"):
        world.versions = {"bochs": version}
        image.build()
    kept = {folder.name for folder in left.parent.iterdir() if folder.is_dir()}
    assert kept == set(world.made[-2:])


def test_that_a_signature_is_cut_off_a_module_and_nothing_else() -> None:
    signature = b"\xf7" * 300
    header = bytes(8) + len(signature).to_bytes(4, "big")
    assert image.unsigned(b"ELF code" + signature + header + b"~Module signature appended~\n") == b"ELF code"
    assert image.unsigned(b"ELF code") == b"ELF code"


def test_that_the_cd_starts_linux_at_once_with_a_clock_that_counts_instructions() -> None:
    menu = image.boot_menu()
    assert "PROMPT 0" in menu
    (words,) = [line.split()[1:] for line in menu.splitlines() if "APPEND" in line]
    assert {"console=ttyS0", "tsc_early_khz=100000", "tsc=reliable"} <= set(words)


def test_that_python_is_the_distributions_own() -> None:
    listed = "python3-minimal\n  PreDepends: python3.11-minimal\n  Depends: dpkg\n"
    assert image._python_packages(listed) == ("python3.11-minimal", "libpython3.11-stdlib")
    with pytest.raises(InfrastructureError, match="no Python"):
        image._python_packages("")


def test_that_a_host_that_cannot_have_it_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert contents.kernel_package("raspbian", "debian") == "linux-image-cloud-amd64"
    with pytest.raises(CapabilityMissing, match="fedora"):
        contents.kernel_package("fedora")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(CapabilityMissing, match="aarch64"):
        image._versions()


def test_that_packages_unknown_to_apt_are_a_missing_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: object) -> dict[str, str]:
        raise InfrastructureError("apt knows no candidate for the package bochs")

    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: {"ID": "debian"})
    monkeypatch.setattr(image, "_python_packages", lambda _: ("python3.11-minimal",))
    monkeypatch.setattr(image.packages, "with_libraries", unknown)
    with pytest.raises(CapabilityMissing, match="bochs") as refused:
        image._versions()
    assert "apt-get update" in str(refused.value.remedy)
