"""The tools for cloud images are taken out of the tiny guest, whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domains.cloud import tools as guest_tools
from domains.errors import InfrastructureError
from domains.guest_image.initramfs import Entry, archive
from domains.images import GuestImage
from domains.process import run

FILE, FOLDER = stat.S_IFREG | 0o755, stat.S_IFDIR | 0o755
HELD = {
    "bin/iperf3": b"program",
    "bin/busybox": b"not wanted",
    "lib/x86_64-linux-gnu/libiperf.so.0": b"library",
    "lib64/ld-linux-x86-64.so.2": b"loader",
}


def image(folder: Path, held: dict[str, bytes]) -> GuestImage:
    folders = {str(parent) for name in held for parent in Path(name).parents} - {"."}
    entries = [Entry(name, FILE, content) for name, content in held.items()]
    content = archive([*entries, *(Entry(name, FOLDER) for name in folders)])
    (folder / "initramfs.cpio").write_bytes(content)
    return GuestImage(folder, "abc", "6.1", {})


def test_that_program_loader_and_libraries_are_taken_and_nothing_else(tmp_path: Path) -> None:
    tools = guest_tools.write(image(tmp_path, HELD), tmp_path / "tools")
    found = {str(file.relative_to(tools)): file.read_bytes() for file in tools.rglob("*") if file.is_file()}
    assert found.pop("start")
    assert found == {name: content for name, content in HELD.items() if name != "bin/busybox"}


@pytest.mark.parametrize("lost", ["bin/iperf3", "lib64/ld-linux-x86-64.so.2"])
def test_that_an_image_without_one_of_them_is_refused(tmp_path: Path, lost: str) -> None:
    held = {name: content for name, content in HELD.items() if name != lost}
    with pytest.raises(InfrastructureError, match=lost):
        guest_tools.write(image(tmp_path, held), tmp_path / "tools")


def test_that_the_script_is_one_that_a_shell_can_read(tmp_path: Path) -> None:
    tools = guest_tools.write(image(tmp_path, HELD), tmp_path / "tools")
    run(["sh", "-n", tools / "start"], timeout=10)
    text = (tools / "start").read_text()
    for word in (
        *(name for name in HELD if "busybox" not in name and ".so.0" not in name),
        guest_tools.READY,
    ):
        assert word in text
