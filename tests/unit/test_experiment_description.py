"""What an experiment says of itself is read strictly, and every shipped one is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from domains import paths
from domains.errors import InputError, UsageError
from grader.experiments import description, runner
from grader.experiments.description import Experiment

LAB = paths.LABS / "r202"
SHIPPED = list(description.find_all(LAB))
GOOD = """\
id: demo
chapter: memory
title: {fr: "Essai", en: "Trial"}
look_at: {fr: "Regardez.", en: "Look."}
measures:
  speed: {title: {fr: "vitesse", en: "speed"}, unit: "m/s"}
tables:
  rows: {title: {fr: "lignes", en: "rows"}, columns: {x: {fr: "x", en: "x"}, y: {fr: "y", en: "y"}}}
figure: {kind: bars, measures: [speed]}
"""


def written(folder: Path, text: str, name: str = "demo") -> Path:
    file = folder / "experiments" / name / description.FILE
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    found = description.load(written(tmp_path, GOOD), "lab")
    assert (found.id, found.lab, found.description.chapter) == ("demo", "lab", "memory")
    assert found.description.measures["speed"].unit == "m/s"
    assert list(found.description.tables["rows"].columns) == ["x", "y"]
    assert found.code == found.folder / "measure.py"


@pytest.mark.parametrize(
    ("right", "wrong", "line", "says"),
    [
        ("chapter: memory", "chapter: memories", 2, "chapter"),
        ("chapter: memory", "chapter: memory\nneed: [kvm]", 3, "need"),
        ('{fr: "Regardez.", en: "Look."}', '{fr: "Regardez."}', 4, "en"),
        ("measures: [speed]", "measures: [sped]", 9, "no measure 'sped'"),
        ("measures: [speed]", "table: rows", 9, "bars need measures"),
        ("{kind: bars, measures: [speed]}", "{kind: table, table: row}", 9, "no table 'row'"),
        ("{kind: bars, measures: [speed]}", "{kind: table}", 9, "table need a table"),
        ("{kind: bars, measures: [speed]}", "{kind: lines, table: rows, x: x}", 9, "lines need x and y"),
        ("{kind: bars, measures: [speed]}", "{kind: lines, table: rows, x: x, y: [z]}", 9, "no column 'z'"),
        ("id: demo", "id: other", 1, "this is the folder of demo"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(
    tmp_path: Path, right: str, wrong: str, line: int, says: str
) -> None:
    assert right in GOOD
    file = written(tmp_path, GOOD.replace(right, wrong))
    with pytest.raises(InputError, match=re.escape(says)) as refused:
        description.load(file, "lab")
    assert refused.value.where.line == line


def test_a_name_that_no_experiment_has_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    with pytest.raises(UsageError, match="did you mean 'demo'"):
        description.find(tmp_path, "dmo")
    with pytest.raises(UsageError, match="has no experiment"):
        description.find(tmp_path, "../experiments/demo")


def test_experiments_come_in_the_order_of_the_chapters() -> None:
    chapters = [one.description.chapter for one in SHIPPED]
    order = ["processor", "memory", "devices"]
    assert chapters == sorted(chapters, key=order.index)
    assert {"exit-meter", "ps", "trap-and-emulate", "vmcs", "shadow-paging", "tlb", "firmware"} <= {
        one.id for one in SHIPPED
    }


@pytest.mark.parametrize("experiment", SHIPPED, ids=lambda one: one.id)
def test_the_code_of_every_shipped_experiment_can_be_loaded(experiment: Experiment) -> None:
    assert callable(runner.load(experiment))
