"""A class on real workers of Dask's: the same bytes as here, whoever is killed in the middle."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import psutil
import pytest

from domains import process, wait
from domains.paths import LABS, SHIPPED
from grader.results import ledger

if TYPE_CHECKING:
    from tests.unit.cluster.conftest import Trial

SOLUTION = LABS / "r202" / "solution"


def test_workers_give_the_same_bytes_as_a_session_here(trial: Trial) -> None:
    trial.hand_in("yes", "no", "exits", *["yes"] * 20)
    (trial.folder / "class" / "t1.zip").write_bytes(b"no archive")
    (trial.folder / "class" / "t2").mkdir()
    shutil.copytree(SOLUTION, trial.folder / "class" / "t3")
    here = trial.grade("here", "-j1")
    there = trial.grade("there", "--cluster", "local:2")
    assert trial.marks("here") == trial.marks("there")
    assert (here.status, there.status) == (3, 3)
    assert here.stdout.replace("/here", "/there") == there.stdout
    assert "workers that grade: 2" in there.stderr
    assert "s02: whatever grades it ends, every time" in there.stderr
    assert len(trial.found("there")) == 26


def test_a_worker_that_is_killed_loses_nothing(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 9, "kills a worker, once", *["yes"] * 9, "no")
    there = trial.grade("there", "--cluster", "local:2")
    assert (trial.folder / "killed").exists()
    assert there.status == 1, there.stderr
    assert {one.max for one in trial.found("there").values()} == {3}
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")
    assert len(ledger.read(trial.folder / "there" / "ledger.jsonl")) == 20


def test_a_submission_that_kills_its_worker_every_time_is_an_error_and_stops_no_other(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 4, "kills the worker", *["yes"] * 20)
    there = trial.grade("there", "--cluster", "local:2")
    assert there.status == 3
    assert "whatever grades it ends" in there.stderr, there.stderr
    found = trial.found("there")
    poisoned = found.pop("s04")
    assert {one.outcome for one in poisoned.questions} == {"error"}
    assert (poisoned.score, poisoned.max) == (0, 0)
    assert len(found) == 24
    assert {(one.max, one.questions[0].outcome) for one in found.values()} == {(3, "pass")}
    assert there.stderr.count("ends, every time") == 1
    assert "s04: whatever grades it ends, every time" in there.stderr


def test_a_grading_that_is_killed_goes_on_from_where_it_was(trial: Trial) -> None:
    trial.hand_in(*["yes"] * 30, "waits", "no")
    os.mkfifo(trial.folder / "gate")
    words = trial.words("there", "--cluster", "local:2")
    with process.started(words, env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder) as killed:
        wait.until(
            lambda: trial.arrived("there") >= 16, waiting_for="half of the grades", deadline=120, interval=0.1
        )
        family = psutil.Process(killed.pid).children(recursive=True)
        # Two workers, and a judge of each; multiprocessing has helpers of its own.
        assert len(family) >= 4
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        _, alive = psutil.wait_procs(family, timeout=30)
        assert alive == []
    kept = trial.arrived("there")
    assert 16 <= kept < 32
    assert not (trial.folder / "there" / "checked.json").exists()
    (trial.folder / "gate").unlink()
    (trial.folder / "gate").touch()
    again = trial.grade("there", "--cluster", "local:2")
    assert f"{kept} had been graded" in again.stderr
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")
    entries = ledger.read(trial.folder / "there" / "ledger.jsonl")
    assert sorted(one.submission.student for one in entries) == [f"s{number:02}" for number in range(32)]
    left = {one.name for one in (trial.folder / "there").iterdir()}
    assert left - {one.name for one in (trial.folder / "here").iterdir()} == {"arrived.lock"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cluster", "local:2", "--jobs", "2"], "write --cluster local:2"),
        (["--cluster", "tcp://192.0.2.1:8786"], "write tls://192.0.2.1:8786"),
        (["--cluster-ca", __file__], "add --cluster tls://HOST:PORT"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_graded(
    trial: Trial, options: list[str], said: str
) -> None:
    trial.hand_in("yes")
    refused = trial.grade("there", *options)
    assert refused.status == 2
    assert said in refused.stderr
    assert not (trial.folder / "there").exists()


def test_a_cluster_is_for_a_whole_class(trial: Trial) -> None:
    trial.hand_in("yes")
    words = [*trial.words("there")[:5], str(trial.folder / "class" / "s00"), "--cluster", "local"]
    refused = process.run(words, timeout=60, check=False, env={"PYTHONPATH": str(SHIPPED)})
    assert (refused.status, "add --into FOLDER" in refused.stderr) == (2, True)
