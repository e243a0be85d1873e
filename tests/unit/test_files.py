"""A file is whole at every moment."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domains.files import write_whole


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write_whole(tmp_path / "text", "é\r\n")
    assert (tmp_path / "text").read_bytes() == "é\r\n".encode()
    write_whole(tmp_path / "text", b"\xff\n")
    assert (tmp_path / "text").read_bytes() == b"\xff\n"


def test_the_file_can_be_read_by_whom_the_umask_lets(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    write_whole(tmp_path / "whole", "")
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_file_that_could_not_be_written_leaves_the_old_one_and_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "grade.json"
    write_whole(file, "old")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "new")
    assert [one.name for one in tmp_path.iterdir()] == ["grade.json"]
    assert file.read_text() == "old"
