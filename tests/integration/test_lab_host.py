"""The role lab_host on the machine that the tests run on, which set-up has made a lab host already."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import daemon, privilege
from domains.provision import ProvisionReport, provision, require
from domains.setup import bootstrap

pytestmark = pytest.mark.integration

# As set-up runs it, without its users: a test changes nobody's groups.
CONTROLLER = {"lab_host_controller": True}


@pytest.fixture(scope="module")
def again() -> ProvisionReport:
    """The role, run on a host that it has just been run on."""
    if privilege.as_root() is None:
        pytest.skip("the role needs root, and this user is an ordinary one without sudo")
    require(provision(extra_vars=CONTROLLER))
    return require(provision(extra_vars=CONTROLLER))


def test_a_second_run_changes_nothing(again: ProvisionReport) -> None:
    assert [task.name for task in again.tasks if task.changed] == []
    assert again.changed == 0


def test_check_mode_goes_through_and_predicts_nothing(again: ProvisionReport) -> None:
    predicted = require(provision(extra_vars=CONTROLLER, check=True))
    assert predicted.changed == 0
    assert predicted.ok >= again.ok - 1


def test_check_mode_predicts_a_package_that_is_missing(again: ProvisionReport) -> None:
    wanted = {"lab_host_packages": ["qemu-system-x86", "tdlab-no-such-package"]}
    predicted = require(provision(extra_vars=CONTROLLER | wanted, check=True))
    assert predicted.changed == 1  # the announcement; what follows the packages cannot be predicted
    assert "Would install tdlab-no-such-package" in predicted.says


def test_what_the_role_promises_is_there(again: ProvisionReport) -> None:
    assert bootstrap.missing_packages() == []
    assert bootstrap._stamp_is_current()
    assert daemon.is_running()
    assert Path("/var/lib/libvirt/dnsmasq").is_dir()


def test_a_wrong_variable_is_refused_by_its_name(again: ProvisionReport) -> None:
    report = provision(extra_vars={"lab_host_controller": "perhaps"})
    assert not report.succeeded
    assert "lab_host_controller" in report.failures[0].cause
