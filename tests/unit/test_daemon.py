"""The daemon seam without a daemon: sockets in a temporary folder, programs replaced by recorders."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from domains import daemon, process
from domains.errors import CapabilityMissing, InfrastructureError


class Recorder:
    """Stands in for :func:`domains.process.run`; answers each program with a status and an output."""

    def __init__(self, answers: dict[str, tuple[int, str]] | None = None) -> None:
        self.ran: list[list[str]] = []
        self.options: list[dict[str, object]] = []
        self.answers = answers or {}

    def __call__(self, argv: list[str], **options: object) -> process.Completed:
        self.ran.append([str(word) for word in argv])
        self.options.append(options)
        status, stdout = self.answers.get(argv[0], (0, ""))
        return process.Completed(tuple(self.ran[-1]), status, stdout, "", 0.0)


@pytest.fixture
def nothing_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host whose libvirt folder is empty, without systemd, and where this user is root."""
    monkeypatch.setattr(daemon, "SOCKETS", (tmp_path / "libvirt-sock",))
    monkeypatch.setattr(daemon, "SYSTEMD", tmp_path / "no-systemd")
    for name in ("VIRTLOGD", "LIBVIRTD"):
        monkeypatch.setattr(
            daemon, name, daemon.Daemon(name.lower(), tmp_path / f"{name}-sock", tmp_path / f"{name}.pid")
        )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def listener(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_a_daemon_that_answers_is_left_alone(nothing_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()
    monkeypatch.setattr(process, "run", recorder)
    with listener(nothing_runs / "libvirt-sock"):
        assert daemon.ensure_running() is None
    assert recorder.ran == []


def test_a_socket_left_by_a_dead_daemon_is_not_taken_for_an_answer(nothing_runs: Path) -> None:
    listener(nothing_runs / "libvirt-sock").close()
    assert (nothing_runs / "libvirt-sock").exists()
    assert daemon.is_running() is False


def test_without_systemd_both_daemons_are_started_with_a_clean_environment(
    nothing_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers: list[socket.socket] = []

    class Starting(Recorder):
        def __call__(self, argv: list[str], **options: object) -> process.Completed:
            if any(word.endswith("libvirtd") for word in argv):
                servers.append(listener(nothing_runs / "libvirt-sock"))
            return super().__call__(argv, **options)

    recorder = Starting()
    monkeypatch.setattr(process, "run", recorder)
    monkeypatch.setattr(process, "found", lambda program: Path("/usr/sbin") / program)
    said = daemon.ensure_running()
    servers[0].close()
    assert said == "this host has no systemd: started virtlogd and libvirtd"
    assert [argv[:2] for argv in recorder.ran] == [["env", "-i"], ["env", "-i"]]
    assert all(daemon.MARK in argv for argv in recorder.ran)
    assert all(options["log"] for options in recorder.options), "a daemon never ends its output"


def test_with_systemd_its_unit_is_started(nothing_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nothing_runs / "no-systemd").mkdir()
    recorder = Recorder()
    monkeypatch.setattr(process, "run", recorder)
    answers = iter([False, True])
    monkeypatch.setattr(daemon, "is_running", lambda: next(answers))
    assert daemon.ensure_running() == "libvirtd was not running: started it through systemd"
    assert recorder.ran == [["systemctl", "--no-ask-password", "start", "libvirtd.service"]]


def test_without_root_or_sudo_the_remedy_is_an_administrator(
    nothing_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(process, "run", Recorder({"sudo": (1, "")}))
    monkeypatch.setattr(process, "found", lambda program: Path("/usr/sbin") / program)
    with pytest.raises(InfrastructureError, match="root is needed to start virtlogd") as caught:
        daemon.ensure_running()
    assert "administrator" in str(caught.value.remedy)


def test_a_host_without_libvirt_says_so(nothing_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "found", lambda _: None)
    with pytest.raises(CapabilityMissing, match="virtlogd is not installed"):
        daemon.ensure_running()


def test_only_a_daemon_with_our_mark_is_stopped(nothing_runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon.Daemon, "pid", lambda self: 4194305 if self.name == "libvirtd" else None)
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _: killed.append(pid))
    somebody_elses = Recorder({"cat": (0, "PATH=/bin\0")})
    monkeypatch.setattr(process, "run", somebody_elses)
    assert daemon.stop_started() == []
    assert killed == []
    ours = Recorder({"cat": (0, f"PATH=/bin\0{daemon.MARK}\0")})
    monkeypatch.setattr(process, "run", ours)
    assert daemon.stop_started() == ["libvirtd"]
    assert killed == [4194305]


def test_a_daemon_that_does_not_end_when_asked_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = "import os, signal; signal.signal(15, signal.SIG_IGN); os.write(1, b'deaf'); signal.pause()"
    ready, says = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, "-c", deaf],
        dict([daemon.MARK.split("=")]),
        file_actions=[(os.POSIX_SPAWN_DUP2, says, 1)],
    )
    assert os.read(ready, 4) == b"deaf"
    os.close(ready)
    os.close(says)
    # Somebody must bury it, as process 1 does for a daemon.
    ended: list[int] = []
    burial = threading.Thread(target=lambda: ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])))
    burial.start()
    monkeypatch.setattr(daemon.Daemon, "pid", lambda self: pid if self.name == "libvirtd" else None)
    monkeypatch.setattr(daemon, "_PATIENCE", 0.2)
    assert daemon.stop_started() == ["libvirtd"]
    burial.join()
    assert ended == [-signal.SIGKILL]


def test_a_process_number_used_again_by_another_program_is_no_daemon(tmp_path: Path) -> None:
    pid_file = tmp_path / "libvirtd.pid"
    pid_file.write_text(str(os.getpid()))
    assert daemon.Daemon("libvirtd", tmp_path / "sock", pid_file).pid() is None


@pytest.mark.parametrize(
    ("text", "stock"),
    [("# a comment\n\n#auth = 1\n", True), ('# a comment\nauth_unix_rw = "none"\n', False)],
)
def test_an_administrators_configuration_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, stock: bool
) -> None:
    configuration = tmp_path / "libvirtd.conf"
    configuration.write_text(text)
    monkeypatch.setattr(daemon, "STOCK_CONFIGURATION", configuration)
    assert daemon._configuration_is_stock() is stock
