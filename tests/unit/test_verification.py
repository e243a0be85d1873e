"""Evidence verified, or unverified and why: what was edited, borrowed or replayed is seen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domains.paths import LABS
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.measure import run as runs
from grader.measure.run import CellResult, Measurement, Run
from grader.results.result import CheckResult, Outcome
from grader.submission import evidence, history
from grader.submission.history import HISTORY_FILE, Event
from grader.submission.samples import samples
from grader.submission.translation import translate
from grader.submission.verification import agreement, stamping

LAB = labs.load(LABS / "r202")
SOLUTION = samples(LAB)[0]
RESTS_ON_MEASURES = {"3.1-order", "3.2-predict", "3.2-ratio"}
# What experiments and a look at the host found is in files of their own, and code judges what it likes.
RUN_BY_THEMSELVES = {one.id for one in LAB if one.kind in {"experiment", "host", "code"}}
REPORT = "evidence/report.json"


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    """The solution, handed in by a student whose NIC is the author's."""
    return translate(LAB, SOLUTION, "carol", tmp_path / "carol")


def results(folder: Path) -> dict[str, CheckResult]:
    (graded,) = grade(LAB.folder, [folder], lang="en").submissions
    return {one.id: one for one in graded.questions}


def changed(folder: Path, change: Callable[[dict[str, Any]], object], name: str = REPORT) -> None:
    data = json.loads((folder / name).read_text())
    change(data)
    (folder / name).write_text(json.dumps(data))


def rechained(folder: Path, student: str = "carol") -> None:
    """Do what a student with an editor and patience can do: make the history fit again."""
    nonce = history.nonce(folder)
    stamping.stamp(folder, "r202", student, nonce)


def refused(folder: Path, why: str) -> None:
    """Require that questions on measures are left to the teacher for this reason, and only they."""
    found = results(folder)
    for name in RESTS_ON_MEASURES:
        assert found[name].outcome is Outcome.INCONCLUSIVE, (name, found[name])
        assert found[name].hint.startswith("unverified, left to the teacher: ")
    assert any(why in found[name].hint for name in RESTS_ON_MEASURES), found["3.2-ratio"].hint
    others = [
        one for one in found.values() if one.id not in {*RESTS_ON_MEASURES, *RUN_BY_THEMSELVES, "3.1-exits"}
    ]
    assert {one.outcome for one in others} == {Outcome.PASS}


def test_evidence_of_the_students_own_workspace_is_verified(handed_in: Path) -> None:
    found = results(handed_in)
    for name in RESTS_ON_MEASURES:
        assert found[name].outcome is Outcome.PASS
        assert ("evidence/history.jsonl", "verified") in [
            (one.source, one.seen) for one in found[name].evidence
        ]


def test_another_students_bundle_is_seen(handed_in: Path, tmp_path: Path) -> None:
    other = translate(LAB, SOLUTION, "bob", tmp_path / "bob")
    for name in (REPORT, HISTORY_FILE, "evidence/predictions.jsonl"):
        (other / name).write_bytes((handed_in / name).read_bytes())
    refused(other, "the stamp of another student, carol")


def test_another_students_bundle_with_the_name_exchanged_is_seen(handed_in: Path, tmp_path: Path) -> None:
    other = translate(LAB, SOLUTION, "bob", tmp_path / "bob")
    for name in (REPORT, HISTORY_FILE, "evidence/predictions.jsonl"):
        (other / name).write_bytes((handed_in / name).read_bytes())
    changed(other, lambda run: run["stamp"].update(student="bob"))
    refused(other, "the stamp of another workspace")


def test_evidence_replayed_from_an_earlier_workspace_is_seen(handed_in: Path) -> None:
    file = handed_in / "workspace.yaml"
    before = history.nonce(handed_in)
    file.write_text(file.read_text().replace(before, "0" * 32))
    refused(handed_in, "the stamp of another workspace of this student")


