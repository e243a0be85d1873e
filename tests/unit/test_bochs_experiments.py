"""The appliance's experiments, with an appliance played by the test."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from domains import bochs
from domains.bochs import appliance, experiments
from domains.bochs.appliance import Answer
from domains.errors import GuestError, ProcessError, UsageError


class Intel:
    """Answers every program as the appliance does."""

    emulator, release, seconds_to_ready = "Bochs 2.7, corei7_skylake_x", "6.1.0", 17.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, dict[str, str] | None]] = []
        self.shown: dict[str, str] | None = None
        self.status = 0
        self.kernel_log = "VMCS 0000, last attempted VM-entry on CPU 0"

    def run(
        self,
        program: Path,
        arguments: Sequence[str] = (),
        *,
        beside: Sequence[Path] = (),
        parameters: dict[str, str] | None = None,
        kernel_log: bool = False,
    ) -> Answer:
        self.asked.append((program.name, parameters))
        shown = {"ept": {"1": "Y", "0": "N"}[parameters["ept"]]} if parameters else {}
        return Answer(
            program=program.name,
            arguments=tuple(arguments),
            status=self.status,
            stdout=json.dumps({"program": program.name}),
            stderr="no /dev/kvm",
            guest_seconds=0.5,
            seconds=2.0,
            parameters=shown if self.shown is None else self.shown,
            kernel_log=self.kernel_log if kernel_log else "",
        )


@pytest.fixture
def intel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Intel:
    played = Intel(tmp_path)

    @contextlib.contextmanager
    def running(_folder: Path, _say: object, **_: object) -> Iterator[Intel]:
        yield played

    monkeypatch.setattr(appliance, "running", running)
    return played


def test_that_all_experiments_run_in_one_boot_with_ept_on_and_off(intel: Intel) -> None:
    result = bochs.run(folder=intel.folder)
    assert [(one.experiment, one.ept) for one in result.findings] == [
        ("cpuinfo", None),
        ("exit-meter", "on"),
        ("exit-meter", "off"),
        ("ept-microbench", "on"),
        ("ept-microbench", "off"),
        ("vmcs", "on"),
    ]
    assert result.of("ept-microbench", "off").found == {"program": "page_tables.py"}
    assert "VMCS" in result.of("vmcs").kernel_log
    assert intel.asked[0] == ("cpuinfo.py", None)
    assert intel.asked[2] == ("exit_meter.py", {"ept": "0", "dump_invalid_vmcs": "1"})


def test_that_a_result_names_the_emulator_and_is_never_compared_with_hardware(intel: Intel) -> None:
    (intel.folder / "console.log").write_text("")
    document: dict[str, Any] = bochs.run(["cpuinfo"], folder=intel.folder).document()
    assert document["schema"] == "tdlab.appliance/1"
    assert document["emulator"] == "Bochs 2.7, corei7_skylake_x"
    assert document["comparable_with_hardware"] is False
    assert "never to be compared" in document["clock"]
    assert document["logs"] == [str(intel.folder / "console.log")]
    assert json.loads(json.dumps(document)) == document


def test_that_another_ept_than_asked_for_is_an_error(intel: Intel) -> None:
    intel.shown = {"ept": "Y"}
    with pytest.raises(GuestError, match="was to run with EPT off"):
        bochs.run(["exit-meter"], folder=intel.folder)
    intel.shown = {}
    with pytest.raises(GuestError, match="shows it as unknown"):
        bochs.run(["exit-meter"], folder=intel.folder)


def test_that_a_program_that_fails_says_what_it_said(intel: Intel) -> None:
    intel.status = 3
    with pytest.raises(ProcessError, match="no /dev/kvm"):
        bochs.run(["exit-meter"], folder=intel.folder)


def test_that_an_entry_that_prints_no_vmcs_is_an_error(intel: Intel) -> None:
    intel.kernel_log = ""
    with pytest.raises(GuestError, match="print no VMCS"):
        bochs.run(["vmcs"], folder=intel.folder)


def test_that_unknown_names_are_refused_before_anything_boots(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="bandwidth") as refused:
        bochs.run(["bandwidth"], folder=tmp_path)
    assert "exit-meter" in str(refused.value.remedy)


def test_that_what_did_not_run_is_not_found(intel: Intel) -> None:
    result = bochs.run(["exit-meter"], folder=intel.folder)
    with pytest.raises(UsageError, match="did not run vmcs"):
        result.of("vmcs")


def test_that_a_program_without_json_is_an_error_of_ours() -> None:
    answer = Answer("x.py", (), 0, "hello", "", 0.0, 0.0, {}, "")
    with pytest.raises(GuestError, match="printed no JSON"):
        answer.json()


def test_that_every_program_of_the_appliance_is_there() -> None:
    for file in (experiments.EXIT_METER, experiments.PAGE_TABLES, experiments.BAD_ENTRY, experiments.CPUINFO):
        assert file.is_file()
