"""A plan that is only shown: nothing is built, fetched or written for it, and guesses are called so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from domains import images, paths
from domains.guest_image import packages
from domains.setup import wheels
from grader.commands import deploy
from grader.fleet import inventory, plan
from grader.lab import lab as labs

LAB = labs.load(labs.find("first-vm"))
WORDS = ["first-vm", "--wheels", "3.13", "--dry-run"]


@pytest.fixture
def room(tmp_path: Path, own_state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return who sits where; nothing is in the cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(images, "DEPLOYED", tmp_path / "nobody-deployed-here")
    file = tmp_path / "room.csv"
    file.write_text("student,host,user\nAl,pc1,root\nBo,pc2,root\n")
    return file


def said(room: Path, *words: str) -> str:
    done = CliRunner().invoke(deploy.command, [*WORDS, "-i", str(room), *words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def kept() -> dict[Path, int]:
    """Return all files that tdlab keeps, each with when it was written."""
    every = (file for top in (paths.cache(), paths.state()) for file in top.rglob("*"))
    return {file: file.stat().st_mtime_ns for file in every if file.is_file()}


def test_a_dry_run_on_a_fresh_machine_writes_nothing_and_says_what_is_made_first(room: Path) -> None:
    told: dict[str, Any] = json.loads(said(room, "--json"))
    assert kept() == {}
    assert told["estimated"] is True
    guessed = {one["object"]: one["bytes"] for one in told["to_be_made"]}
    assert guessed.keys() == {"image", "python-3.13"}
    for row in told["hosts"]:
        assert row["bytes"] > sum(guessed.values())
        assert [name.partition("-")[0] for name in row["objects"]] == ["tool", "lab"]

    english, french = (said(room, "--lang", lang).splitlines() for lang in ("en", "fr"))
    assert "packages for Python 3.13: to be fetched here first, about 77 MiB" in english
    assert "guest image: to be built here first, about 18 MiB" in english
    assert [line for line in french if line.startswith("image des invités\N{NO-BREAK SPACE}: à construire")]
    for lines in (english, french):
        sizes = [one for line in lines for one in re.findall(r"(\S+) Mi[Bo]", line) if "." in one]
        assert len(sizes) == 4, lines
        assert all(one.startswith("~") for one in sizes)
    assert kept() == {}


def test_a_dry_run_takes_the_size_of_what_is_there_and_touches_none_of_it(room: Path) -> None:
    image, folder = an_image(), packages_of_a_python()
    before = kept()
    first: dict[str, Any] = json.loads(said(room, "--json"))
    assert kept() == before
    wish = plan.Wish(image, wheels={"3.13": folder})
    made = plan.make(LAB, inventory.read(room), wish)
    assert (first["estimated"], first["to_be_made"]) == (False, [])
    for row, one in zip(first["hosts"], made.assigned, strict=True):
        assert row["objects"] == [sent.file for sent in one.objects]
        # A workspace's own number is another one each time, and takes a few bytes more or less when packed.
        assert abs(row["bytes"] - one.bytes) < 100

    # Now the archives are there, too.
    before = kept()
    assert "~" not in said(room)
    assert kept() == before


def test_an_image_of_older_packages_is_one_that_is_to_be_built_first(room: Path) -> None:
    image = an_image()
    manifest = json.loads((image.folder / "manifest.json").read_text())
    (image.folder / "manifest.json").write_text(json.dumps({**manifest, "digest": "older"}))
    shutil.move(image.folder, image.folder.with_name("older"))
    assert images.where() is not None
    assert [one["object"] for one in json.loads(said(room, "--json"))["to_be_made"]] == [
        "python-3.13",
        "image",
    ]


def an_image() -> images.GuestImage:
    """Put an image of the packages that apt knows now into the cache."""
    recipe, versions = images.recipe_digest(), packages.candidates()
    digest = images.image_digest(recipe, versions)
    folder = paths.cache() / "images" / digest
    folder.mkdir(parents=True)
    (folder / "vmlinux").write_text("kernel")
    manifest = {"digest": digest, "recipe": recipe, "release": "6.1", "packages": versions}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    found = images.load(folder)
    assert found
    return found


def packages_of_a_python() -> Path:
    """Put a package into the cache, as if it were all that tdlab needs."""
    place = wheels._place("3.13", wheels._locked("3.13"))
    (place / "click").mkdir(parents=True)
    (place / "click/__init__.py").write_text("")
    return place
