"""The benchmark of a whole class, small: every kind of submission comes out as it was made to."""

from __future__ import annotations

import json
import sys

from domains import process
from domains.paths import SHIPPED


def test_every_submission_of_a_class_comes_out_as_it_was_made() -> None:
    words = [sys.executable, "-m", "grader", "benchmark", "classroom", "--students", "30"]
    done = process.run(words, timeout=600, check=False, env={"PYTHONPATH": str(SHIPPED)}, cwd=SHIPPED)
    figures = json.loads(done.stdout)["figures"]
    assert figures["deviations"] == []
    assert figures["as_expected"] == figures["students"] == 30
    assert done.status == 0


def test_a_benchmark_says_which_options_it_has() -> None:
    words = [sys.executable, "-m", "grader", "benchmark", "classroom", "--many"]
    done = process.run(words, timeout=60, check=False, env={"PYTHONPATH": str(SHIPPED)}, cwd=SHIPPED)
    assert (done.status, done.stdout) == (2, "")
    assert "write --students 200" in done.stderr
