"""Who may do what only root may, with sudo replaced by a program that says yes or no."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from domains import privilege, process


def test_root_needs_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert privilege.as_root() == ()


@pytest.mark.parametrize(("status", "words"), [(0, ("sudo", "-n")), (1, None)])
def test_sudo_counts_only_where_it_asks_for_nothing(
    status: int, words: tuple[str, ...] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sudo = tmp_path / "sudo"
    sudo.write_text(f'#!/bin/sh\n[ "$1" = -n ] && exit {status}\nexit 99\n')
    sudo.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert privilege.as_root() == words


def test_without_sudo_there_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    monkeypatch.setattr(process, "found", lambda _: None)
    assert privilege.as_root() is None


def test_a_user_with_a_number_only_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 2_000_000_000)
    assert privilege.user_name() is None
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert privilege.user_name() == "root"