def test_an_edited_number_is_seen(handed_in: Path) -> None:
    changed(handed_in, lambda run: run["cells"][7]["measurements"]["rtt"].update(median=1.0))
    refused(handed_in, "does not know this file: it was changed")


def test_a_history_edited_by_hand_is_seen(handed_in: Path) -> None:
    file = handed_in / HISTORY_FILE
    file.write_bytes(file.read_bytes().replace(b"Z", b"+00:00", 1))
    refused(handed_in, "a line before this one was changed")


@pytest.mark.parametrize("name", [HISTORY_FILE, "workspace.yaml"])
def test_what_is_left_out_is_named(handed_in: Path, name: str) -> None:
    (handed_in / name).unlink()
    refused(handed_in, name.rpartition("/")[2].partition(".")[0])


def test_a_run_measured_outside_of_a_workspace_is_seen(handed_in: Path) -> None:
    changed(handed_in, lambda run: run.update(stamp=None))
    refused(handed_in, "it carries no stamp")


def test_a_run_older_than_its_workspace_is_seen(handed_in: Path) -> None:
    changed(handed_in, lambda run: run.update(started="2024-01-01T00:00:00+00:00"))
    rechained(handed_in)
    assert "before the workspace was started" in results(handed_in)["3.2-ratio"].hint


def test_a_run_shorter_than_what_it_holds_is_seen(handed_in: Path) -> None:
    events = [*history.events(handed_in)]
    (handed_in / HISTORY_FILE).unlink()
    started = evidence.started(runs.read(handed_in / REPORT))
    for one in events:
        quick = one.model_copy(update={"time": started}) if one.what == "measured" else one
        history.add(handed_in, quick)
    refused(handed_in, "and what it holds takes at least 48 s")


def test_a_prediction_written_in_afterwards_is_seen(handed_in: Path) -> None:
    first, second, *later = history.events(handed_in)
    assert (first.what, second.what) == ("predicted", "measured")
    (handed_in / HISTORY_FILE).unlink()
    for one in (second, first, *later):
        history.add(handed_in, one)
    hint = results(handed_in)["3.2-predict"].hint
    assert "unverified" in hint


def test_a_prediction_unknown_to_the_history_is_seen(handed_in: Path) -> None:
    file = handed_in / "evidence" / "predictions.jsonl"
    file.write_text(file.read_text() * 2 + file.read_text().replace("3.2-predict", "3.2-other"))
    found = results(handed_in)
    assert "does not know the prediction of 3.2-other" in found["3.2-predict"].hint
    assert found["3.2-ratio"].outcome is Outcome.PASS


def test_a_missing_answer_is_missing_whatever_the_evidence(handed_in: Path) -> None:
    (handed_in / HISTORY_FILE).unlink()
    answers = handed_in / "answers.yaml"
    kept = [one for one in answers.read_text().splitlines() if "3.2-ratio" not in one]
    answers.write_text("\n".join(kept) + "\n")
    assert results(handed_in)["3.2-ratio"].outcome is Outcome.FAIL


def test_a_prediction_given_up_earns_nothing(handed_in: Path) -> None:
    history.add(handed_in, Event(what="unpredicted", time=history.now(), about="3.2-predict"))
    found = results(handed_in)
    assert found["3.2-predict"].outcome is Outcome.FAIL
    assert "--without-predicting" in found["3.2-predict"].hint
    assert found["3.2-ratio"].outcome is Outcome.PASS


def test_the_authors_samples_are_not_of_a_workspace() -> None:
    (graded,) = grade(LAB.folder, [SOLUTION.folder]).submissions
    assert graded.score == graded.max


# What a cell says must be possible together.


def cell(run: Run, name: str, **update: Any) -> CellResult:
    found = run.cell(name)
    assert found is not None
    return found.model_copy(update=update)


