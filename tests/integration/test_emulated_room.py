"""One deployment to an emulated lab host, a student's work done there, collected and graded."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import _student, _terminal
from benchmarks._lab_host import LabHost
from benchmarks._terminal import Login
from domains import process
from domains.errors import EXIT_INFRASTRUCTURE
from domains.paths import PLAYBOOKS
from grader.lab import lab as labs
from grader.lab import variants
from grader.lab.questions import DomainQuestion, NumberQuestion
from grader.submission import evidence
from grader.submission.evidence import Seen
from grader.workspace import workspace

pytestmark = [pytest.mark.integration, pytest.mark.emulated, pytest.mark.usefixtures("libvirt_daemon")]

LAB = labs.load(labs.find("r202"))
STUDENT = _student.STUDENT
ACCOUNT = "etudiant"
# What can be done in minutes, of each kind: choices, texts, a prediction, a number and an experiment that are
# measured on the host, a domain.
ANSWERED = ("1.1", "1.2-process", "1.7", "vmcs-entry")
PREDICTED, COMPUTED, EXPERIMENT, DOMAIN = "3.2-predict", "3.2-ratio", "exit-meter", "3.2-domain"
EARNED = {*ANSWERED, PREDICTED, COMPUTED, "1.4-exits", DOMAIN}

# As on a machine that tdlab never saw, but that nothing has to be fetched: the host has no way to Debian.
BARE = f"""
set -e
useradd --create-home --shell /bin/bash --password '*' {ACCOUNT}
install -d -m 700 -o {ACCOUNT} /home/{ACCOUNT}/.ssh
install -m 600 -o {ACCOUNT} /root/.ssh/authorized_keys /home/{ACCOUNT}/.ssh/
rm -r /var/lib/tdlab
systemctl disable --quiet --now libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd.service
"""
# All that a deployment could change, with its content.
EVERYTHING = """
seen() { find /opt /usr/local /home /root /etc /var/lib/tdlab /var/lib/libvirt -xdev "$@" 2>/dev/null; }
seen -type f -not -path '/var/lib/libvirt/images/*' -print0 | xargs -0 sha256sum
seen -printf '%p %m %u %g %l\\n'
systemctl is-enabled libvirtd.socket libvirtd.service; systemctl is-active libvirtd.socket libvirtd.service
true
"""


@dataclass(frozen=True)
class Room:
    """A host that is a bare machine, and the inventory that names it."""

    host: LabHost
    inventory: Path
    folder: Path

    def deploy(self, *words: str) -> process.Completed:
        """Deploy the lab, and return what came of it."""
        given = ("-i", str(self.inventory), "--wheels", "3.13", *words)
        return self.host.tdlab("deploy", LAB.slug, *given, check=False)

    def play(self, *words: str) -> dict[str, int]:
        """Run the playbook by ansible-playbook itself on what was staged; return what its recap counts."""
        program = Path(sys.executable).parent / "ansible-playbook"
        given = ["-i", self.folder / "stage/inventory.json", *words, PLAYBOOKS / "deploy.yml"]
        env = {
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
        }
        done = process.run([program, *given], timeout=600, env=env, check=False)
        recap = done.stdout.partition("PLAY RECAP")[2]
        assert recap, done.stdout + done.stderr
        counts = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", recap)}
        assert (counts["failed"], counts["unreachable"]) == (0, 0), done.stdout
        return counts


@pytest.fixture(scope="module")
def room(lab: LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Have the host be bare, with a student's account; afterwards it is as it was."""
    lab.tdlab("host", "reset", lab.name)
    lab.shell(BARE)
    folder = tmp_path_factory.mktemp("room")
    inventory = folder / "room.csv"
    inventory.write_text(f"student,host,account\n{STUDENT},{lab.name},{ACCOUNT}\n", encoding="utf-8")
    yield Room(lab, inventory, folder)
    lab.tdlab("host", "reset", lab.name)


@pytest.fixture(scope="module")
def deployed(room: Room) -> dict[str, Any]:
    """Predict, deploy, and return what was seen before, between and afterwards."""
    staged = room.deploy("--stage", str(room.folder / "stage"))
    assert staged.status == 0, staged.stderr
    before = room.host.shell(EVERYTHING)
    predicted = room.play("--check", "--diff")
    between = room.host.shell(EVERYTHING)
    done = room.deploy("--json")
    return {"before": before, "predicted": predicted, "between": between, "done": done}


def test_a_bare_machine_is_left_as_it_is_by_a_prediction(deployed: dict[str, Any]) -> None:
    assert deployed["predicted"]["changed"] > 0
    assert deployed["between"] == deployed["before"]


