"""``tdlab doctor`` over capabilities made by hand: the contract, the table, and a host without libvirt."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

import domains.capabilities
from domains import daemon, hypervisor, images, paths, process
from domains.capabilities import Capabilities, Facts, model, trial
from domains.errors import CapabilityMissing, InfrastructureError
from grader.commands import doctor

HOSTS = Path(__file__).parent.parent / "data" / "hosts"
ROWS = (
    model.no("kvm", "booted [in] vain", cause="it hung [/dev/kvm]", remedy="go on under TCG"),
    model.yes("tun", "/dev/net/tun opens"),
    model.unknown("firmware", cause="cannot be seen", remedy="ask"),
)
FOUND = Capabilities("lab1", "key", ROWS, Facts())


def shown(width: int) -> str:
    out = io.StringIO()
    doctor.show(FOUND, Console(file=out, width=width, color_system=None, highlight=False))
    return out.getvalue()


def test_the_contract_has_these_keys_and_no_others() -> None:
    found = doctor.contract(FOUND)
    assert list(found) == ["schema", "host", "capabilities"]
    assert (found["schema"], found["host"]) == ("tdlab.doctor/1", "lab1")
    assert json.loads(json.dumps(found))["capabilities"] == [
        {
            "id": "kvm",
            "status": "no",
            "evidence": "booted [in] vain",
            "cause": "it hung [/dev/kvm]",
            "remedy": "go on under TCG",
        },
        {"id": "tun", "status": "yes", "evidence": "/dev/net/tun opens", "cause": None, "remedy": None},
        {"id": "firmware", "status": "unknown", "evidence": "", "cause": "cannot be seen", "remedy": "ask"},
    ]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_terminal_is_too_narrow_and_no_colour_is_needed(width: int) -> None:
    text = shown(width)
    assert all(len(line) <= width for line in text.splitlines())
    words = " ".join(text.split())
    assert words.startswith("Guests on lab1 run under TCG.")
    for told in ("no kvm", "yes tun", "cannot tell firmware", "remedy: ask"):
        assert told in words


def test_brackets_in_evidence_are_text_and_not_markup() -> None:
    assert "booted [in] vain" in shown(200)
    assert "it hung [/dev/kvm]" in shown(200)


@pytest.fixture
def bare_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A laptop with VT-x locked off, without libvirt and without an image; nothing may be tried on it."""
    monkeypatch.setattr(paths, "cache", lambda: tmp_path)
    monkeypatch.setattr(images, "where", lambda: None)

    def run(argv: list[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), 0, (HOSTS / "locked-laptop.txt").read_text(), "", 0.0)

    def no_daemon() -> None:
        raise CapabilityMissing("libvirtd is not installed on this host", remedy="run ./tdlab once as root")

    def never(*_: object) -> None:
        raise AssertionError("nothing can be tried on this host")

    monkeypatch.setattr(process, "run", run)
    monkeypatch.setattr(daemon, "ensure_running", no_daemon)
    monkeypatch.setattr(trial, "attempt", never)


@pytest.mark.usefixtures("bare_host")
def test_a_host_without_libvirt_and_qemu_gets_rows_and_no_error() -> None:
    result = CliRunner().invoke(doctor.command, ["--json"])
    assert result.exit_code == 0
    rows = {row["id"]: row for row in json.loads(result.stdout)["capabilities"]}
    assert rows["libvirt"] == {
        "id": "libvirt",
        "status": "no",
        "evidence": "no connection",
        "cause": "libvirtd is not installed on this host",
        "remedy": "run ./tdlab once as root",
    }
    assert [rows[identity]["status"] for identity in ("kvm", "qemu", "nic:e1000", "image")] == [
        "no",
        "no",
        "unknown",
        "no",
    ]


@pytest.mark.usefixtures("bare_host")
def test_messages_go_to_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_connection(*_: object) -> None:
        raise InfrastructureError("no connection to libvirt")

    monkeypatch.setattr(daemon, "ensure_running", lambda: "started libvirtd")
    monkeypatch.setattr(hypervisor, "connected", no_connection)
    result = CliRunner().invoke(doctor.command, ["--json"])
    assert result.stderr == "started libvirtd\n"
    assert json.loads(result.stdout)["schema"] == "tdlab.doctor/1"


@pytest.mark.usefixtures("bare_host")
def test_the_docstring_lists_every_row_and_no_other() -> None:
    result = CliRunner().invoke(doctor.command, ["--json"])
    printed = {row["id"] for row in json.loads(result.stdout)["capabilities"]}
    printed = {"nic:MODEL" if identity.startswith("nic:") else identity for identity in printed}
    table = (domains.capabilities.__doc__ or "").split("=\n")
    assert set(re.findall(r"``([a-z:A-Z-]+)``", table[1])) == printed


@pytest.mark.usefixtures("bare_host")
def test_a_user_outside_the_groups_is_told_the_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (HOSTS / "locked-laptop.txt").read_text().replace("@@ qemu-file\n", "@@ qemu-file\n1 2\n")

    def run(argv: list[str], **_: object) -> process.Completed:
        return process.Completed(tuple(argv), 0, text, "", 0.0)

    monkeypatch.setattr(process, "run", run)
    result = CliRunner().invoke(doctor.command, ["--json"])
    rows = {row["id"]: row for row in json.loads(result.stdout)["capabilities"]}
    assert rows["libvirt"]["remedy"] == rows["groups"]["remedy"]
    assert "usermod -aG libvirt,kvm paul" in rows["libvirt"]["remedy"]
