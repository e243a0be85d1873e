"""What an experiment writes down is what its description knows, and evidence is on disk at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import InfrastructureError
from grader.experiments.description import Description
from grader.experiments.notebook import Notebook

DESCRIBED = Description.model_validate(
    {
        "id": "demo",
        "chapter": "memory",
        "title": {"fr": "Essai", "en": "Trial"},
        "look_at": {"fr": "Regardez.", "en": "Look."},
        "measures": {"speed": {"title": {"fr": "vitesse", "en": "speed"}, "unit": "m/s"}},
        "tables": {
            "rows": {
                "title": {"fr": "lignes", "en": "rows"},
                "columns": {"x": {"fr": "x", "en": "x"}, "y": {"fr": "y", "en": "y"}},
            }
        },
        "notes": {"end": {"fr": "Fini à {when}.", "en": "Done at {when}."}},
        "figure": {"kind": "bars", "measures": ["speed"]},
    }
)


@pytest.fixture
def notebook(tmp_path: Path) -> Notebook:
    return Notebook(DESCRIBED, tmp_path, "an emulator")


def test_a_measure_keeps_all_samples_and_carries_the_emulator(notebook: Notebook) -> None:
    notebook.measure("speed", [3, 1, 2])
    kept = notebook.measurements["speed"]
    assert (kept.samples, kept.median, kept.unit, kept.emulator) == (
        (3.0, 1.0, 2.0),
        2.0,
        "m/s",
        "an emulator",
    )
    assert kept.ci95 is not None
    notebook.measure("speed", [3], emulator="another")
    assert notebook.measurements["speed"].emulator == "another"
    assert notebook.measurements["speed"].ci95 is None


def test_a_table_puts_values_in_the_order_of_the_columns(notebook: Notebook) -> None:
    notebook.table("rows", [{"y": 2, "x": 1}, {"y": 3}])
    assert notebook.tables["rows"].rows == ((1, 2), (None, 3))


def test_a_note_is_filled_in_in_both_languages(notebook: Notebook) -> None:
    notebook.note("end", when="7")
    assert notebook.notes[0].model_dump() == {"fr": "Fini à 7.", "en": "Done at 7."}


def test_names_that_are_not_described_are_refused(notebook: Notebook) -> None:
    with pytest.raises(InfrastructureError, match="no measure 'sped'"):
        notebook.measure("sped", [1])
    with pytest.raises(InfrastructureError, match="no measure 'sped'"):
        notebook.cannot_measure("sped", "because")
    with pytest.raises(InfrastructureError, match="no column of rows 'z'"):
        notebook.table("rows", [{"z": 1}])
    with pytest.raises(InfrastructureError, match="no note 'start'"):
        notebook.note("start")
    with pytest.raises(InfrastructureError, match="no samples of speed"):
        notebook.measure("speed", [])


def test_evidence_is_a_file_and_is_listed_once(notebook: Notebook, tmp_path: Path) -> None:
    for text in ("first", "second"):
        notebook.keep("log.txt", text)
    assert notebook.evidence == ["evidence/log.txt"]
    assert (tmp_path / "evidence/log.txt").read_text() == "second"
    for name in ("../log.txt", ".hidden", "a/b", ""):
        with pytest.raises(InfrastructureError, match="no name for a piece of evidence"):
            notebook.keep(name, "text")
