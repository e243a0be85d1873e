"""Whatever happens in an experiment is a result: measured, skipped, or an error of ours."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domains import devices, lease
from domains.host import Host
from grader.experiments import description, programs, result, runner
from grader.experiments.result import Result
from grader.experiments.stage import Setting
from grader.report.experiment import print_result

DESCRIBED = """\
id: demo
chapter: processor
title: {fr: "Essai", en: "Trial"}
look_at: {fr: "Regardez bien.", en: "Look closely."}
measures:
  speed: {title: {fr: "vitesse", en: "speed"}, unit: "m/s"}
tables:
  rows: {title: {fr: "lignes", en: "rows"}, columns: {x: {fr: "abscisse", en: "abscissa"}}}
notes:
  end: {fr: "C’est tout.", en: "That is all."}
figure: {kind: bars, measures: [speed]}
"""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No lease and no records of this machine: other commands may be at work on it."""

    @contextlib.contextmanager
    def held(_name: str) -> Iterator[None]:
        yield

    monkeypatch.setattr(lease, "held", held)
    monkeypatch.setattr(devices, "put_back", lambda _host: [])


def run(tmp_path: Path, code: str, **setting: str) -> Result:
    file = tmp_path / "lab" / "experiments" / "demo" / description.FILE
    file.parent.mkdir(parents=True)
    file.write_text(DESCRIBED)
    (file.parent / description.CODE).write_text(f"def measure(stage):\n    {code}\n")
    experiment = description.load(file, "lab")
    return runner.run(experiment, Setting(Host(), tmp_path / "out", lambda _: None, **setting))


def test_what_was_measured_is_kept_and_can_be_read_again(tmp_path: Path) -> None:
    code = "stage.measure('speed', [1, 2, 3]); stage.table('rows', [{'x': 1}]); stage.evidence('a.txt', 'A')"
    found = run(tmp_path, code, emulator="an emulator")
    assert (found.status, found.cause, found.host) == ("measured", None, "localhost")
    assert found.measurements["speed"].emulator == found.emulator == "an emulator"
    assert found.environment["kernel"]
    assert result.read(tmp_path / "out" / result.FILE) == found
    kept = json.loads((tmp_path / "out" / result.FILE).read_text())
    assert (kept["schema"], kept["evidence"]) == ("tdlab.experiment/1", ["evidence/a.txt"])


def test_what_the_host_cannot_do_is_skipped_with_cause_and_remedy(tmp_path: Path) -> None:
    found = run(tmp_path, "stage.skip('no such device', 'plug one in')")
    assert (found.status, found.cause, found.remedy) == ("skipped", "no such device", "plug one in")


def test_a_change_of_the_kvm_module_needs_consent(tmp_path: Path) -> None:
    found = run(tmp_path, "stage.module_parameters({'npt': '0'}).__enter__()")
    assert found.status == "skipped"
    assert "--allow-module-reload" in (found.remedy or "")


def test_what_broke_is_an_error_and_what_was_found_before_is_kept(tmp_path: Path) -> None:
    found = run(tmp_path, "stage.measure('speed', [1]); stage.program(stage.experiment.folder / 'none.py')")
    assert found.status == "error"
    assert "speed" in found.measurements


def test_a_fault_of_the_experiment_leaves_its_traceback(tmp_path: Path) -> None:
    found = run(tmp_path, "1 / 0")
    assert found.status == "error"
    assert "a fault of the experiment itself: ZeroDivisionError" in (found.cause or "")
    assert "1 / 0" in (tmp_path / "out/evidence/traceback.txt").read_text()


def test_a_name_that_is_not_described_is_our_error(tmp_path: Path) -> None:
    found = run(tmp_path, "stage.measure('sped', [1])")
    assert (found.status, found.cause) == ("error", "experiment.yaml describes no measure 'sped'")


def test_people_read_what_to_look_at_first_in_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "stage.measure('speed', [1.5]); stage.table('rows', [{'x': True}]); stage.note('end')"
    found = run(tmp_path, code, emulator="QEMU 1, TCG")
    said = {}
    for lang in ("fr", "en"):
        print_result(found, lang)  # type: ignore[arg-type]
        said[lang] = capsys.readouterr().out
    for lang, words in {
        "fr": [
            "Regardez bien.",
            "abscisse",
            "oui",
            "vitesse\u00a0: 1,5 m/s",
            "C’est tout.",
            "Processeur émulé",
        ],
        "en": ["Look closely.", "abscissa", "yes", "speed: 1.5 m/s", "That is all.", "QEMU 1, TCG"],
    }.items():
        places = [said[lang].find(word) for word in words]
        assert -1 not in places, (words, said[lang])
        assert places == sorted(places)


def test_a_program_finds_its_modules_where_no_file_is(tmp_path: Path) -> None:
    module, program = tmp_path / "shelf.py", tmp_path / "program.py"
    module.write_text("from __future__ import annotations\nBOOK = 'a book'\n")
    program.write_text("import sys\nfrom shelf import BOOK\nprint(BOOK, *sys.argv[1:], __name__)\n")
    done = programs.run(Host(), program, ["read", "twice"], modules=[module])
    assert done.stdout == "a book read twice __main__\n"


def test_what_was_found_stands_although_cleaning_up_failed(tmp_path: Path) -> None:
    code = """from domains.errors import HypervisorError
    def broken():
        raise HypervisorError('libvirt went away')
    stage._everything.callback(broken)
    stage.measure('speed', [1])"""
    found = run(tmp_path, code)
    assert (found.status, found.measurements["speed"].median) == ("measured", 1.0)
