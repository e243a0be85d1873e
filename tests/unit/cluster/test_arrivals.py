"""What has arrived of a class: each grade once, and there again after whatever ended the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import InfrastructureError, UsageError
from grader.cluster import arrivals
from grader.cluster.arrivals import Key, token
from grader.grading.class_items import Row

ANN = Key("a" * 64, "first")


def interrupted(folder: Path, lab_hash: str = "lab") -> None:
    """Keep a grade in a run that does not end well."""
    with arrivals.opened(folder, lab_hash, "grader") as arrived:
        arrived.add([(ANN, b"{}")])
        raise KeyboardInterrupt


def test_of_two_grades_of_one_attempt_the_first_counts(tmp_path: Path) -> None:
    with arrivals.opened(tmp_path, "lab", "grader") as arrived:
        arrived.add([(ANN, b"one"), (ANN, b"two")])
        arrived.add([(ANN, b"three"), (Key(ANN.sha256, "second"), b"four")])
        assert arrived.get(ANN) == b"one"
        assert arrived.get(Key(ANN.sha256, "second")) == b"four"


def test_a_run_that_was_ended_leaves_what_has_arrived_to_the_next(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    with arrivals.opened(tmp_path, "lab", "grader") as arrived:
        assert arrived.get(ANN) == b"{}"
    with arrivals.opened(tmp_path, "lab", "grader") as arrived:
        assert arrived.get(ANN) is None


@pytest.mark.parametrize(("lab_hash", "grader_hash"), [("another", "grader"), ("lab", "another")])
def test_what_another_lab_or_grader_gave_does_not_count(
    tmp_path: Path, lab_hash: str, grader_hash: str
) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path)
    with arrivals.opened(tmp_path, lab_hash, grader_hash) as arrived:
        assert arrived.get(ANN) is None


def test_a_class_is_graded_by_one_run_at_a_time(tmp_path: Path) -> None:
    with (
        arrivals.opened(tmp_path, "lab", "grader"),
        pytest.raises(UsageError, match="another run"),
        arrivals.opened(tmp_path, "lab", "grader"),
    ):
        pass


def test_a_table_that_is_damaged_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "arrived.sqlite").write_bytes(b"no database at all" * 100)
    with (
        pytest.raises(InfrastructureError, match="cannot be used") as bad,
        arrivals.opened(tmp_path, "lab", "grader"),
    ):
        pass
    assert f"rm {tmp_path / 'arrived.sqlite'}" in str(bad.value.remedy)


def test_an_attempts_token_is_of_all_that_decides_its_grade_but_not_of_where_it_lies() -> None:
    row = Row("ann", "/book/kept/1.zip", "r202-ann-1.zip")
    tokens = {
        token(row, "fr", None, ()),
        token(row, "en", None, ()),
        token(row, "fr", "lab1", ()),
        token(row, "fr", None, ("1.1",)),
        token(Row("bob", row.place, row.shown), "fr", None, ()),
        token(Row("ann", row.place, row.shown, unverified="its key"), "fr", None, ()),
        token(Row("ann", "", "", trouble="it could not be read"), "fr", None, ()),
    }
    assert len(tokens) == 7
    assert token(Row("ann", "/elsewhere/1.zip", row.shown), "fr", None, ()) in tokens
