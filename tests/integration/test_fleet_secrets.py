"""Passwords in an inventory: they open what they are for, and are found nowhere afterwards."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks._room import room, using
from benchmarks._room.room import Machine
from benchmarks._room.using import hosts, tdlab
from domains import process

pytestmark = pytest.mark.integration

SUDO, WIFI, PLAIN = "s3same-öffne'dich", "wlan-0815-geheim", "plainly-written-77"
UTF8 = {"LC_ALL": "C.UTF-8"}


def encrypted(text: str, password: Path) -> str:
    """Return a text as ansible-vault writes it, set in below a key of YAML."""
    program = Path(sys.executable).parent / "ansible-vault"
    words = [program, "encrypt", "--vault-password-file", password, "--output", "-"]
    said = process.run(words, timeout=60, stdin=text, env=UTF8).stdout
    return "!vault |\n" + "".join(f"          {line}\n" for line in said.splitlines())


def with_sudo_by_password(one: Machine) -> None:
    one.run("sh", "-c", 'echo "student:$0" | chpasswd', SUDO)
    one.shell("echo 'student ALL=(ALL) ALL' > /etc/sudoers.d/student")


def test_passwords_of_an_inventory_work_and_are_in_no_log_event_or_page(
    own_state: Path, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("open barley\n")
    with room.opened(2) as made:
        fine, telltale = made.machines
        with_sudo_by_password(fine)
        with_sudo_by_password(telltale)
        # A program that says what it should not, and fails.
        telltale.run(
            "sh", "-c", 'printf "#!/bin/sh\\necho \\"%s %s %s\\" >&2; exit 2\\n" "$@" > /usr/local/bin/tar; '
            "chmod 755 /usr/local/bin/tar", "sh", SUDO, WIFI, PLAIN,
        )  # fmt: skip
        inventory = tmp_path / "room.yml"
        inventory.write_text(
            "all:\n  vars:\n"
            f"    ansible_user: student\n    ansible_become: true\n    tdlab_account: student\n"
            f"    ansible_ssh_private_key_file: {made.key}\n    api_token: {PLAIN}\n"
            f"    ansible_become_password: {encrypted(SUDO, password)}"
            f"    wifi: {encrypted(WIFI, password)}"
            "  hosts:\n"
            + "".join(
                f"    {one.name}: {{ansible_host: {one.address}, tdlab_student: S {one.name}}}\n"
                for one in made.machines
            )
        )
        refused = using.deploy(inventory)
        assert (refused.status, "--vault-password-file" in refused.stderr) == (2, True)

        opening = ("--vault-password-file", str(password))
        done = using.deploy(inventory, *opening, "--json")
        rows = {row["host"]: row for row in hosts(done)}
        assert rows[fine.name]["cause"] is None, rows
        assert rows[telltale.name]["cause"] == "other"
        assert "[hidden] [hidden] [hidden]" in rows[telltale.name]["detail"]
        said = using.deploy(inventory, *opening)
        page = tmp_path / "room.html"
        looked = tdlab("room", using.LAB, "-i", inventory, *opening, "--html", page, "--json")
        assert looked.status == 0
        left = b"".join(one.read_bytes() for one in own_state.rglob("*") if one.is_file())
        printed = "".join(one.stdout + one.stderr for one in (done, said, looked)).encode()
        for secret in (SUDO, WIFI, PLAIN):
            for form in (secret, json.dumps(secret)[1:-1]):
                assert form.encode() not in left + printed + page.read_bytes(), secret
