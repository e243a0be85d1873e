"""Where a class may be graded: on this machine, or where nobody else can listen."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import UsageError
from grader.cluster.address import Certificates, Local, Remote, is_safe, parse

NONE = Certificates()
SOME = Certificates(ca=Path("ca.pem"))


def test_local_workers_are_as_many_as_asked_for_or_as_there_are_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 5})
    assert parse("local", NONE) == Local(3)
    assert parse("local:7", NONE) == Local(7)


@pytest.mark.parametrize("address", ["tls://grader.example:8786", "tls://[2001:db8::1]:8786"])
def test_with_tls_a_scheduler_may_be_anywhere(address: str) -> None:
    assert parse(address, SOME) == Remote(address, SOME)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:8786"])
def test_without_tls_it_must_be_on_this_machine(address: str) -> None:
    assert parse(address, NONE) == Remote(address, NONE)


@pytest.mark.parametrize(
    "address", ["tcp://10.0.0.1:8786", "tcp://0.0.0.0:8786", "tcp://grader.example:8786", "tcp://[::]:8786"]
)
def test_off_this_machine_without_tls_is_refused_with_what_to_write(address: str) -> None:
    with pytest.raises(UsageError, match="without TLS") as refused:
        parse(address, NONE)
    assert address.replace("tcp:", "tls:") in str(refused.value.remedy)


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("grader.example:8786", "write tls://grader.example:8786"),
        ("http://grader.example:8786", "write tls://grader.example:8786"),
        ("tls://grader.example", "write local, local:N, or tls://HOST:PORT"),
        ("tls://grader.example:99999", "write local, local:N, or tls://HOST:PORT"),
        ("tls://user@grader.example:8786", "write local, local:N, or tls://HOST:PORT"),
        ("local:0", "write local, local:N, or tls://HOST:PORT"),
        ("local:900", "at most local:256"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_one(address: str, remedy: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(address, NONE)
    assert refused.value.remedy == remedy


@pytest.mark.parametrize("address", ["local:2", "tcp://127.0.0.1:8786"])
def test_certificates_that_would_not_be_used_are_refused(address: str) -> None:
    with pytest.raises(UsageError, match="certificates"):
        parse(address, SOME)


def test_a_worker_is_safe_by_encryption_or_on_the_loopback_alone() -> None:
    assert is_safe("tls://10.0.0.9:4000")
    assert is_safe("tcp://127.0.0.1:4000")
    assert not is_safe("tcp://10.0.0.9:4000")
    assert not is_safe("ucx://10.0.0.9:4000")
