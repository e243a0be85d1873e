"""The one seam that starts programs: what it returns, and how it fails."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from domains import process
from domains.errors import CapabilityMissing, DeadlineExceeded, InfrastructureError, ProcessError


def test_what_a_program_printed_comes_back_whatever_its_bytes() -> None:
    script = "import sys; sys.stdout.buffer.write(b'\\xff' + sys.stdin.buffer.read()); sys.exit(3)"
    done = process.run([sys.executable, "-c", script], timeout=30, check=False, stdin="in")
    assert (done.status, done.stdout) == (3, "\N{REPLACEMENT CHARACTER}in")


def test_a_failure_carries_the_words_the_status_and_the_last_line() -> None:
    with pytest.raises(ProcessError, match="sh ended with status 4: why") as failed:
        process.run(["sh", "-c", "echo first >&2; echo why >&2; exit 4"], timeout=30)
    assert failed.value.argv[0] == "sh"
    assert failed.value.stderr == "first\nwhy\n"


def test_a_daemon_that_keeps_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    # The daemon stays as long as the FIFO has no writer: until this test opens it.
    fifo = tmp_path / "go-on"
    os.mkfifo(fifo)
    with (tmp_path / "log").open("wb") as log:
        done = process.run(["sh", "-c", f"echo begun; read word <{fifo} &"], timeout=10, log=log)
    fifo.write_text("end\n")
    assert (done.status, done.stdout) == (0, "")
    assert (tmp_path / "log").read_text() == "begun\n"


def test_what_takes_too_long_is_ended_with_its_children() -> None:
    with pytest.raises(DeadlineExceeded, match="sh -c sleep 600"):
        process.run(["sh", "-c", "sleep 600 & wait"], timeout=0.05)


def test_a_program_that_is_missing_is_told_from_a_folder_that_is(tmp_path: Path) -> None:
    with pytest.raises(CapabilityMissing, match="no-such-program is not installed"):
        process.run(["no-such-program"], timeout=30)
    with pytest.raises(InfrastructureError, match="the folder is gone") as gone:
        process.run(["true"], timeout=30, cwd=tmp_path / "gone")
    assert not isinstance(gone.value, CapabilityMissing)