def test_the_lab_is_deployed_with_the_role_and_a_second_run_changes_nothing(
    room: Room, deployed: dict[str, Any]
) -> None:
    done = deployed["done"]
    assert done.status == 0, done.stdout + done.stderr
    assert {ACCOUNT} < {*room.host.shell(f"id -nG {ACCOUNT}").split()} >= {"libvirt", "kvm"}
    assert room.host.shell("systemctl is-enabled libvirtd.socket").strip() == "enabled"
    last = json.loads(room.deploy("--json").stdout.splitlines()[-1])
    assert [(row["state"], row["changed"]) for row in last["hosts"]] == [("unchanged", 0)]
    # The same, where every role runs to its end although there is nothing to do.
    through = json.dumps({"fleet_look_ends_when_done": False, "fleet_look_becomes_lab_host": True})
    assert room.play("-e", through)["changed"] == 0


def test_a_students_work_done_there_is_worth_what_was_done(
    room: Room, deployed: dict[str, Any], tmp_path: Path
) -> None:
    assert deployed["done"].status == 0
    plan = _student.planned(LAB, tmp_path, right=True)
    with _terminal.opened(tmp_path, {"LANG": "C.UTF-8", "TERM": "screen"}) as terminal:
        config = shlex.quote(str(room.host.ssh_config))
        there = _terminal.log_in(terminal, f"ssh -F {config} -l {ACCOUNT} {room.host.name}")
        work(there, room, plan, tmp_path)
    said = room.host.tdlab(
        "collect", LAB.slug, "-i", str(room.inventory), "--into", str(tmp_path / "class"), "--json"
    )
    (archive,) = json.loads(said.stdout.splitlines()[-1])["archives"]
    assert (archive["student"], archive["verified"], archive["why"]) == (STUDENT, True, "")

    words = ("grade", LAB.slug, str(tmp_path / "class"), "--into", str(tmp_path / "marks"), "--json")
    (graded,) = json.loads(room.host.tdlab(*words, check=False).stdout)["submissions"]
    assert not graded.get("unverified")
    earned = {one["id"]: one["points"] for one in graded["questions"] if one["points"]}
    assert earned == {one["id"]: one["max"] for one in graded["questions"] if one["id"] in EARNED}
    assert graded["score"] == sum(earned.values())
    assert not [one for one in graded["questions"] if one["outcome"] == "error"]


def work(there: Login, room: Room, plan: _student.Plan, scratch: Path) -> None:
    """Type what a student types, from the first look to handing in."""
    must(there, f"cd {LAB.slug}-workspace")
    must(there, "tdlab status", deadline=300)
    must(there, f"tdlab predict {PREDICTED} {plan.answers[PREDICTED]}", deadline=120)
    nic = variants.values(LAB, STUDENT)["nic"]
    must(there, f"tdlab bench --cell {nic} --cell virtio --repeats 1", deadline=600)
    # What is not the student's fault (a host that is late, on a busy machine) is tried once more.
    if there.run(f"tdlab measure {EXPERIMENT}", deadline=300) == EXIT_INFRASTRUCTURE:
        must(there, f"tdlab measure {EXPERIMENT}", deadline=300)
    asked = LAB.question(DOMAIN)
    assert isinstance(asked, DomainQuestion)
    file = asked.file
    must(there, f"mkdir -p {Path(file).parent}")
    for line in [f"cat > {file} <<'END'", *plan.files[file].splitlines()]:
        there.terminal.type(line)
        there.terminal.press("Enter")
    must(there, "END")
    answers = {name: plan.answers[name] for name in (*ANSWERED, PREDICTED)} | {
        COMPUTED: measured(room, scratch)
    }
    for name, value in answers.items():
        text = re.sub(r"([\\\\&|])", r"\\\\\\1", json.dumps(value, ensure_ascii=False))
        script = f"s|^  {re.escape(name)}:.*|  {name}: {text}|"
        must(there, f"sed -i {shlex.quote(script)} answers.yaml")
    there.run("tdlab check", deadline=300)
    must(there, "tdlab submit", deadline=120)


def must(there: Login, command: str, *, deadline: float = 60) -> None:
    status = there.run(command, deadline=deadline)
    assert status == 0, f"{command}: status {status}\n{there.terminal.screen()}"


def measured(room: Room, scratch: Path) -> float:
    """Compute from the student's own measures what is asked of them, as they read it off the report."""
    copy = scratch / "copy"
    source = f"{room.host.name}:/home/{ACCOUNT}/{LAB.slug}-workspace"
    process.run(["scp", "-q", "-r", "-F", room.host.ssh_config, source, copy], timeout=60)
    question = variants.drawn(LAB, STUDENT).question(COMPUTED)
    assert isinstance(question, NumberQuestion)
    found = evidence.expected(question.expect, workspace.find(copy).submission().evidence)
    assert isinstance(found, Seen)
    return float(f"{found.value:.4g}")
