"""``--timings``: what commands say of their phases, and how phases within others add up."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from domains.errors import UsageError
from domains.paths import LABS
from domains.phases import Phases, collected, phase
from grader.cli import tdlab

# What may take longer than a person likes to wait without being told why.
LONG = (
    *("bench", "collect", "demo", "deploy", "feedback", "grade", "measure", "regrade", "remove", "report"),
    *("room", "verify"),
)
SHOWN = re.compile(r"^ *(\d+\.\d\d) s  ( *)(.+)$", re.MULTILINE)


def paths(phases: Phases) -> list[tuple[str, ...]]:
    return list(phases.seconds)


def test_a_phase_within_another_is_told_beneath_it_and_counted_once() -> None:
    with collected() as found:
        with phase("boot"), phase("kernel"):
            pass
        with phase("measure"):
            pass
    assert paths(found) == [("boot",), ("boot", "kernel"), ("measure",)]
    assert found.outermost.keys() == {"boot", "measure"}
    assert found.seconds["boot",] >= found.seconds["boot", "kernel"] > 0


def test_a_phase_that_comes_again_is_one_and_a_failure_ends_it() -> None:
    with collected() as found:
        for _ in range(2):
            with pytest.raises(OSError, match="no disk"), phase("boot"):
                raise OSError("no disk")
        with phase("end"):
            pass
    assert paths(found) == [("boot",), ("end",)]


def test_what_is_collected_within_is_told_to_who_collects_around_it() -> None:
    with collected() as whole, phase("host up"):
        with collected() as own, phase("boot"):
            pass
        assert own.outermost.keys() == {"boot"}
    assert paths(whole) == [("host up",), ("host up", "boot")]
    assert whole.seconds["host up", "boot"] == own.seconds["boot",]


def test_where_nobody_collects_a_phase_is_only_its_block() -> None:
    with phase("boot"):
        pass
    with collected() as later:
        pass
    assert paths(later) == []


@pytest.mark.parametrize("name", LONG)
def test_every_long_command_has_the_option(name: str) -> None:
    command = tdlab.get_command(click.Context(tdlab), name)
    assert command is not None
    options = {"timings"} if isinstance(command, click.Group) else {one.name for one in command.params}
    assert options & {"timings", "show_timings"}


def test_grading_says_where_its_time_went_and_marks_as_without(tmp_path: Path) -> None:
    words = ["grade", "first-vm", str(LABS / "first-vm" / "solution"), "--json"]
    plain = CliRunner().invoke(tdlab, words, standalone_mode=False)
    timed = CliRunner().invoke(tdlab, [*words, "--timings"], standalone_mode=False)
    assert (timed.stdout, timed.return_value) == (plain.stdout, plain.return_value)
    rows = {name: float(seconds) for seconds, _, name in SHOWN.findall(timed.stderr)}
    assert list(rows) == ["grade", "other", "in all"]
    assert rows["in all"] == pytest.approx(rows["grade"] + rows["other"], abs=0.02)
    assert plain.stderr == ""


def test_a_command_that_fails_says_it_too(tmp_path: Path) -> None:
    words = ["grade", "first-vm", str(tmp_path), "--into", str(tmp_path / "book"), "--timings"]
    done = CliRunner().invoke(tdlab, words, standalone_mode=False)
    assert isinstance(done.exception, UsageError)
    assert SHOWN.findall(done.stderr)[-1][2] == "in all"
