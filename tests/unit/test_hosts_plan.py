"""The same matrix on many hosts: who is asked, how they are reached, their turns, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, get_file_vault_secret
from click.testing import CliRunner, Result

from domains import hosts, paths, reach
from domains.emulated import registry
from domains.emulated.plan import HostPlan
from domains.emulated.registry import Record
from domains.errors import UsageError
from domains.reach import Way
from domains.spec import DomainSpec
from grader.commands import bench
from grader.fleet import inventory
from grader.hosts import document, runs_of
from grader.hosts import plan as plans
from grader.hosts.plan import Plan
from grader.measure.matrix import Cell, Matrix, Workload

pytestmark = pytest.mark.usefixtures("own_state")

MATRIX = Matrix((Cell("a", DomainSpec()),), Workload(), {})
ROOM = """\
student,host,user,port,room
Ada,pc1,root,,b12
Bo,pc2,eve,2222,b12
Cy,pc3,,,b13
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    file = tmp_path / "room.csv"
    file.write_text(ROOM)
    return file


def made(room: Path, group: str = "b12") -> Plan:
    machines = inventory.read(room).limited(group)
    return plans.make(machines, MATRIX, group=group, known_hosts=room.with_name("known_hosts"))


def test_a_csv_says_how_each_host_is_reached(room: Path) -> None:
    one, two = made(room).hosts
    assert (one.way, two.way) == (Way("pc1", "root"), Way("pc2", "eve", 2222))
    host = reach.host(two.way, Path("/k h"))
    assert host.name == "eve@pc2:2222"
    assert host.ssh is not None
    assert host.uri == f"qemu+ssh://pc2/system?command={host.ssh[0]}&no_tty=1"
    program = Path(host.ssh[0])
    script = program.read_text()
    assert program.stat().st_mode & 0o777 == 0o700
    assert "-l eve -p 2222" in script
    assert "StrictHostKeyChecking=accept-new" in script
    assert host.argv(["true"])[1:] == ["pc2", "LC_ALL=C true"]
    assert not hosts.is_emulated(host)