def under_kvm(run: Run, name: str, **metrics: float) -> CellResult:
    """Return a cell as it would be under KVM, with these medians beside its throughputs."""
    found = cell(run, name)
    added = {key: Measurement(unit="1/MB", samples=(value,), median=value) for key, value in metrics.items()}
    return found.model_copy(
        update={
            "ran": found.ran | {"accelerator": "kvm"},
            "xml": (found.xml or "").replace('type="qemu"', 'type="kvm"'),
            "measurements": found.measurements | added,
        }
    )


@pytest.fixture(scope="module")
def run() -> Run:
    return runs.read(LAB.folder / "solution" / REPORT)


def test_all_that_was_really_measured_agrees(run: Run) -> None:
    assert [agreement.problem(one, run) for one in run.cells if one.status == "measured"] == [None] * 8
    honest = {"exits_per_mb": 17.0, "mmio_exits_per_mb": 0.0, "pio_exits_per_mb": 0.0}
    assert agreement.problem(under_kvm(run, "virtio", **honest), run) is None
    honest = {"exits_per_mb": 153.0, "mmio_exits_per_mb": 46.0, "pio_exits_per_mb": 0.0}
    assert agreement.problem(under_kvm(run, "e1000", **honest), run) is None


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda run: under_kvm(run, "virtio", exits_per_mb=153, mmio_exits_per_mb=46), "not of virtio"),
        (
            lambda run: under_kvm(run, "e1000", exits_per_mb=17, mmio_exits_per_mb=0, pio_exits_per_mb=0),
            "too few for an imitated e1000",
        ),
        (lambda run: under_kvm(run, "e1000", exits_per_mb=10, mmio_exits_per_mb=46), "more than the 10"),
        (lambda run: under_kvm(run, "virtio", exits_per_mb=9e5), "more than a processor makes"),
        (
            lambda run: cell(
                run,
                "virtio",
                measurements={"exits_per_mb": Measurement(unit="1/MB", samples=(1.0,), median=1.0)},
            ),
            "TCG has no exits",
        ),
        (
            lambda run: cell(run, "e1000", ran=cell(run, "e1000").ran | {"driver": "virtio_net"}),
            "drives no e1000",
        ),
        (
            lambda run: cell(run, "e1000", ran=cell(run, "e1000").ran | {"nic_model": "virtio"}),
            "names e1000, and ran virtio",
        ),
        (lambda run: cell(run, "virtio", spec=cell(run, "e1000").spec), "its spec names e1000"),
        (lambda run: cell(run, "e1000", xml=cell(run, "virtio").xml), "its XML has virtio"),
        (lambda run: cell(run, "e1000", xml="<domain"), "cannot be read"),
        (
            lambda run: cell(run, "e1000", ran=cell(run, "e1000").ran | {"accelerator": "kvm"}),
            "of type qemu, and kvm ran",
        ),
        (
            lambda run: cell(run, "e1000", asked=cell(run, "e1000").asked | {"ept": "off"}),
            "ept: off was asked for, and None ran",
        ),
        (
            lambda run: cell(
                run,
                "e1000",
                measurements={
                    "rtt": Measurement(unit="us", samples=(1.0, 2.0, 3.0), median=2.0, ci95=(5.0, 6.0))
                },
            ),
            "is not one of its samples",
        ),
        (
            lambda run: cell(
                run, "e1000", measurements={"rtt": Measurement(unit="us", samples=(2.0,) * 9, median=2.0)}
            ),
            "9 samples of 3 rounds",
        ),
    ],
)
def test_what_cannot_be_true_together_is_said(run: Run, forge: Any, why: str) -> None:
    assert why in str(agreement.problem(forge(run), run))


def test_a_contradiction_is_left_to_the_teacher_even_in_a_history_that_fits(handed_in: Path) -> None:
    changed(handed_in, lambda run: run["cells"][1]["ran"].update(driver="virtio_net"))
    rechained(handed_in)
    assert "drives no e1000" in results(handed_in)["3.2-ratio"].hint
