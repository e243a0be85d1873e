"""From Ansible's events to a report, and the seclusion that Ansible runs in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from domains import provision
from domains.errors import InfrastructureError


def event(kind: str, task: str, **result: object) -> dict[str, Any]:
    return {"event": kind, "event_data": {"task": task, "duration": 0.5, "res": result}}


def stats(**counts: int) -> dict[str, Any]:
    return {"event": "playbook_on_stats", "event_data": {name: {"h": n} for name, n in counts.items()}}


def test_counts_and_seconds_of_tasks_are_ansibles() -> None:
    events = [
        event("runner_on_ok", "look", changed=False),
        event("runner_on_ok", "write", changed=True),
        stats(ok=2, changed=1, failures=0, dark=0),
    ]
    report = provision.summarise("h", events, "", 3.0)
    assert (report.ok, report.changed, report.failed, report.unreachable) == (2, 1, 0, 0)
    assert [(task.name, task.seconds, task.changed) for task in report.tasks] == [
        ("look", 0.5, False),
        ("write", 0.5, True),
    ]
    assert provision.require(report) is report


def test_a_failed_task_is_reported_with_its_cause() -> None:
    events = [
        event("runner_on_failed", "install", msg="apt failed", stderr="noise\nE: no space left"),
        stats(failures=1),
    ]
    report = provision.summarise("h", events, "TASK [install]", 1.0)
    assert report.failures == (provision.TaskFailure("install", "apt failed; E: no space left"),)
    with pytest.raises(InfrastructureError, match="h could not be made a lab host: install: apt failed"):
        provision.require(report)


def test_a_host_that_was_not_reached_is_no_success() -> None:
    events = [event("runner_on_unreachable", "look", msg="connection refused"), stats(dark=1)]
    report = provision.summarise("h", events, "", 1.0)
    assert not report.succeeded
    assert report.unreachable == 1
    assert report.failures[0].cause == "connection refused"


def test_no_event_at_all_is_no_success() -> None:
    with pytest.raises(InfrastructureError, match="Ansible ran no task"):
        provision.require(provision.summarise("h", [], "ERROR! the playbook could not be found", 1.0))


def test_a_failure_that_the_role_foresees_is_none() -> None:
    foreseen = event("runner_on_failed", "probe", msg="no")
    foreseen["event_data"]["ignore_errors"] = True
    assert provision.summarise("h", [foreseen, stats(ok=1)], "", 1.0).succeeded


def test_what_the_role_says_aloud_is_kept() -> None:
    spoken = event("runner_on_ok", "say", msg="started libvirtd")
    spoken["event_data"]["task_action"] = "ansible.builtin.debug"
    quiet = event("runner_on_ok", "assert", msg="All assertions passed")
    report = provision.summarise("h", [spoken, quiet, stats(ok=2)], "", 1.0)
    assert report.says == ("started libvirtd",)


def test_the_users_settings_are_kept_out_and_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANSIBLE_CHECK_MODE_MARKERS", "1")
    monkeypatch.setenv("ANSIBLE_CONFIG", "/home/eve/ansible.cfg")
    monkeypatch.setenv("LC_ALL", "C")
    before = dict(os.environ)
    with provision._only_our_settings(tmp_path):
        assert "ANSIBLE_CHECK_MODE_MARKERS" not in os.environ
        assert os.environ["ANSIBLE_CONFIG"] == str(tmp_path / "ansible.cfg")
        assert os.environ["LC_ALL"] == "C.UTF-8"
    assert dict(os.environ) == before


def test_the_roles_digest_changes_with_content_and_with_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provision, "PLAYBOOKS", tmp_path)
    tasks = tmp_path / "roles/lab_host/tasks"
    tasks.mkdir(parents=True)
    (tasks / "main.yml").write_text("a")
    first = provision.role_digest()
    (tasks / "main.yml").write_text("b")
    second = provision.role_digest()
    (tasks / "main.yml").rename(tasks / "other.yml")
    assert len({first, second, provision.role_digest()}) == 3
