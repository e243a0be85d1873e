from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from domains.errors import UsageError
from domains.paths import LABS
from grader.commands.predict import command
from grader.lab import lab as labs
from grader.submission import evidence, predictions

NOW = datetime(2025, 3, 10, 9, 0, tzinfo=UTC)
LAB = labs.load(LABS / "r202")


def test_a_prediction_is_committed_by_hash_and_time_alone(tmp_path: Path) -> None:
    done = predictions.commit(LAB, "3.2-predict", "2,5", tmp_path, NOW)
    predictions.commit(LAB, "3.2-predict", 7, tmp_path, NOW)
    raw = (tmp_path / evidence.PREDICTIONS_FILE).read_bytes()
    found = evidence.read(None, raw)
    assert found.commitments_problem is None
    assert found.commitments[0] == done
    assert len(found.commitments) == 2
    assert done.sha256 == evidence.commitment_hash("r202", "3.2-predict", 2.5)
    assert b"2.5" not in raw


def test_a_line_that_was_torn_does_not_take_the_next_one_with_it(tmp_path: Path) -> None:
    done = predictions.commit(LAB, "3.2-predict", 2, tmp_path, NOW)
    file = tmp_path / evidence.PREDICTIONS_FILE
    file.write_bytes(file.read_bytes() + b'{"question":"3.2')
    predictions.commit(LAB, "3.2-predict", 3, tmp_path, NOW)
    found = evidence.read(None, file.read_bytes())
    assert len(found.commitments) == 2
    assert found.commitments[0] == done
    assert str(found.commitments_problem).startswith("evidence/predictions.jsonl:2:1: ")


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        ("1.1", "a", "1.1 takes no prediction"),
        ("9.9", 2, "9.9 takes no prediction"),
        ("3.2-predict", "many", "'many' is no prediction"),
        ("3.2-predict", "-2", "3.2-predict cannot be negative, and -2 is"),
        ("3.2-predict", -0.5, "3.2-predict cannot be negative, and -0.5 is"),
    ],
)
def test_what_is_no_prediction_is_not_committed(
    tmp_path: Path, question: str, value: object, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        predictions.commit(LAB, question, value, tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []


def test_the_command_commits_into_the_workspace(tmp_path: Path) -> None:
    said = CliRunner().invoke(command, ["r202", "3.2-predict", "2,5", "--workspace", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "write the same into answers.yaml: 2,5" in said.output
    found = evidence.read(None, (tmp_path / evidence.PREDICTIONS_FILE).read_bytes()).commitments
    assert [one.sha256 for one in found] == [evidence.commitment_hash("r202", "3.2-predict", 2.5)]
