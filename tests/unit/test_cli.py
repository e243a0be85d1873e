"""The command line's borders: exit codes, one message an error, and a quick start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from domains import process
from grader.cli import COMMANDS

MODULES_THAT_WAIT = {"scipy", "libvirt", "rich", "lxml", "jinja2", "yaml", "pydantic", "babel", "pytest"}


def tdlab(*words: str) -> process.Completed:
    return process.run([sys.executable, "-m", "grader", *words], timeout=60, check=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    done = tdlab(name, "--help")
    assert done.status == 0
    assert done.stdout.startswith(f"Usage: tdlab {name}")


def test_help_lists_every_command_and_loads_nothing_slow() -> None:
    script = "import sys, grader.cli; print(*sys.modules)"
    loaded = set(process.run([sys.executable, "-c", script], timeout=60).stdout.split())
    assert not loaded & MODULES_THAT_WAIT
    listed = tdlab("--help").stdout
    assert all(f"  {name} " in listed for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["dooctor"], 2, "Did you mean 'doctor'?"),
        (["bench", "no-such.yaml"], 2, "no-such.yaml does not exist"),
        (["grade", "r202", "no-such"], 2, "no-such is not a submission"),
        (["render", "no-such.yaml"], 2, "no-such.yaml"),
        (["bench", "--cell"], 2, "requires an argument"),
    ],
)
def test_bad_usage_is_one_message_and_status_2(words: list[str], status: int, says: str) -> None:
    done = tdlab(*words)
    assert done.status == status
    assert says in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_an_error_in_a_file_names_file_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text("name: guest\nnic: {model: e100}\n")
    done = tdlab("render", str(file))
    assert done.status == 2
    assert f"{file}:2:14: unknown NIC model 'e100'" in done.stderr
    assert "did you mean 'i82557b'?" in done.stderr


def test_a_message_does_not_act_on_the_terminal() -> None:
    done = tdlab("grade", "r202", "\x1b[2Jzoe.rar")
    assert done.status == 2
    assert "\x1b" not in done.stderr
    assert "[2Jzoe.rar is not a submission" in done.stderr


def test_a_full_disk_is_said_and_is_not_a_fault_of_ours() -> None:
    done = process.run(
        ["sh", "-c", f"{sys.executable} -m grader render --list >/dev/full"], timeout=60, check=False
    )
    assert done.status == 3
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_grade_gives_the_status_of_the_worst_outcome() -> None:
    assert tdlab("grade", "r202", "labs/r202/solution").status == 0
    lost = tdlab("grade", "r202", "labs/r202/wrong-host-card", "--json")
    assert lost.status == 1
    grade = json.loads(lost.stdout)
    assert grade["schema"] == "tdlab.grade/1"
    assert [one["id"] for one in grade["submissions"][0]["questions"] if one["outcome"] == "fail"] == ["3.1"]


def test_status_looks_at_a_room_where_an_inventory_is_named() -> None:
    alone = tdlab("status", "--watch")
    assert (alone.status, "name its inventory with -i FILE" in alone.stderr) == (2, True)
    missing = tdlab("status", "first-vm", "-i", "no-room.csv", "--watch")
    assert (missing.status, "no-room.csv cannot be read" in missing.stderr) == (2, True)