def test_ansibles_variables_are_followed_and_what_cannot_be_is_refused() -> None:
    said = {
        "ansible_host": "2001:db8::7",
        "ansible_ssh_private_key_file": "~/k",
        "ansible_ssh_common_args": "-J 'jump host'",
    }
    way = reach.way("x", said)
    assert (way.address, way.options) == ("2001:db8::7", ("-J", "jump host"))
    assert Path(way.key) == Path.home() / "k"
    assert "//[2001:db8::7]/system" in reach.host(way, Path("/k")).uri
    assert reach.way("x", {"ansible_connection": "local"}).is_near
    for bad in (
        {"ansible_host": "-oProxyCommand=x"},
        {"ansible_host": "{{ a }}"},
        {"ansible_user": "-l"},
        {"ansible_port": "0"},
        {"ansible_connection": "docker"},
    ):
        with pytest.raises(UsageError, match="no way for SSH"):
            reach.way("x", bad)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("ansible_ssh_common_args", "-o 'ProxyCommand=x", "ansible_ssh_common_args of x cannot be read"),
        ("ansible_ssh_args", "-F {{ folder }}/config", "ansible_ssh_args of x is a template"),
        ("ansible_ssh_private_key_file", "{{ keys }}/k", "ansible_ssh_private_key_file of x is a template"),
    ],
)
def test_what_ssh_could_not_make_sense_of_is_refused(variable: str, value: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        reach.way("x", {variable: value})


def test_arguments_of_ssh_are_followed_under_each_of_their_names() -> None:
    said = {"ansible_ssh_args": "-F 'my config'", "ansible_ssh_extra_args": "-v"}
    assert reach.way("x", said).options == ("-F", "my config", "-v")


@pytest.mark.parametrize("way", [Way("pc2", "eve", 2222), Way("2001:db8::7", "eve", 2222), Way("::1", "eve")])
def test_a_host_is_called_as_other_commands_take_it(way: Way) -> None:
    found = hosts.find(way.name)
    assert found.ssh is not None
    port = [f"-p{way.port}"] if way.port != 22 else []
    assert found.ssh[-1 - len(port) :] == (*port, f"eve@{way.address}")
    assert (hosts.ansible_connection(way.name) or {}).get("ansible_port", 22) == way.port
    written = f"[{way.address}]" if ":" in way.address else way.address
    assert found.uri.startswith(f"qemu+ssh://eve@{written}{':2222' if port else ''}/system")


def test_a_host_that_tdlab_made_is_known_by_its_name() -> None:
    registry.write(Record(HostPlan("lab", "r1", "10.225.3"), "/usr/bin/qemu", "why", "key"))
    assert reach.way("lab", {}) == Way(alias="lab")
    assert reach.host(Way(alias="lab"), Path("/k")) == hosts.find("lab")
    assert reach.way("lab", {"ansible_host": "10.0.0.9"}).address == "10.0.0.9"


def test_a_group_that_is_not_there_is_said_as_it_was_asked(room: Path) -> None:
    refused = typed("--hosts", "b14", "-i", room).exception
    assert isinstance(refused, UsageError)
    assert (refused.problem, refused.remedy) == (
        f"--hosts: {room} has no machine, room or student 'b14'",
        "did you mean b13?",
    )


def test_one_machine_under_two_names_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rooms.ini"
    hosts = ("a ansible_connection=local ansible_host=h1", "b ansible_connection=local ansible_host=h2")
    file.write_text("\n".join(["[g]", *hosts, ""]))
    with pytest.raises(UsageError, match="b and a are one machine"):
        plans.make(inventory.read(file), MATRIX, group="g", known_hosts=Path("/k"))


def test_folders_of_runs_stay_apart_and_inside() -> None:
    assert plans._folders(["../x", "..", "pc", "PC", "a/b"]) == ["_x", "host", "pc", "PC-4", "a_b"]
    for names in (["a_b-3", "a_b", "a b"], ["plan.json", "hosts.json", "hosts.html"], ["x" * 80, "x" * 90]):
        made = [one.casefold() for one in plans._folders(names)]
        assert len({*made, plans.FILE, document.FILE, document.PAGE}) == len(made) + 3


def test_a_plan_is_read_back_and_goes_on_only_as_it_was_asked(room: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    wanted = made(room)
    assert not plans.is_there(out)
    assert runs_of.settled(out, wanted, resume=False) == wanted
    assert plans.is_there(out)
    assert runs_of.settled(out, None, resume=True) == wanted == plans.read(out)
    with pytest.raises(UsageError, match="holds runs already"):
        runs_of.settled(out, wanted, resume=False)
    with pytest.raises(UsageError, match="asked for something else"):
        runs_of.settled(out, made(room, "b13"), resume=True)
    (out / plans.FILE).write_text('{"schema_": "tdlab.hosts-plan/1"}')
    with pytest.raises(UsageError, match=r"not a tdlab\.hosts-plan/1 file"):
        plans.read(out)


def typed(*words: str | Path) -> Result:
    return CliRunner().invoke(bench.command, [str(word) for word in words])


def test_all_hosts_of_an_inventory_are_called_all_as_ansible_does(room: Path) -> None:
    assert [one.name for one in made(room, "all").hosts] == ["pc1", "pc2", "pc3"]
    assert [one.name for one in made(room, "all,!pc2").hosts] == ["pc1", "pc3"]
    with pytest.raises(UsageError, match="has no machine"):
        made(room, "al*")


def test_an_inventory_that_is_encrypted_is_opened(tmp_path: Path) -> None:
    (password := tmp_path / "password").write_text("open\n")
    secret = get_file_vault_secret(filename=str(password), loader=DataLoader())
    secret.load()
    text = VaultLib([("default", secret)]).encrypt("all: {hosts: {pc1: {ansible_user: eve}}}").decode()
    (file := tmp_path / "room.yml").write_text(text)
    refused = typed("--hosts", "all", "-i", file, "--dry-run").exception
    assert isinstance(refused, UsageError)
    assert refused.remedy is not None
    option = refused.remedy.split()[1]
    done = typed("--hosts", "all", "-i", file, option, password, "--cell", "e1000", "--dry-run")
    assert done.stdout == "pc1 (eve@pc1): e1000\n"


def test_what_would_be_measured_is_said_before(room: Path) -> None:
    said = typed(
        paths.LABS / "r202/matrix.yaml", "--hosts", "b12", "-i", room, "--cell", "e1000", "--dry-run"
    )
    assert said.stdout.splitlines() == ["pc1 (root@pc1): e1000", "pc2 (eve@pc2:2222): e1000"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--hosts", "b12"), "go together"),
        (("-i", "ROOM"), "go together"),
        (("--hosts", "b12", "-i", "ROOM", "--host", "root@x"), "no --host"),
        (("--hosts", "b12", "-i", "ROOM", "--against", "pc9"), "no such host"),
        (("--resume", "RUNS", "--repeats", "9"), "as they were asked for"),
    ],
)
def test_what_does_not_go_together_is_refused(
    words: tuple[str, ...], says: str, room: Path, tmp_path: Path
) -> None:
    plans.write(tmp_path / "runs", made(room))
    known = {"ROOM": room, "RUNS": tmp_path / "runs"}
    refused = typed(*(known.get(word, word) for word in words))
    assert refused.exit_code == 2
    assert says in refused.output
