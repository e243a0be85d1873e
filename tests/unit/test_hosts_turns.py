"""The turns of many hosts: each measured by a process of its own that may break, hang or be stopped."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from domains import lease, reach
from domains.errors import TdlabError
from domains.host import Host
from domains.spec import DomainSpec
from grader.commands import bench
from grader.fleet import inventory
from grader.hosts import document, turns
from grader.hosts import plan as plans
from grader.hosts import worker as hosts_worker
from grader.hosts.plan import Plan
from grader.hosts.turns import Turn
from grader.hosts.worker import Ended
from grader.measure import run as runs
from grader.measure.matrix import Cell, Matrix, Workload
from grader.measure.run import METRICS, CellResult, Measurement, Run

pytestmark = pytest.mark.usefixtures("own_state")

MATRIX = Matrix((Cell("a", DomainSpec()),), Workload(), {})
ROOM = "student,host,user,port,room\nAda,pc1,root,,b12\nBo,pc2,eve,2222,b12\n"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    file = tmp_path / "room.csv"
    file.write_text(ROOM)
    return file


def made(room: Path, group: str = "b12") -> Plan:
    machines = inventory.read(room).limited(group)
    return plans.make(machines, MATRIX, group=group, known_hosts=room.with_name("known_hosts"))


def run_of(folder: Path, throughput: float = 100.0, status: str = "measured", **facts: Any) -> Run:
    """Write the report of a run into a folder, as a worker does."""
    values = {"tcp_to_guest": throughput, "tcp_from_guest": throughput, "rtt": 1000 / throughput}
    cell: dict[str, Any] = {"id": "a", "spec": DomainSpec(), "status": status}
    if status == "measured":
        cell["measurements"] = {
            name: Measurement(unit=METRICS[name], samples=(one, one * 1.01, one * 0.99), median=one)
            for name, one in values.items()
        }
    else:
        cell |= {"cause": "the guest did not start", "remedy": "look"}
    found = Run(id="r1", started="2026-01-01T00:00:00+00:00", environment=facts, cells=(CellResult(**cell),))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(found.to_json())
    return found


def worker(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Have this run in the place of a worker; it is given the folder of the host's run."""
    monkeypatch.setattr(
        turns, "_words", lambda folder, name: [sys.executable, "-c", script, str(folder / name)]
    )


