"""``tdlab bench`` as it is typed: which cells, and which image, before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from domains import paths
from domains.cloud.image import CloudImage
from domains.errors import UsageError
from grader.commands import bench
from grader.measure import matrix, run
from grader.measure.matrix import Cell
from grader.running.work import Bench

CELLS = matrix.load(paths.LABS / "r202" / "matrix.yaml").cells


def typed(*words: str) -> Result:
    return CliRunner().invoke(bench.command, words)


def test_that_without_a_matrix_the_cells_are_the_labs() -> None:
    assert typed("--dry-run").stdout.split() == [cell.id for cell in CELLS]


def test_that_the_cells_of_a_matrix_can_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "matrix.yaml"
    file.write_text("cells: [{id: a}, {id: b}]\n")
    assert typed(str(file), "--dry-run", "--cell", "b").stdout == "b\n"


def test_that_an_image_that_is_none_is_refused_before_anything_starts(tmp_path: Path) -> None:
    out = tmp_path / "out"
    refused = typed("--image", str(tmp_path / "other.qcow2"), "--out", str(out)).exception
    assert isinstance(refused, UsageError)
    assert "other.qcow2 does not exist" in refused.problem
    assert not out.exists()


def test_that_two_folders_for_one_run_are_refused(tmp_path: Path) -> None:
    refused = typed("--out", str(tmp_path / "a"), "--resume", str(tmp_path / "b"))
    assert refused.exit_code == 2
    assert "leave one out" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_that_nics_are_plugged_into_the_tiny_guest_only(tmp_path: Path) -> None:
    refused = typed("--one-guest", "--image", str(tmp_path / "debian.qcow2"), "--out", str(tmp_path / "out"))
    assert refused.exit_code == 2
    assert "leave one out" in refused.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("image", [None, CloudImage(Path("/x/debian.qcow2"), "qcow2", 1, "ab" * 32)])
def test_that_what_was_asked_names_the_image_unless_it_is_the_tiny_guests(image: CloudImage | None) -> None:
    asked = _asked(CELLS[0], image)
    assert asked["nic_model"] == CELLS[0].spec.nic.model
    assert asked.get("image") == ("debian.qcow2 sha256:abababababababab" if image else None)


def _asked(cell: Cell, image: CloudImage | None) -> dict[str, object]:
    nothing: dict[str, object] = dict.fromkeys(Bench.__dataclass_fields__)
    return Bench(**nothing | {"cloud": image}).asked(cell)  # type: ignore[arg-type]


def test_that_the_language_that_is_asked_for_is_also_that_of_one_hosts_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = run.read(paths.LABS / "r202" / "solution" / "evidence" / "report.json")
    monkeypatch.setattr(bench, "execute", lambda *_: measured)
    said = typed("--lang", "fr", "--out", str(tmp_path))
    assert f"rapport\u00a0: {tmp_path / 'report.html'}" in said.stderr
    assert '<html lang="fr"' in (tmp_path / "report.html").read_text("utf-8")


def test_that_a_number_of_forks_without_side_by_side_is_refused(tmp_path: Path) -> None:
    refused = typed("--hosts", "all", "-i", str(tmp_path / "room.csv"), "--forks", "3")
    assert refused.exit_code == 2
    assert "--forks goes with --side-by-side" in refused.output


def test_that_a_variable_of_ansibles_for_another_machine_stops_nothing_that_reads_no_inventory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(tmp_path / "nowhere"))
    assert typed("--dry-run").exit_code == 0
    (tmp_path / "hosts.yaml").write_text("all: {hosts: {pc1: {}}}\n")
    refused = typed("--hosts", "all", "-i", str(tmp_path / "hosts.yaml"), "--dry-run").exception
    assert isinstance(refused, UsageError)
    assert "nowhere is no file" in refused.problem
