"""What is kept of a run whose host was held no longer: somebody else may have measured there meanwhile."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domains import devices, lease, wait
from domains.errors import InfrastructureError
from domains.host import Host
from domains.lease import Lease
from domains.spec import DomainSpec
from grader.experiments import description, runner
from grader.experiments.stage import Setting
from grader.measure.matrix import Cell, Matrix, Workload
from grader.running import execution, journal
from grader.running.execution import Request

pytestmark = pytest.mark.usefixtures("own_state")

# Reached as by SSH: a shell that reads the words from its last argument.
HOST = Host(f"pc-{os.getpid()}", "test:///default", ("sh", "-c", 'eval "$1"', "sh"))


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return what cuts the connection that holds the host."""
    taken: list[Lease] = []
    hold = lease.on

    @contextlib.contextmanager
    def held(host: Host) -> Iterator[Lease]:
        with hold(host) as mine:
            taken.append(mine)
            yield mine

    def end(*_: object) -> list[object]:
        os.killpg(taken[0].far[0].pid, signal.SIGKILL)
        wait.until(lambda: taken[0].broke, waiting_for="that it is noticed", deadline=20)
        return []

    monkeypatch.setattr(lease, "_THERE", f"execution-test-{os.getpid()}")
    monkeypatch.setattr(lease, "on", held)
    return end


def asked(folder: Path) -> Request:
    matrix = Matrix((Cell("a", DomainSpec()),), Workload(), {})
    return Request(matrix, folder, resume=False, command="bench", host=HOST.name, at=HOST)


@pytest.mark.parametrize("breaks", [False, True])
def test_a_run_says_that_its_host_was_held_no_longer_however_it_ends(
    breaks: bool, cut: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object) -> None:
        cut()
        if breaks:
            raise InfrastructureError("libvirt is gone")

    monkeypatch.setattr(execution, "_measure", measure)
    ends = pytest.raises(lease.BrokenError) if breaks else contextlib.nullcontext()
    with ends:
        execution.execute(asked(tmp_path / "run"))
    left = journal.left(tmp_path / "run")
    assert left is not None
    (note,) = left.lines("note")
    assert note["text"].startswith(f"the connection that held {HOST.name} broke")


def test_an_experiment_says_so_too(
    cut: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "lab/experiments/demo").mkdir(parents=True)
    (folder / description.FILE).write_text(
        'id: demo\nchapter: processor\ntitle: {fr: "x", en: "x"}\nlook_at: {fr: "x", en: "x"}\n'
        'measures: {speed: {title: {fr: "x", en: "x"}, unit: "m/s"}}\n'
        "figure: {kind: bars, measures: [speed]}\n"
    )
    (folder / description.CODE).write_text("def measure(stage):\n    stage.measure('speed', [1, 2, 3])\n")
    monkeypatch.setattr(devices, "put_back", cut)
    setting = Setting(HOST, tmp_path / "out", lambda _: None)
    found = runner.run(description.load(folder / description.FILE, "lab"), setting)
    assert found.status == "measured"
    assert [note.en.partition(":")[0] for note in found.notes] == [
        f"the connection that held {HOST.name} broke"
    ]


def test_a_run_whose_host_was_held_throughout_says_nothing(
    cut: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "_measure", lambda *_: None)
    assert execution.execute(asked(tmp_path / "run")).notes == ()