def test_a_host_that_breaks_is_named_and_the_others_go_on(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, plan = tmp_path / "out", made(room)
    plans.write(out, plan)
    good = run_of(out / "kept").to_json()
    ended = {"state": "failed", "word": "off", "cause": "ssh: No route to host", "remedy": "x"}
    worker(
        monkeypatch,
        "import json, pathlib, sys; place = pathlib.Path(sys.argv[1]); bad = place.name == 'pc1'\n"
        "print('looking', file=sys.stderr)\n"
        f"bad or (place / 'report.json').write_text({good!r})\n"
        f"print(json.dumps({ended!r} if bad else {{'state': 'measured'}}))",
    )
    said: list[tuple[str, str]] = []
    found = turns.measure(plan, out, at_once=2, say=lambda *line: said.append(line))
    assert sorted(said) == [("pc1", "looking"), ("pc2", "looking")]
    assert (out / "pc2/log.txt").read_text() == "looking\n"
    report = document.report(plan, found, at_once=2)
    one, two = report.hosts
    assert (one.state, one.cause_id, one.remedy) == ("failed", "off", "switch it on: ping pc1")
    assert (two.state, two.measured, two.run, report.reference) == ("measured", ("a",), "r1", "pc2")
    assert json.loads(report.to_json())["schema"] == "tdlab.hosts/1"

    worker(
        monkeypatch, f"import pathlib, sys\n(pathlib.Path(sys.argv[1]) / 'report.json').write_text({good!r})"
    )
    again = turns.measure(plan, out, at_once=1, say=lambda *line: said.append(line))
    assert said[2:] == [("pc2", "measured before")], "what is there is not measured again"
    assert again[0].cause == "its run broke, which is our fault", "it did not say how it ended"


def test_a_host_that_hangs_is_given_up(room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = made(room, "pc1")
    plans.write(tmp_path, plan)
    worker(monkeypatch, "import signal; signal.pause()")
    (found,) = turns.measure(plan, tmp_path, at_once=1, say=lambda *_: None, seconds=1)
    assert found.cause is not None
    assert "given up: it hangs" in found.cause
    assert document.report(plan, [found], at_once=1).hosts[0].cause_id == "hung"


# As a run that is killed leaves a host's folder: all rounds of its only cell are measured.
BEGUN = """
import json, pathlib, sys
place = pathlib.Path(sys.argv[1])
(place / "plan.json").write_text(json.dumps({"id": "r9", "asked": {}, "started": "2026-01-01T00:00:00+00:00",
    "tdlab": "0"}))
cell = {"kind": "cell", "cell": "a", "status": "measured", "asked": {}, "ran": {}}
rounds = [{"kind": "round", "cell": "a", "round": one, "samples": {"rtt": 100.0 + one}, "warmups": {},
    "not_measurable": {}} for one in range(3)]
(place / "journal.jsonl").write_text("".join(json.dumps(one) + "\\n" for one in [cell, *rounds]))
"""


@pytest.mark.parametrize(
    ("ends", "state", "cause"),
    [
        ("print(json.dumps({'state': 'failed', 'word': 'off', 'cause': 'gone'}))", "partly", "gone"),
        ("import os; os.kill(os.getpid(), 9)", "partly", "its run broke, which is our fault"),
        ("import signal; signal.pause()", "partly", "it was not done within 3 s"),
    ],
)
def test_what_was_measured_before_a_host_failed_is_in_its_report(
    ends: str, state: str, cause: str, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room, "pc1")
    plans.write(tmp_path, plan)
    run_of(tmp_path / "pc1", status="error")
    worker(monkeypatch, BEGUN + ends)
    found = turns.measure(plan, tmp_path, at_once=1, say=lambda *_: None, seconds=3)
    report = document.report(plan, found, at_once=1)
    assert (report.hosts[0].state, report.hosts[0].measured) == (state, ("a",))
    assert str(report.hosts[0].cause).startswith(cause)
    assert runs.read(tmp_path / "pc1/report.json").id == "r9"
    assert (tmp_path / "pc1/report.html").exists()


def test_a_host_that_never_began_has_no_report(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room, "pc1")
    plans.write(tmp_path, plan)
    worker(monkeypatch, 'print(\'{"state": "failed", "word": "off", "cause": "off"}\')')
    (found,) = turns.measure(plan, tmp_path, at_once=1, say=lambda *_: None)
    assert (found.run, found.cause) == (None, "off")


def test_a_terminal_that_is_gone_does_not_make_a_host_hang(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room, "pc1")
    plans.write(tmp_path, plan)
    good = run_of(tmp_path / "kept").to_json()
    worker(
        monkeypatch,
        f"import pathlib, sys\n(pathlib.Path(sys.argv[1]) / 'report.json').write_text({good!r})\n"
        "for _ in range(5000): print('a line of progress, of which a pipe holds some', file=sys.stderr)\n"
        'print(\'{"state": "measured"}\')',
    )

    def say(_host: str, _line: str) -> None:
        raise BrokenPipeError

    (found,) = turns.measure(plan, tmp_path, at_once=1, say=say, seconds=20)
    assert (found.cause, len((tmp_path / "pc1/log.txt").read_text().splitlines())) == (None, 5000)


def test_a_host_whose_folder_cannot_be_written_is_named_and_the_others_go_on(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room)
    plans.write(tmp_path, plan)
    (tmp_path / "pc1").write_text("in the way")
    good = run_of(tmp_path / "kept").to_json()
    worker(
        monkeypatch,
        f"import pathlib, sys\n(pathlib.Path(sys.argv[1]) / 'report.json').write_text({good!r})\n"
        'print(\'{"state": "measured"}\')',
    )
    found = turns.measure(plan, tmp_path, at_once=1, say=lambda *_: None)
    assert [one.cause for one in found] == [f"{tmp_path / 'pc1'} cannot be used: Not a directory", None]


def test_what_broke_in_tdlab_is_kept_for_each_host_apart(
    room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room)
    plans.write(tmp_path, plan)

    def broken(_at: object, _known_hosts: Path) -> Host:
        raise RuntimeError("ours")

    monkeypatch.setattr(reach, "host", broken)
    for name in ("pc1", "pc2"):
        hosts_worker.main(str(tmp_path), name, str(os.getppid()))
        ended = Ended.model_validate_json(capsys.readouterr().out)
        assert ended.cause == "a fault of tdlab itself: RuntimeError: ours"
        assert ended.remedy == f"report it with {tmp_path / name / 'traceback.txt'}"
        assert "RuntimeError: ours" in (tmp_path / name / "traceback.txt").read_text()


@pytest.mark.parametrize(
    ("broken", "word", "remedy"),
    [
        (lease.HungError("pc1 did not answer within 40 s: it hangs"), "hung", "restart it, or look: ssh"),
        (lease.BrokenError("it broke", remedy="use --resume"), "dropped", "use --resume"),
        (lease.UnreachedError("connect to host pc1: No route to host"), "off", "switch it on: ping pc1"),
    ],
)
def test_what_stopped_a_host_is_one_of_the_known_words_with_what_mends_it(
    broken: TdlabError, word: str, remedy: str, room: Path
) -> None:
    plan = made(room, "pc1")
    ended = hosts_worker._failed(plan.hosts[0], broken)
    turn = Turn(plan.hosts[0], None, ended.cause, ended.remedy, word=ended.word)
    (told,) = document.report(plan, [turn], at_once=1).hosts
    assert (told.cause_id, str(told.remedy)[: len(remedy)]) == (word, remedy)


def test_ctrl_c_ends_the_run_of_each_host_and_begins_no_other(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room)
    plans.write(tmp_path, plan)
    worker(
        monkeypatch,
        "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
        "print('begun', file=sys.stderr, flush=True)\nsignal.pause()",
    )
    said: list[str] = []

    def say(host: str, line: str) -> None:
        said.append(host)
        threading.Timer(0, os.kill, (os.getpid(), signal.SIGINT)).start()

    found = turns.measure(plan, tmp_path, at_once=1, say=say)
    assert said == ["pc1"]
    assert [one.interrupted for one in found] == [True, True]


@pytest.mark.parametrize(("status", "word"), [("skipped", "unable"), ("error", "other")])
def test_what_a_host_could_not_measure_is_said(
    status: str, word: str, room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = made(room, "pc1")
    plans.write(tmp_path, plan)
    text = run_of(tmp_path / "kept", status=status).to_json()
    worker(
        monkeypatch,
        f"import pathlib, sys\n(pathlib.Path(sys.argv[1]) / 'report.json').write_text({text!r})\n"
        'print(\'{"state": "measured"}\')',
    )
    report = document.report(plan, turns.measure(plan, tmp_path, at_once=1, say=lambda *_: None), at_once=1)
    assert (report.hosts[0].state, report.hosts[0].cause_id) == ("failed", word)
    assert report.hosts[0].cause == "a: the guest did not start"


def test_a_run_takes_no_longer_than_its_matrix_may(room: Path) -> None:
    small = made(room)
    large = small.model_copy(update={"workload": Workload(seconds=100, repeats=10)})
    assert 300 < turns.longest(small) < 1200
    assert turns.longest(large) > 10 * 200


def test_runs_go_on_by_their_folder_alone(
    room: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, plan = tmp_path / "out", made(room)
    plans.write(out, plan)
    for one in plan.hosts:
        run_of(out / one.folder)
    worker(monkeypatch, "raise SystemExit('nothing is left to measure')")
    # Click's runner would print it; the value is what the command line exits with.
    assert bench.command.main(["--resume", str(out)], standalone_mode=False) == 0
    assert json.loads((out / "hosts.json").read_text())["reference"] == "pc1"
    assert bench.command.main(["--resume", str(out), "--against", "pc2"], standalone_mode=False) == 0
    said = json.loads((out / "hosts.json").read_text())
    assert (said["reference"], said["against"]) == ("pc2", "pc2")
    assert (out / "hosts.html").exists()
    (out / plan.hosts[1].folder / "report.json").unlink()
    words = ["--resume", str(out), "--json", "--against", "pc2"]
    assert bench.command.main(words, standalone_mode=False) == 4
    said = json.loads((out / "hosts.json").read_text())
    assert (said["reference"], said["against"]) == ("pc1", "pc2")
