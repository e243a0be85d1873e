"""Bochs's configuration, and what it says when it stops."""

from __future__ import annotations

from pathlib import Path

from domains.bochs import machine
from domains.bochs.image import ApplianceImage


def test_that_results_name_the_emulator_and_its_cpu() -> None:
    made = ApplianceImage(Path("image"), "6.1.0", {"bochs": "2.7+dfsg-4"})
    assert machine.emulator_name(made) == "Bochs 2.7, corei7_skylake_x"


def test_that_the_configuration_has_a_cpu_with_vmx_two_serial_lines_and_no_path_of_a_user() -> None:
    rows = dict(line.split(": ", 1) for line in machine.configuration("/dev/pts/7").splitlines()[::-1])
    assert "model=corei7_skylake_x" in rows["cpu"]
    assert rows["clock"] == "sync=none"
    assert rows["com1"] == "enabled=1, mode=file, dev=console.log"
    assert rows["com2"] == "enabled=1, mode=term, dev=/dev/pts/7"
    paths = [row for row in rows.values() if "/" in row]
    assert paths == [rows["com2"]]
    assert rows["panic"] == "action=fatal"


def test_that_the_cause_of_a_stop_is_found_where_it_was_said(tmp_path: Path) -> None:
    assert machine.last_words(tmp_path) == ""
    (tmp_path / "screen.log").write_text(
        "...\nBochs is exiting with the following message:\n[CPU0 ] triple fault\n"
    )
    assert machine.last_words(tmp_path).endswith("triple fault")
    (tmp_path / "bochs.log").write_text("00i[CPU0] fine\n01p[CPU0] >>PANIC<< no resolution\n")
    assert ">>PANIC<< no resolution" in machine.last_words(tmp_path)
    (tmp_path / "console.log").write_text("[ 1.0] Kernel panic - not syncing: no init\n")
    assert "no init" in machine.last_words(tmp_path)
