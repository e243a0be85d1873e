"""Predict, then measure: a measure that answers an open prediction is refused; what is found is kept."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains import devices, lease
from domains.errors import UsageError
from domains.paths import LABS
from grader.cli import tdlab
from grader.lab import lab as labs
from grader.submission import history, predictions
from grader.workspace import measuring, workspace
from grader.workspace.workspace import Workspace

LAB = """\
schema: tdlab.lab/1
title: {fr: Un TD, en: A lab}
parts:
  - id: one
    title: {fr: Un, en: One}
    questions:
      - id: guess
        kind: prediction
        points: 1
        unit: times
        ask: {fr: "Combien ?", en: "How many?"}
        hint: {fr: "Devinez", en: "Guess"}
"""
EXPERIMENT = """\
id: tick
chapter: processor
questions: [guess]
title: {fr: Un tic, en: A tick}
look_at: {fr: Regardez, en: Look}
measures: {ticks: {title: {fr: tics, en: ticks}}}
figure: {kind: bars, measures: [ticks], title: {fr: tics, en: ticks}}
"""


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of its own; and no lease: other commands may be at work on this machine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    monkeypatch.setattr(lease, "held", lambda _name: contextlib.nullcontext())
    monkeypatch.setattr(devices, "put_back", lambda _host: [])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace of a lab that does not ship with tdlab, with one experiment, and we are in it."""
    folder = tmp_path / "small"
    (folder / "experiments" / "tick").mkdir(parents=True)
    (folder / "lab.yaml").write_text(LAB)
    (folder / "experiments" / "tick" / "experiment.yaml").write_text(EXPERIMENT)
    (folder / "experiments" / "tick" / "measure.py").write_text(
        "def measure(stage):\n    stage.measure('ticks', [1, 2, 3])\n"
    )
    made, _ = workspace.start(labs.load(folder), "Zoé", "en", tmp_path / "work")
    monkeypatch.chdir(made.folder / "evidence")
    return made


def tdlab_does(*words: str) -> Result:
    return CliRunner().invoke(tdlab, [*words], standalone_mode=False)


def lines(place: Workspace) -> list[str]:
    return [one.what for one in history.events(place.folder)]


def test_an_open_prediction_locks_the_measure_and_says_how_to_unlock_it(place: Workspace) -> None:
    done = tdlab_does("measure", "tick")
    assert isinstance(done.exception, UsageError)
    said = str(done.exception)
    assert "guess: How many?" in said
    assert "tdlab predict guess VALUE" in said
    assert "--without-predicting: those predictions can then no longer earn points" in said
    assert not list(place.folder.rglob("experiment.json"))
    assert lines(place) == []


def test_a_prediction_unlocks_the_measure_and_the_result_lands_in_the_evidence(place: Workspace) -> None:
    assert "committed at" in tdlab_does("predict", "guess", "3").output
    done = tdlab_does("measure", "tick", "--json")
    assert done.exception is None, done.output
    kept = place.folder / "evidence" / "experiments" / "tick.json"
    found = json.loads(kept.read_text())
    assert found["measurements"]["ticks"]["samples"] == [1, 2, 3]
    predicted, measured = history.events(place.folder)
    assert (predicted.what, measured.what) == ("predicted", "measured")
    assert measured.about == "evidence/experiments/tick.json"
    assert measured.sha256 == hashlib.sha256(kept.read_bytes()).hexdigest()
    assert found["stamp"] == {
        "lab": "small",
        "student": "Zoé",
        "nonce": place.identity.nonce,
        "after": history.line_hash((place.folder / history.HISTORY_FILE).read_bytes().splitlines()[0]),
    }
    assert list((place.folder / "runs").iterdir())


def test_measuring_without_predicting_is_remembered_and_cannot_be_undone(place: Workspace) -> None:
    assert tdlab_does("measure", "tick", "--without-predicting").exception is None
    assert lines(place) == ["unpredicted", "measured"]
    assert "can earn no more points" in str(tdlab_does("predict", "guess", "3").exception)
    assert tdlab_does("measure", "small", "tick").exception is not None, "there is no such lab here"
    assert tdlab_does("measure", "tick").exception is None
    assert lines(place) == ["unpredicted", "measured", "measured"]


def test_a_measure_that_breaks_gives_up_no_prediction(place: Workspace) -> None:
    code = place.written.folder / "experiments" / "tick" / "measure.py"
    code.write_text("def measure(stage):\n    1 / 0\n")
    assert tdlab_does("measure", "tick", "--without-predicting").return_value == 3
    assert lines(place) == ["measured"]
    assert tdlab_does("predict", "guess", "3").exception is None


def test_repeating_adds_samples_to_one_result(place: Workspace) -> None:
    code = place.written.folder / "experiments" / "tick" / "measure.py"
    code.write_text(
        "def measure(stage, seen=[]):\n    seen.append(1)\n    stage.measure('ticks', [len(seen)])\n"
    )
    done = tdlab_does("measure", "tick", "--without-predicting", "--repeats", "5", "--json")
    ticks = json.loads(done.stdout)["measurements"]["ticks"]
    assert ticks["samples"] == [1, 2, 3, 4, 5]
    assert (ticks["median"], ticks["ci95"][0] <= 3 <= ticks["ci95"][1]) == (3, True)


def test_experiments_of_another_lab_are_no_evidence(place: Workspace) -> None:
    done = tdlab_does("measure", "r202", "--json")
    assert "tick" not in done.output
    assert "vmcs" in done.output
    assert "tick" in tdlab_does("measure").output


def test_a_run_of_other_cells_is_not_locked() -> None:
    from grader.measure import matrix as matrices

    lab = labs.load(LABS / "r202")
    cells = {one.id: one for one in matrices.load(lab.folder / "matrix.yaml").cells}
    (told,) = predictions.told_by_run(lab, [cells["e1000"], cells["virtio"]])
    assert told.id == "3.2-predict"
    assert not list(predictions.told_by_run(lab, [cells["pcnet"], cells["virtio-vhost"]]))


def test_bench_in_a_workspace_is_of_its_lab_and_predicts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = workspace.start(labs.load(LABS / "r202"), "Zoé", "fr", tmp_path / "work")
    monkeypatch.chdir(made.folder)
    done = tdlab_does("bench")
    assert "cette mesure donne la réponse" in str(done.exception)
    assert str(made.lab.values["nic"]) in str(done.exception)
    assert "3.2-predict" in str(done.exception)
    assert tdlab_does("predict", "3.2-predict", "2,5").exception is None
    assert not measuring.open_predictions(made)


def test_evidence_that_is_measured_again_is_replaced_and_both_are_remembered(place: Workspace) -> None:
    for text in ("one", "two"):
        assert "in your evidence" in measuring.keep(place, "report.json", text, [], is_measured=True)
    assert "stays as it was" in measuring.keep(place, "report.json", "broken", [], is_measured=False)
    assert (place.folder / "evidence" / "report.json").read_text() == "two"
    sums = [one.sha256 for one in history.events(place.folder, "measured")]
    assert sums == [hashlib.sha256(text).hexdigest() for text in (b"one", b"two")]
