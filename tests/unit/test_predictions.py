from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from domains.errors import UsageError
from domains.paths import LABS
from grader import evidence, predictions
from grader import lab as labs

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


@pytest.mark.parametrize(
    ("question", "value", "said"),
    [
        ("1.1", "a", "1.1 takes no prediction"),
        ("9.9", 2, "9.9 takes no prediction"),
        ("3.2-predict", "many", "'many' is no prediction"),
    ],
)
def test_what_is_no_prediction_is_not_committed(
    tmp_path: Path, question: str, value: object, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        predictions.commit(LAB, question, value, tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []
