"""One measuring run a host at a time."""

from __future__ import annotations

import pytest

from domains import lease
from domains.errors import UsageError


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
