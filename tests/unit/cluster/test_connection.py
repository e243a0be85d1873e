"""A cluster that others run: with certificates, or not off this machine; nobody gets a word from ours."""

from __future__ import annotations

import json
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from domains import process, wait
from domains.paths import SHIPPED

if TYPE_CHECKING:
    from tests.unit.cluster.conftest import Trial

_UNDER_WAY = """\
import sys
from distributed import Client

def under_way(dask_scheduler):
    return sum(str(key).startswith("graded") for key in dask_scheduler.tasks)

with Client(sys.argv[1]) as client:
    print(client.run_on_scheduler(under_way))
"""
_DASK = "distributed.cli.dask_"
CHECK = """\
import os
from grader.api import question

@question("1", points=1)
def test_it(answer, lab_host):
    assert answer.text() != "asks who", f"judged for {os.getppid()} with {lab_host.name}"

@question("1", points=1)
def test_that(answer):
    assert answer.text()
"""


class Authority:
    """Signs certificates, which lie in a folder as PEM files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, folder.name)])
        self._signed(self._name, self._key, "ca", is_authority=True)
        key = ec.generate_private_key(ec.SECP256R1())
        self._signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host")]), key, "host")

    def options(self, prefix: str) -> list[str]:
        """Return the options of Dask (``--tls-``: with a -file behind ca) or tdlab (``--cluster-``)."""
        ca = "ca-file" if prefix == "--tls-" else "ca"
        files = {ca: "ca.pem", "cert": "host.pem", "key": "host.key"}
        return [word for name, file in files.items() for word in (prefix + name, str(self._folder / file))]

    def _signed(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, file: str, *, is_authority: bool = False
    ) -> None:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        (self._folder / f"{file}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self._folder / f"{file}.key").write_bytes(secret)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Callable[..., tuple[str, list[process.Child]]]]:
    """Return what starts a scheduler and workers, each with options of its own, and lends their address."""
    with ExitStack() as held:

        def run(what: str, *options: str) -> process.Child:
            log = held.enter_context((tmp_path / f"{what}.log").open("ab"))
            words = [sys.executable, "-m", _DASK + what, *options, "--dashboard-address", "127.0.0.1:0"]
            return held.enter_context(
                process.started(words, env={"PYTHONPATH": str(SHIPPED)}, cwd=tmp_path, log=log)
            )

        def start(common: list[str], *workers: list[str]) -> tuple[str, list[process.Child]]:
            listed = tmp_path / "scheduler.json"
            first = run(
                "scheduler", *common, "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(listed)
            )
            wait.until(listed.exists, waiting_for="the scheduler", deadline=120, interval=0.1)
            address = json.loads(listed.read_text())["address"]
            tls = [one for one in common if one != "--protocol" and one not in {"tls", "tcp"}]
            alone = ["--no-nanny", "--nthreads", "1", "--local-directory", str(tmp_path / "own")]
            children = [run("worker", address, *alone, *tls, *options) for options in workers]
            said = tmp_path / "worker.log"
            wait.until(
                lambda: said.read_text().count("Registered to") == len(workers),
                waiting_for="the workers",
                deadline=120,
                interval=0.1,
            )
            return address, [first, *children]

        yield start


def test_workers_reached_by_tls_are_sent_all_that_they_need(
    trial: Trial, tmp_path: Path, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    trial.hand_in("yes", "no", *["yes"] * 20, "exits")
    address, _ = dask(["--protocol", "tls", *ours.options("--tls-")], [], [])
    there = trial.grade("there", "--cluster", address, *ours.options("--cluster-"))
    assert there.status == 3, there.stderr
    assert "workers that grade: 2" in there.stderr
    # The lab and the submissions went there as bytes, and were not read from here; with so few batches,
    # the quicker worker may have had them all.
    assert len(list((tmp_path / "own").rglob("lab.yaml"))) in {1, 2}
    assert not list((tmp_path / "own").rglob("answers.yaml"))
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")
    refused = trial.grade("refused", "--cluster", address, *theirs.options("--cluster-"))
    assert refused.status == 3
    assert "does not answer" in refused.stderr
    assert "certificates of the same authority" in refused.stderr
    without = trial.grade("without", "--cluster", address)
    assert without.status == 2
    assert "--cluster-ca" in without.stderr


def test_what_needs_a_lab_host_goes_only_to_a_worker_that_has_one(
    trial: Trial, tmp_path: Path, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    (trial.folder / "trial" / "checks" / "test_it.py").write_text(CHECK)
    trial.hand_in(*["asks who"] * 6)
    address, (_, _, able) = dask(["--protocol", "tcp"], [], ["--resources", "kvm=1"])
    there = trial.grade("there", "--cluster", address, "--lab-host", "localhost")
    assert there.status == 1, there.stderr
    for one in trial.found("there").values():
        assert [result.id for result in one.questions] == ["1", "2"]
        assert (one.questions[0].outcome, one.questions[0].points) == ("partial", 1)
        assert f"judged for {able.pid} with localhost" in one.questions[0].hint


def test_only_so_much_of_a_class_is_under_way_as_there_is_somebody_for_it(
    trial: Trial, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    trial.hand_in(*["waits"] * 99)
    os.mkfifo(trial.folder / "gate")
    address, (_, worker) = dask(["--protocol", "tcp"], [])
    words = trial.words("there", "--cluster", address)
    with process.started(words, env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder):
        wait.until(lambda: _judges(worker.pid), waiting_for="a judge", deadline=120, interval=0.1)
        done = process.run([sys.executable, "-c", _UNDER_WAY, address], timeout=120)
    # Of seven batches one is being graded, and one waits.
    assert done.stdout.split() == ["2"]


def test_when_the_scheduler_goes_away_what_has_arrived_is_kept_for_a_run_elsewhere(
    trial: Trial, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    trial.hand_in(*["yes"] * 40, "waits")
    os.mkfifo(trial.folder / "gate")
    address, (scheduler, *_) = dask(["--protocol", "tcp"], [])
    words = trial.words("there", "--cluster", address)
    with process.started(words, env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder) as grading:
        wait.until(lambda: trial.arrived("there") == 40, waiting_for="grades", deadline=120, interval=0.1)
        scheduler.kill()
        _, said = grading.communicate(timeout=120)
    assert grading.returncode == 3
    assert said.splitlines()[1:] == [
        "tdlab: the cluster is gone: its scheduler does not answer any more",
        "  what has arrived is kept: run it again, and it goes on from there",
    ]
    (trial.folder / "gate").unlink()
    (trial.folder / "gate").touch()
    again = trial.grade("there", "--cluster", "local:1")
    assert "40 had been graded" in again.stderr
    trial.grade("here", "-j1")
    assert trial.marks("here") == trial.marks("there")


def test_without_a_worker_that_has_one_nothing_is_graded(
    trial: Trial, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    (trial.folder / "trial" / "checks" / "test_it.py").write_text(CHECK)
    trial.hand_in("yes")
    address, _ = dask(["--protocol", "tcp"], [])
    refused = trial.grade("there", "--cluster", address, "--lab-host", "localhost")
    assert refused.status == 2
    assert "--resources kvm=1" in refused.stderr


def test_a_cluster_is_refused_when_one_of_its_workers_can_be_listened_to(
    trial: Trial, dask: Callable[..., tuple[str, list[process.Child]]]
) -> None:
    trial.hand_in("yes")
    elsewhere = ["--listen-address", "tcp://127.0.0.1:0", "--contact-address", "tcp://192.0.2.1:9999"]
    address, _ = dask(["--protocol", "tcp"], elsewhere)
    refused = trial.grade("there", "--cluster", address)
    assert refused.status == 2
    assert "tcp://192.0.2.1:9999" in refused.stderr
    assert "without TLS" in refused.stderr


def test_local_workers_listen_on_the_loopback_alone_and_talk_only_to_their_own(trial: Trial) -> None:
    trial.hand_in("waits")
    os.mkfifo(trial.folder / "gate")
    with process.started(
        trial.words("there", "--cluster", "local:2"), env={"PYTHONPATH": str(SHIPPED)}, cwd=trial.folder
    ) as grading:
        judges = wait.until(lambda: _judges(grading.pid), waiting_for="a judge", deadline=120, interval=0.1)
        family = [psutil.Process(grading.pid), *psutil.Process(grading.pid).children(recursive=True)]
        listening = [
            one.laddr
            for member in family
            for one in member.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN
        ]
        assert {one.ip for one in listening} == {"127.0.0.1"}
        # A scheduler, two workers, their nannies: and of each a server of HTTP that knows no page.
        assert len(listening) >= 5
        for one in listening:
            assert _said(one.port) in {b"", b"HTTP/1.1 404 Not Found"}
        assert [one for member in judges for one in member.net_connections("inet")] == []
        # Let it end by itself.
        (trial.folder / "gate").write_text("")
        assert grading.wait(timeout=120) == 1


@contextmanager
def _reached(port: int, context: ssl.SSLContext | None) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        plain.settimeout(3)
        if context is None:
            yield plain
            return
        with context.wrap_socket(plain) as wrapped:
            yield wrapped


def _said(port: int) -> bytes:
    """Return what a port says to one who asks it without a certificate, by TLS and then in the clear."""
    for_nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for_nobody.check_hostname, for_nobody.verify_mode = False, ssl.CERT_NONE
    request = b"GET /json/identity.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    heard = b""
    for context in (for_nobody, None):
        try:
            with _reached(port, context) as asked:
                asked.sendall(request)
                heard = heard or asked.recv(4096).split(b"\r\n")[0]
        except OSError:
            continue
    return heard


def _judges(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return [one for one in children if "grader.cluster.judge" in one.cmdline()]
