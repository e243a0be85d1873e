"""One measuring run a host at a time."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from domains import lease, leaseholder, process, wait
from domains.errors import InfrastructureError, UsageError
from domains.host import Host


def test_a_second_run_on_the_same_host_is_refused_until_the_first_ends() -> None:
    host = "lease-test"
    with (
        lease.held(host),
        pytest.raises(UsageError, match="another tdlab measures on lease-test"),
        lease.held(host),
    ):
        pass
    with lease.held(host):
        pass


def test_other_hosts_are_free() -> None:
    with lease.held("lease-one"), lease.held("lease-two"):
        pass


def test_a_run_that_broke_gives_the_lease_back() -> None:
    host = "lease-broken"
    with pytest.raises(RuntimeError, match="boom"), lease.held(host):
        raise RuntimeError("boom")
    with lease.held(host):
        pass


def there(name: str, before: str = "") -> Host:
    """A host that is reached as by SSH: a shell that reads the words from its last argument."""
    return Host(name, "test:///default", ("sh", "-c", f'{before} eval "$1"', "sh"))


@pytest.fixture(autouse=True)
def name_there(monkeypatch: pytest.MonkeyPatch) -> str:
    """These hosts are this machine: others may measure on it meanwhile."""
    name = f"lease-test-{os.getpid()}"
    monkeypatch.setattr(lease, "_THERE", name)
    return name


def is_free(name: str) -> bool:
    try:
        leaseholder.take(name, "").give_back()
    except leaseholder.TakenError:
        return False
    return True


def test_two_names_of_one_machine_share_the_lease_that_is_on_it(name_there: str) -> None:
    with lease.on(there("root@pc")):
        with pytest.raises(lease.HeldError) as refused, lease.on(there("eve@10.0.0.7")):
            pass
        assert "measures on eve@10.0.0.7 (" in refused.value.problem
        assert f"@{socket.gethostname()}, since 20" in refused.value.problem
        with pytest.raises(lease.HeldError), lease.held(name_there):
            pass
    assert is_free(name_there), "it is back when the block has ended"


def test_a_run_on_the_machine_itself_is_in_the_way_too(name_there: str) -> None:
    with lease.held(name_there), pytest.raises(lease.HeldError), lease.on(there("root@pc")):
        pass


def test_what_a_profile_prints_is_passed_over(name_there: str) -> None:
    with lease.on(there("root@pc", "echo Welcome; echo tdlab;")) as mine:
        assert not is_free(name_there)
        assert not mine.broke
        with pytest.raises(InfrastructureError, match=r"^a guest died$"), mine.relied_on():
            raise InfrastructureError("a guest died")


def test_a_connection_that_ends_gives_the_lease_back_and_is_noticed(name_there: str) -> None:
    with lease.on(there("root@pc")) as mine:
        os.killpg(mine.far[0].pid, signal.SIGKILL)
        wait.until(lambda: is_free(name_there), waiting_for="the lease", deadline=20)
        wait.until(lambda: mine.broke, waiting_for="that it is noticed", deadline=20)
        with pytest.raises(lease.BrokenError, match="to root@pc broke: libvirt is gone"), mine.relied_on():
            raise InfrastructureError("libvirt is gone")


def test_the_holder_on_a_host_ends_when_nothing_comes_any_more() -> None:
    program = Path(leaseholder.__file__).read_text().replace("SILENCE_SECONDS = 60", "SILENCE_SECONDS = 0.2")
    with process.started([sys.executable, "-c", program, "lease-silent", ""], stdin=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().rstrip() == leaseholder.HELD
        wait.until(lambda: holder.poll() is not None, waiting_for="its end", deadline=20)


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ("echo 'ssh: connect to host pc port 22: No route to host' >&2; exit 255;", "No route to host"),
        ("PATH=/nowhere;", "python3: "),
    ],
)
def test_a_host_that_cannot_be_held_says_why(before: str, says: str) -> None:
    with pytest.raises(InfrastructureError, match=says), lease.on(there("root@pc", before)):
        pass


def test_a_host_that_hangs_is_told_from_one_that_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_ANSWER_SECONDS", 0.2)
    with pytest.raises(lease.HungError, match="did not answer within"), lease.on(there("pc", "sleep 60;")):
        pass


def test_what_to_try_is_a_command_that_reaches_the_host() -> None:
    host = Host("eve@pc:2222", "test:///default", ("sh", "-c", "exit 255"))
    with pytest.raises(lease.UnreachedError) as refused, lease.on(host):
        pass
    assert refused.value.remedy == "does this work? sh -c 'exit 255' python3 --version"


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "measures on here, and"),
        ("[]", "measures on here, and"),
        (json.dumps({"who": 3, "since": "soon"}), "measures on here, and"),
        (json.dumps({"who": "eve@\x1b[2Jpc" + "x" * 500, "since": "2026-01-02T03:04:05"}), "(eve@[2Jpcxxx"),
    ],
)
def test_a_holder_may_say_anything_of_itself(note: str, said: str) -> None:
    held = leaseholder.take("here", note)
    with pytest.raises(lease.HeldError) as refused, lease.held("here"):
        pass
    held.give_back()
    assert said in refused.value.problem
    assert len(refused.value.problem) < 250
