"""A new lab holds at once, and nothing that exists is touched by making one."""

from __future__ import annotations

import sys
from pathlib import Path

import jsonschema
import pytest

from domains import document, process
from domains.errors import UsageError
from grader.authoring import schemas, starting
from grader.proof.terminal import lines
from grader.proof.verify import prove
from grader.sheet import source


def test_a_new_lab_holds_at_once(tmp_path: Path) -> None:
    lab = starting.make(
        "premier-essai", tmp_path, title_fr="Un « essai » : l’été", title_en='A "trial" {x} *y*'
    )
    assert (lab.slug, lab.title.fr, lab.title.en) == (
        "premier-essai",
        "Un « essai » : l’été",
        'A "trial" {x} *y*',
    )
    proof = prove(lab.folder, seeds=4)
    assert proof.holds, "\n".join(lines(proof))
    assert [one.lost for one in proof.wrong] == [("1.2",)]
    assert {"choice", "text", "number", "code"} <= {one.kind for one in lab}
    for lang in ("fr", "en"):
        assert [one.question.id for one in source.read(lab, lang) if isinstance(one, source.Asked)] == [  # type: ignore[arg-type]
            one.id for one in lab
        ]


def test_the_schemas_beside_a_new_lab_are_those_that_its_files_name(tmp_path: Path) -> None:
    folder = starting.make("essai", tmp_path).folder
    named = {}
    for file in folder.rglob("*.yaml"):
        head, mark, path = file.read_text(encoding="utf-8").splitlines()[0].partition("$schema=")
        if mark:
            assert head == "# yaml-language-server: "
            named[file.name] = (file.parent / path).resolve()
    assert set(named) == {"lab.yaml", "wrong.yaml"}
    schema = document.read(named["lab.yaml"], max_bytes=2**20).data
    assert schema == schemas.lab()
    data = document.read(folder / "lab.yaml").data
    assert jsonschema.Draft202012Validator(schema).is_valid(data)


@pytest.mark.parametrize(
    "slug", ["Essai", "1a", "a_b", "a--b", "-a", "../x", "", "a" * 33, "é", "a b", "a/b"]
)
def test_a_name_that_cannot_be_a_folder_is_refused(tmp_path: Path, slug: str) -> None:
    with pytest.raises(UsageError, match="cannot be a lab's name"):
        starting.make(slug, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "essai").mkdir()
    (tmp_path / "essai" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        starting.make("essai", tmp_path)
    assert [file.name for file in (tmp_path / "essai").iterdir()] == ["mine.txt"]
    with pytest.raises(UsageError, match="is no folder"):
        starting.make("essai", tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is no title"):
        starting.make("autre", tmp_path, title_fr="two\nlines\x07")
    assert [file.name for file in tmp_path.iterdir()] == ["essai"]


def test_the_command_says_what_to_do_next(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "grader", "new", "essai", "--into", str(tmp_path)]
    done = process.run(words, timeout=60)
    assert f"run `tdlab verify {tmp_path / 'essai'}`" in done.stdout
    again = process.run(words, timeout=60, check=False)
    assert again.status == 2
    assert "exists already" in again.stderr
