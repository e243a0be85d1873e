"""The Intel appliance, booted once: VMX, exact exit counts, EPT on and off, a VMCS, what a kill leaves."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from domains import bochs, process, wait
from grader.measure import vmcs

pytestmark = pytest.mark.integration

COUNT = 2000

# Starts Bochs, says its number once it has the serial line, and waits to be killed.
STARTS_AND_WAITS = """
import sys
from pathlib import Path
from domains import wait
from domains.bochs import image, machine, serial
with serial.opened() as line, machine.started(image.build(), Path(sys.argv[1]), line.name) as child:
    terminal = lambda: Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[4] != "0"
    wait.until(terminal, waiting_for="Bochs to take its serial line", deadline=60)
    print(child.pid, flush=True)
    wait.until(lambda: False, waiting_for="the end", deadline=600)
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> bochs.ApplianceResult:
    """Everything that the appliance does, in one boot."""
    return bochs.run(folder=tmp_path_factory.mktemp("bochs"))


def test_that_the_processor_has_vmx_with_ept_and_vpid(result: bochs.ApplianceResult) -> None:
    found = result.of("cpuinfo").found
    assert found["vmx"] is True
    assert {"ept", "vpid", "unrestricted_guest"} <= set(found["vmx_flags"])
    assert result.emulator.startswith("Bochs ")
    assert result.emulator.endswith(", corei7_skylake_x")


@pytest.mark.parametrize("ept", ["on", "off"])
def test_that_each_out_is_one_exit_and_halt_one_more(result: bochs.ApplianceResult, ept: str) -> None:
    found = result.of("exit-meter", ept).found
    assert found["exits"] == {"IO": COUNT, "HLT": 1}
    assert found["total"] == COUNT + 1


def test_that_changed_page_tables_cost_exits_only_without_ept(result: bochs.ApplianceResult) -> None:
    on, off = (result.of("ept-microbench", ept).found for ept in ("on", "off"))
    assert (on["two_tables"], off["two_tables"]) == ("Y", "N")
    for name in ("change-and-invlpg", "change-and-reload-cr3"):
        assert on["loops"][name]["exits_per_change"] < 0.1
        assert off["loops"][name]["exits_per_change"] >= 1
        # The emulated clock counts instructions: this is no measure of this machine, and does not vary.
        assert (
            off["loops"][name]["microseconds_per_change"] > 10 * on["loops"][name]["microseconds_per_change"]
        )
    assert off["loops"]["change-and-invlpg"]["exits"]["invlpg"] == off["loops"]["change-and-invlpg"]["count"]
    assert off["loops"]["arithmetic"]["exits_per_change"] < 0.1


def test_that_a_refused_entry_prints_a_vmcs_that_can_be_read(result: bochs.ApplianceResult) -> None:
    assert result.of("vmcs").found["reason"] == "FAIL_ENTRY"
    dump = vmcs.read_dump(result.of("vmcs").kernel_log)
    assert (dump.vendor, dump.unread) == ("intel", ())
    assert dump.value("control.VMExit.reason") == 0x80000021
    assert dump.value("guest.CS.attr") >> 13 & 3 == 3  # L and D


def test_that_nothing_of_the_appliance_is_left(result: bochs.ApplianceResult) -> None:
    for file in Path("/proc").glob("[0-9]*/cwd"):
        try:
            assert file.readlink() != result.folder
        except (FileNotFoundError, PermissionError):
            continue
    assert not list(result.folder.glob("*.iso"))


def test_that_a_killed_tdlab_leaves_no_bochs_behind(tmp_path: Path) -> None:
    log = (tmp_path / "log").open("wb")
    words = [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)]
    root = str(Path(bochs.__file__).parents[2])
    with log, process.started(words, log=log, env={"PYTHONPATH": root}) as tdlab:
        bochs_pid = wait.until(
            lambda: (tmp_path / "log").read_text().strip() or None,
            waiting_for="Bochs to be started",
            deadline=120,
        )
        assert bochs_pid.isdecimal(), bochs_pid
        os.kill(tdlab.pid, signal.SIGKILL)
        wait.until(
            lambda: not runs(bochs_pid),
            waiting_for="Bochs to end with the tdlab that started it",
            deadline=30,
        )


def runs(pid: str) -> bool:
    """Return whether a process is there and no zombie (where nothing reaps, as in a container)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
