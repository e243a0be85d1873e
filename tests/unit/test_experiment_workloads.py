"""Work for guests, in machine code: whole programs, which this machine can run as well as a guest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domains import process
from domains.errors import GuestError
from grader.experiments import counting, workloads
from grader.experiments.workloads import Workload

# Without PORT_READS: a kernel may be built without /dev/port, and the guest's is not.
ALL = (workloads.ARITHMETIC, workloads.SYSTEM_CALLS, workloads.CPUID, workloads.MAPPING)


@pytest.mark.parametrize("workload", ALL, ids=lambda one: one.name)
def test_every_workload_is_a_program_that_ends_well(workload: Workload, tmp_path: Path) -> None:
    file = tmp_path / workload.name
    file.write_bytes(workloads.on_vcpu(workload, 0).program(50))
    file.chmod(0o755)
    assert process.run([file], timeout=30, check=False).status == 0


def test_the_body_is_done_as_often_as_was_asked(tmp_path: Path) -> None:
    # write(1, "ELF…", 1): each time round one byte of the program's own beginning.
    body = b"\xbf\x01\x00\x00\x00\xbe\x01\x00\x40\x00\xba\x01\x00\x00\x00\xb8\x01\x00\x00\x00\x0f\x05"
    file = tmp_path / "write"
    file.write_bytes(Workload("write", body).program(7))
    file.chmod(0o755)
    assert process.run([file], timeout=30).stdout == "E" * 7


class Here:
    """Stands for a guest: this machine's shell, which counts how often it is asked."""

    class machine:  # noqa: N801
        name = "here"

    def __init__(self) -> None:
        self.asked = 0

    def shell(self, script: str, *, timeout: float) -> str:
        self.asked += 1
        return process.run(["/bin/sh", "-c", script], timeout=timeout).stdout


@pytest.fixture
def here() -> Iterator[Any]:
    yield Here()
    for left in Path("/tmp").glob("arithmetic-*"):
        left.unlink()


def test_all_samples_of_a_workload_come_from_one_request(here: Any) -> None:
    samples = workloads.nanoseconds(here, workloads.ARITHMETIC, 50_000_000, repeat=3)
    assert len(samples) == 3
    assert all(0.05 < one < 50 for one in samples)
    assert here.asked == 1


def test_a_line_that_fails_is_no_time(here: Any) -> None:
    with pytest.raises(GuestError, match="ended with 3"):
        workloads.timed(here, "(exit 3)")


@pytest.mark.parametrize("count", [0, -1, 2**31])
def test_a_number_of_rounds_that_the_code_cannot_hold_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="no number of rounds"):
        workloads.ARITHMETIC.program(count)


def test_counters_of_vcpus_are_summed_and_those_of_the_vm_are_beside_them() -> None:
    statistics = {
        "vcpu.0.exits.sum": 2,
        "vcpu.1.exits.sum": 3,
        "vm.mmu_shadow_zapped.sum": 5,
        "cpu.time": 7,
    }
    assert counting.sums(statistics) == {"exits": 5, "mmu_shadow_zapped": 5}
