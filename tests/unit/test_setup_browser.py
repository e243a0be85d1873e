"""A browser for the tests of pages: found where there is one, and never a reason to stop."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import privilege, process
from domains.setup import browser


def program(folder: Path, name: str) -> Path:
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose programs are those of one folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(process, "found", lambda name: next(folder.glob(name), None))
    return folder


def test_the_first_browser_that_is_there_is_taken(bare: Path) -> None:
    assert browser.find() is None
    other = program(bare, "google-chrome")
    assert browser.find() == other
    assert browser.find() == other
    assert program(bare, "chromium") == browser.find()


def test_with_a_browser_there_is_nothing_to_do(
    bare: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program(bare, "chromium")
    browser.ensure(tmp_path / "logs")
    assert not (tmp_path / "logs").exists()
    assert capsys.readouterr().err == ""


def test_who_may_not_install_is_told_what_to_do(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(privilege, "as_root", lambda: None)
    monkeypatch.setattr(browser, "is_ubuntu", lambda: False)
    browser.ensure(tmp_path / "logs")
    said = capsys.readouterr().err
    assert "no browser is installed" in said
    assert "chromium" in said


def test_a_failed_installation_is_told_and_stops_nothing(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(privilege, "as_root", lambda: ("sh", "-c", "echo no archive; exit 100"))
    monkeypatch.setattr(browser, "is_ubuntu", lambda: False)
    browser.ensure(tmp_path / "logs")
    said = capsys.readouterr().err
    assert "no archive" in said
    assert "pages are tested without a browser" in said
