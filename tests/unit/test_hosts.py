"""What emulates a host, by name and version; hosts of others are not asked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from domains import hosts
from domains.host import Host


def test_an_emulated_host_has_its_emulators_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "qemu"
    program.write_text("#!/bin/sh\necho 'QEMU emulator version 10.0.13 (Debian 1:10.0.13)'\n")
    program.chmod(0o755)
    monkeypatch.setattr(hosts, "is_emulated", lambda _host: True)
    monkeypatch.setattr(hosts.registry, "require", lambda _name: SimpleNamespace(emulator=str(program)))
    assert hosts.emulator(Host("lab1")) == "QEMU 10.0.13, TCG"


def test_this_machine_and_real_hosts_have_none() -> None:
    assert hosts.emulator(Host()) is None
    assert hosts.emulator(hosts.find("root@192.0.2.1")) is None
