"""From matrix.yaml to cells, and errors that point into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import InputError, UsageError
from domains.paths import LABS
from grader.measure import matrix


def load(tmp_path: Path, text: str) -> matrix.Matrix:
    file = tmp_path / "matrix.yaml"
    file.write_text(text)
    return matrix.load(file)


def test_cells_stand_on_the_base(tmp_path: Path) -> None:
    text = "base: {memory: 128 MiB, nic: {model: e1000}}\ncells: [{id: a}, {id: b, nic: {model: rtl8139}}]\n"
    found = load(tmp_path, text)
    assert [(cell.id, cell.spec.nic.model) for cell in found.cells] == [("a", "e1000"), ("b", "rtl8139")]
    assert {cell.spec.memory for cell in found.cells} == {128 * 2**20}


def test_axes_are_multiplied_and_named(tmp_path: Path) -> None:
    text = "axes: {nic: [{model: e1000}, {model: virtio, vhost: off}], cpu: [{ept: on}, {ept: off}]}\n"
    found = load(tmp_path, text)
    assert [cell.id for cell in found.cells] == [
        "e1000-ept-on",
        "e1000-ept-off",
        "virtio-vhost-off-ept-on",
        "virtio-vhost-off-ept-off",
    ]
    assert found.cells[1].spec.cpu.ept == "off"


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("cells:\n  - {id: a, nic: {model: e100}}\n", 2, 26, "did you mean 'i82557b'?"),
        ("axes:\n  nic:\n    - {model: e1000}\n    - {model: e1000, vhost: on}\n", 4, 29, "virtio"),
        ("cells:\n  - {id: a}\n  - {id: a}\n", 3, 5, "two cells have the id 'a'"),
        ("cells:\n  - {id: 'a b'}\n", 2, 10, "is not an id"),
        ("cels: []\n", 1, 1, "did you mean 'cells'?"),
        ("base: {memory: 12 XB}\ncells: [{id: a}]\n", 1, 16, "12 XB"),
        ("title: {fr: x, en: y}\n", 1, 1, "asks for no cell"),
    ],
)
def test_errors_point_into_the_file(tmp_path: Path, text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, text)
    assert (caught.value.where.line, caught.value.where.column) == (line, column)
    assert says in str(caught.value)


def test_limited_to_a_cell_and_another_workload(tmp_path: Path) -> None:
    found = load(tmp_path, "cells: [{id: a}, {id: b}]\n").limited(("b",), repeats=7)
    assert [cell.id for cell in found.cells] == ["b"]
    assert (found.workload.repeats, found.workload.seconds) == (7, 1)


def test_a_cell_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'virtio'"):
        load(tmp_path, "cells: [{id: virtio}]\n").limited(("virtoi",))


def test_the_labs_matrix_asks_for_every_device_of_the_td() -> None:
    asked = {cell.spec.nic.model for cell in matrix.load(LABS / "r202" / "matrix.yaml").cells}
    assert asked >= {"i82557b", "e1000", "rtl8139", "vmxnet3", "virtio", "hostdev", "vf"}
