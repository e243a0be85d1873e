"""What is noticed when the appliance stops while it is waited for."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.bochs import appliance, serial
from domains.errors import GuestError, InfrastructureError


class Child:
    """A Bochs that runs, or has ended with a status."""

    def __init__(self, status: int | None = None) -> None:
        self.status = status

    def poll(self) -> int | None:
        return self.status


def intel(folder: Path, line: serial.SerialLine, child: Child) -> appliance.Appliance:
    return appliance.Appliance("Bochs 2.7", "6.1.0", folder, line, child, 17.0)


def test_that_a_bochs_that_ended_is_no_time_out_and_its_words_are_told(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print(1)")
    (tmp_path / "bochs.log").write_text("01p[CPU0] >>PANIC<< triple fault\n")
    with serial.opened() as line, pytest.raises(GuestError, match="triple fault") as stopped:
        intel(tmp_path, line, Child(1)).run(program)
    assert "bochs.log" in str(stopped.value.remedy)


def test_that_a_panic_inside_is_noticed_while_bochs_goes_on(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("print(1)")
    (tmp_path / "console.log").write_text("Kernel panic - not syncing: out of memory\n")
    with serial.opened() as line, pytest.raises(GuestError, match="out of memory"):
        intel(tmp_path, line, Child()).run(program)


def test_that_a_missing_program_is_named(tmp_path: Path) -> None:
    with serial.opened() as line, pytest.raises(InfrastructureError, match=r"gone\.py is missing"):
        intel(tmp_path, line, Child()).run(tmp_path / "gone.py")
