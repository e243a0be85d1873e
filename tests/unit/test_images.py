"""The keeping of guest images: what makes a new one, what happens without network, what a kill leaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domains import images
from domains.errors import InfrastructureError, ProcessError
from domains.guest_image import contents, packages

VERSIONS = {"linux-image-amd64": "6.1.1-1", "iperf3": "3.12-1"}


class World:
    """apt, and the writing of an image, played by the test."""

    def __init__(self) -> None:
        self.versions = dict(VERSIONS)
        self.online = True
        self.state = "first"
        self.asked = 0
        self.made = 0

    def candidates(self) -> dict[str, str]:
        self.asked += 1
        if not self.versions:
            raise InfrastructureError("apt knows no candidate", remedy="run apt-get update as root")
        return dict(self.versions)

    def fetch(self, _: object, folder: Path) -> None:
        if not self.online:
            raise ProcessError(["apt-get"], 100, "", "Could not resolve 'archive'")
        (folder / "root").mkdir()

    def write(self, _: Path, image: Path) -> str:
        self.made += 1
        (image / "vmlinux").write_text("kernel")
        (image / "initramfs.cpio").write_text("files")
        return self.versions["linux-image-amd64"]

    def update(self, **versions: str) -> None:
        """What apt-get update does: other candidates, and other files of apt."""
        self.versions.update({name.replace("_", "-"): version for name, version in versions.items()})
        self.state += "+"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(packages, "candidates", world.candidates)
    monkeypatch.setattr(packages, "fetch", world.fetch)
    monkeypatch.setattr(images, "DEPLOYED", Path("/nonexistent"))
    monkeypatch.setattr(packages, "apt_state", lambda: world.state)
    monkeypatch.setattr(images, "_write", world.write)
    return world


def test_that_an_image_is_made_once(world: World) -> None:
    first, second = images.build(), images.build()
    assert first == second
    assert (world.made, world.asked) == (1, 1)
    assert first.kernel.read_text() == "kernel"
    assert first.initramfs.stat().st_mode & 0o777 == 0o644
    assert first.release == "6.1.1-1"
    assert first.packages == VERSIONS


def test_that_nothing_is_there_before_it_is_made(world: World) -> None:
    assert images.where() is None
    made = images.build()
    assert images.where() == made


def test_that_an_update_without_new_packages_makes_nothing(world: World) -> None:
    first = images.build()
    world.update()
    assert images.build() == first
    assert (world.made, world.asked) == (1, 2)


def test_that_a_new_kernel_makes_a_new_image(world: World) -> None:
    first = images.build()
    world.update(linux_image_amd64="6.1.2-1")
    second = images.build()
    assert second.digest != first.digest
    assert first.folder.is_dir()


def test_that_offline_an_older_image_of_the_same_recipe_serves_and_says_so(world: World) -> None:
    first = images.build()
    world.update(linux_image_amd64="6.1.2-1")
    world.online = False
    told: list[str] = []
    assert images.build(told.append) == first
    assert "6.1.1-1" in told[-1]
    assert "Could not resolve" in told[-1]


def test_that_without_apt_lists_a_kept_image_serves(world: World) -> None:
    first = images.build()
    world.versions.clear()
    world.state = "lists were removed"
    assert images.build() == first
    assert images.where() == first


def test_that_a_changed_recipe_never_uses_an_old_image(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    images.build()
    monkeypatch.setattr(images, "recipe_digest", lambda: "another recipe")
    world.online = False
    with pytest.raises(InfrastructureError, match=r"cannot be made.*Could not resolve"):
        images.build()


def test_that_the_first_build_offline_says_what_to_do(world: World) -> None:
    world.versions.clear()
    with pytest.raises(InfrastructureError) as refused:
        images.build()
    assert refused.value.remedy == "run apt-get update as root"


def test_that_what_a_killed_build_left_is_removed_and_never_used(world: World, tmp_path: Path) -> None:
    left = tmp_path / "tdlab/images/.making-abc/image"
    left.mkdir(parents=True)
    (left / "manifest.json").write_text("{}")
    assert images.where() is None
    images.build()
    assert not left.parent.exists()


def test_that_only_the_newest_images_are_kept(world: World) -> None:
    made = []
    for number in range(5):
        world.update(iperf3=f"4.{number}")
        made.append(images.build())
        os.utime(made[-1].folder / "manifest.json", (number, number))
    assert [image.folder.exists() for image in made] == [False, False, True, True, True]


def test_that_a_failed_build_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path, __: Path) -> str:
        raise InfrastructureError("no kernel")

    monkeypatch.setattr(images, "_write", broken)
    with pytest.raises(InfrastructureError, match="no kernel"):
        images.build()
    home = images.paths.cache() / "images"
    assert sorted(path.name for path in home.iterdir()) == [".lock", "candidates.json"]


def test_that_a_damaged_answer_of_apt_is_asked_for_again(world: World) -> None:
    first = images.build()
    (first.folder.parent / "candidates.json").write_text('{"state": "fir')
    assert images.build() == first
    assert world.asked == 2


def test_that_the_recipe_holds_every_script_and_builder() -> None:
    before = images.recipe_digest()
    assert before == images.recipe_digest()
    assert all(script.parent == contents.HERE for script in contents.SCRIPTS.values())
    assert all(script.is_file() for script in contents.SCRIPTS.values())


def test_that_the_digest_depends_on_recipe_and_versions_but_not_on_their_order() -> None:
    turned = dict(reversed(VERSIONS.items()))
    assert images.image_digest("r", VERSIONS) == images.image_digest("r", turned)
    assert images.image_digest("r", VERSIONS) != images.image_digest("s", VERSIONS)
    assert images.image_digest("r", VERSIONS) != images.image_digest("r", {**VERSIONS, "iperf3": "3.13"})


def test_that_set_up_scripts_get_the_folder_on_stdout(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert images.main(["where"]) == 1
    assert images.main(["build"]) == 0
    said = capsys.readouterr()
    assert Path(said.out.strip()).is_dir()
    assert "making the guest image" in said.err
    assert images.main(["where"]) == 0
    assert images.main(["wehre"]) == 2


def test_that_the_image_that_a_teacher_deployed_serves_the_whole_class(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = images.build()
    monkeypatch.setattr(images, "DEPLOYED", tmp_path / "deployed")
    (tmp_path / "deployed").mkdir()
    (tmp_path / "deployed" / made.digest).symlink_to(made.folder)
    world.versions = {"linux-image-amd64": "6.1.2-1", "iperf3": "3.12-1"}
    world.state = "second"
    assert images.build().folder == tmp_path / "deployed" / made.digest
    assert images.where() == images.build()
