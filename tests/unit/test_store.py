"""Which uploads are used again, and which are dropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from domains import ownership, store
from domains.hypervisor import Hypervisor
from domains.images import GuestImage
from domains.ownership import WHOLE

MINE = ownership.this_process("mine")
# Process 1 with another start time than it has: somebody who is gone.
GONE = replace(MINE, run="gone", pid=1, started=1)


class Shelf:
    """A pool in memory."""

    def __init__(self, *names: str) -> None:
        self.held = {name: f"/pool/{name}" for name in names}

    def volumes(self) -> dict[str, str]:
        return dict(self.held)

    def upload(self, xml: str, _file: Path) -> str:
        return self.create(xml)

    def create(self, xml: str) -> str:
        name = xml.partition("<name>")[2].partition("</name>")[0]
        return self.held.setdefault(name, f"/pool/{name}")

    def delete(self, name: str) -> bool:
        return self.held.pop(name, None) is not None


@pytest.fixture
def image(tmp_path: Path) -> GuestImage:
    for name in ("vmlinux", "initramfs.cpio"):
        (tmp_path / name).write_text(name)
    return GuestImage(tmp_path, "a" * 64, "6.1", {})


def keep(shelf: Shelf, image: GuestImage, monkeypatch: pytest.MonkeyPatch) -> store.StoredImage:
    monkeypatch.setattr(store, "pool", lambda _: shelf)
    return store.keep(cast("Hypervisor", cast("Any", None)), image)


def uploads(owner: Any, digest: str) -> list[str]:
    names = [ownership.volume_name(owner, f"guest-{digest}-{part}") for part in ("kernel", "initramfs")]
    return [*names, *(name + WHOLE for name in names)]


def test_a_whole_upload_is_used_again(image: GuestImage, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(*uploads(GONE, "a" * 16))
    before = set(shelf.held)
    assert keep(shelf, image, monkeypatch).kernel == f"/pool/{uploads(GONE, 'a' * 16)[0]}"
    assert set(shelf.held) == before


def test_half_an_upload_is_not_believed(image: GuestImage, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = ownership.volume_name(GONE, f"guest-{'a' * 16}-kernel")
    assert keep(Shelf(kernel), image, monkeypatch).kernel != f"/pool/{kernel}"


def test_old_images_of_the_dead_are_dropped_and_nothing_else(
    image: GuestImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [
        *uploads(MINE, "c" * 16),
        "holiday-guest-photos.qcow2",
        ownership.volume_name(GONE, "my-guest-x.qcow2"),
    ]
    shelf = Shelf(*uploads(GONE, "b" * 16), *others)
    keep(shelf, image, monkeypatch)
    assert not any("b" * 16 in name for name in shelf.held)
    assert set(others) <= set(shelf.held)
