"""Steps side by side, with programs that every system has."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import InfrastructureError
from domains.setup.phases import Phases, Step


def shell(title: str, line: str) -> Step:
    return Step(title, ["/bin/sh", "-c", line])


def test_output_goes_to_the_log_and_not_to_the_user(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    logs = Phases(tmp_path).side_by_side(shell("First", "echo wall of text; echo more >&2"))
    assert logs["First"].read_text() == "wall of text\nmore\n"
    assert capfd.readouterr() == ("", "tdlab: First ...\n")


def test_a_failure_carries_the_end_of_its_log_and_the_others_are_awaited(tmp_path: Path) -> None:
    phases = Phases(tmp_path)
    with pytest.raises(InfrastructureError, match=r"Second: failed\n  \| E: broken") as caught:
        phases.side_by_side(shell("First", "echo done"), shell("Second", "echo E: broken; exit 100"))
    assert str(tmp_path / "second.log") in str(caught.value.remedy)
    assert {title for title, _ in phases.timings} == {"First", "Second"}
    assert (tmp_path / "first.log").read_text() == "done\n"


@pytest.mark.parametrize(
    "said",
    [
        "E: Failed to fetch http://x/y  Temporary failure resolving 'x'",
        "urllib3.exceptions.NewConnectionError: Failed to establish a new connection: [Errno 101]",
        "connect: Network is unreachable",
    ],
)
def test_a_missing_network_is_said_in_one_sentence(tmp_path: Path, said: str) -> None:
    with pytest.raises(InfrastructureError, match="the network cannot be reached") as caught:
        Phases(tmp_path).side_by_side(shell("Fetching", f'echo "{said}"; exit 1'))
    assert said not in str(caught.value)


def test_the_table_has_a_line_for_each_step(tmp_path: Path) -> None:
    phases = Phases(tmp_path)
    phases.side_by_side(shell("First", ":"), shell("Second", ":"))
    phases.side_by_side(shell("Third", ":"))
    assert sorted(line.split()[2] for line in phases.table().splitlines()) == ["First", "Second", "Third"]
