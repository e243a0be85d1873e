"""Who sits where: inventories as teachers have them, wrong ones and hostile ones, and the secrets in them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from domains import process
from domains.errors import InputError, UsageError
from grader.fleet import inventory, secrets


def written(tmp_path: Path, text: str | bytes, name: str = "room.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def machines(tmp_path: Path, text: str | bytes, name: str = "room.csv") -> list[tuple[str, tuple[str, ...]]]:
    return [(one.name, one.students) for one in inventory.read(written(tmp_path, text, name)).machines]


def refused(tmp_path: Path, text: str, name: str = "room.csv") -> str:
    with pytest.raises(InputError) as bad:
        inventory.read(written(tmp_path, text, name))
    return str(bad.value).removeprefix(f"{tmp_path}/")


def test_a_csv_names_students_and_machines_two_to_one_as_well(tmp_path: Path) -> None:
    text = (
        "student;host;user;port;room\nÉlodie Martin;pc1;root;2222;b12\nBo;pc1;root;2222;b12\nCy;10.0.0.2;;;\n"
    )
    one, other = inventory.read(written(tmp_path, text)).machines
    assert (one.students, one.rooms) == (("Élodie Martin", "Bo"), ("b12",))
    assert one.variables == {
        "ansible_host": "pc1",
        "ansible_user": "root",
        "ansible_become": False,
        "ansible_port": 2222,
    }
    assert (other.name, other.variables) == ("10.0.0.2", {"ansible_host": "10.0.0.2"})


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("student,hots\n", "1:9", "there is no column 'hots'"),
        ("student,user\n", "1:1", "names no column host"),
        ("student,host,port\nBo,pc1,22\nCy,pc2,99999\n", "3:8", "'99999' is no port"),
        ("student,host\nBo,-oProxyCommand=x\n", "2:4", "no name or address"),
        ("student,host\n,pc1\n", "2:1", "no name of a student"),
        ("student,host\nBo,pc1\nBo,pc1\n", "3:1", "sits at pc1 twice"),
        ("student,host,user\nBo,pc1,a\nCy,pc1,b\n", "3:8", "reached in two ways"),
        ("student,host\nBo,pc1,x\n", "2:8", "3 cells, and 2 columns"),
        ("student,host\nBo,pc1\nBo,pc2\n", "3:4", "Bo sits at pc1 and at pc2"),
        ("student,host\n", "1:1", "names no machine"),
        ("", "1:1", "it is empty"),
        ("\n \n", "1:1", "it is empty"),
        ('\nstudent,host\nBo,pc1\nCy,"pc2\nDi,pc3\n', "4:1", "quotation mark is opened and not closed"),
        ("student,host\nBo,10.0.0.\n", "2:4", "no name or address"),
        ("student,host\nBo,999.1.1.1\n", "2:4", "no name or address"),
        ("student,host\nBo\u202eoB,pc1\n", "2:1", "no name of a student"),
        ("student,host\nZo\u00eb,pc1\nZoe\u0308,pc2\n", "3:6", "Zo\u00eb sits at pc1 and at pc2"),
        ("student,host,account\nBo,pc1,a\nCy,PC1,b\n", "3:8", "two accounts"),
        ("PK\x03\x04", "1:1", "a spreadsheet's own format"),
    ],
)
def test_what_is_wrong_in_a_csv_is_said_with_its_place(
    tmp_path: Path, text: str, where: str, says: str
) -> None:
    said = refused(tmp_path, text)
    assert said.startswith(f"room.csv:{where}: ")
    assert says in said


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfstudent;host\r\n\xc3\x89lodie;pc1\r\nBo;pc2\r\n",
        "student\thost\nÉlodie\tpc1\nBo\tpc2",
        "sep=;\nstudent;host\nÉlodie;pc1\nBo;pc2\n",
        "student,host,\nÉlodie,pc1,\n,,\nBo,pc2,\n",
        "host,student\rpc1,E\u0301lodie\rpc2,\u00a0Bo \r",
    ],
)
def test_a_csv_is_read_as_spreadsheets_write_it(tmp_path: Path, text: str | bytes) -> None:
    assert machines(tmp_path, text) == [("pc1", ("Élodie",)), ("pc2", ("Bo",))]
    assert machines(tmp_path, text, "room.txt") == [("pc1", ("Élodie",)), ("pc2", ("Bo",))]


def test_a_csv_takes_ipv6_addresses_and_two_ways_to_write_a_name(tmp_path: Path) -> None:
    text = "student,host,port\nBo,[2001:db8::5],2222\nCy,fe80::1%eth0,\nDi,pc1,\nEd,PC1,\n"
    assert machines(tmp_path, text) == [
        ("2001:db8::5", ("Bo",)), ("fe80::1%eth0", ("Cy",)), ("pc1", ("Di", "Ed")),
    ]  # fmt: skip


def test_two_hundred_lines_are_read_and_the_one_that_is_wrong_is_named(tmp_path: Path) -> None:
    lines = ["student,host,user", *(f"Student {n},10.9.0.{n},root" for n in range(1, 201))]
    assert len(machines(tmp_path, "\n".join(lines))) == 200
    lines[150] = "Student 1,10.9.1.1,root"
    assert refused(tmp_path, "\n".join(lines)).startswith("room.csv:151:11: Student 1 sits at")


HOSTILE = [
    ("room.yml", "all:\n  host: {pc1: {}}\n", "2:3", "'host' is no group and nothing of one"),
    ("room.yml", "- pc1\n", "1:1", "it is no inventory"),
    ("room.yml", "hello\n", "1:1", "it is no inventory"),
    ("lab.yaml", "schema: tdlab.lab/1\ntitle: {fr: x}\n", "1:1", "'schema' is no group"),
    ("room.yml", "all:\n  hosts:\n    pc1: {a: 1}\n    pc1: {}\n", "4:5", "there twice; first on line 3"),
    ("room.yml", "all: {hosts: {pc1: {ansible_port: 99999}}}\n", "1:35", "99999 is no port, at pc1"),
    ("room.yml", "all: {hosts: {pc1: {tdlab_student: '{{ x }}'}}}\n", "1:15", "no name of a student"),
    ("room.yml", "tdlab_room: {hosts: {pc1: {}}}\n", "1:1", "a group of tdlab's own"),
    ("room.ini", "pc1 tdlab_studant=Bo\n", "1:5", "there is no variable tdlab_studant"),
    ("room.ini", "[a]\npc1 tdlab_student=Bo\npc1 tdlab_student=Cy\n", "3:1", "on two lines; first on line 2"),
    ("room.ini", "pc10\npc1 ansible_host=10.0.0.1\npc2 ansible_host=10.0.0.1\n", "3:1", "are one machine"),
    ("room.ini", "[b12]\npc[1:1000000]\n", "2:3", "1,000,000 machines in one line"),
    ("room.ini", "[b12]\npc[1:5\n", "2:1", "a bracket is not closed"),
    ("room.ini", "-oProxyCommand=x\n", "1:1", "no name or address"),
    ("room.ini", "pc1 ansible_host=-oProxyCommand=x\n", "1:18", "no name or address"),
    ("room.ini", "pc1 ansible_user='root; reboot'\n", "1:19", "is no user, at pc1"),
    ("room.ini", "pc1 tdlab_account='a:b'\n", "1:20", "'a:b' is no account"),
    ("room.ini", "# nobody yet\n", "1:1", "it names no machine"),
    ("letter.txt", "Dear students,\nplease come at nine.\n", "1:6", "Ansible cannot read it"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "where", "says"), HOSTILE)
def test_what_ansible_would_pass_over_or_hand_on_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, where: str, says: str
) -> None:
    said = refused(tmp_path, text, name)
    assert said.startswith(f"{name}:{where}: "), said
    assert says in said.splitlines()[0]


def test_two_machines_behind_one_address_are_two_where_ports_or_ways_differ(tmp_path: Path) -> None:
    text = (
        "pc1 ansible_host=10.0.0.1 ansible_port=2201\npc2 ansible_host=10.0.0.1 ansible_port=2202\n"
        "pc3 ansible_host=10.0.0.1 ansible_port=2202 ansible_ssh_common_args='-J gate'\n"
    )
    assert len(machines(tmp_path, text, "room.ini")) == 3


def test_what_is_wrong_in_an_inventory_of_ansibles_is_said_with_its_place(tmp_path: Path) -> None:
    assert refused(tmp_path, "all:\n  hosts: {a: 1\n", "room.yml").startswith("room.yml:3:1: not valid YAML")
    assert refused(tmp_path, "[b12]\npc1\n[b12:bogus]\n", "room.ini").startswith("room.ini:3:")
    said = refused(tmp_path, "all: {hosts: {pc1: {tdlab_students: [3]}}}\n", "room.yml")
    assert said.startswith("room.yml:1:15: 3 is no name of a student, at pc1")


def test_an_inventory_of_ansibles_gives_rooms_accounts_and_students(tmp_path: Path) -> None:
    text = "[b12]\npc1 tdlab_student='Bo Li'\npc2\n[b12:vars]\ntdlab_account=eleve\n"
    one, other = inventory.read(written(tmp_path, text, "room.ini")).machines
    assert (one.students, one.rooms, one.account) == (("Bo Li",), ("b12",), "eleve")
    assert other.students == ()


def test_an_inventory_that_is_a_program_is_not_run(tmp_path: Path) -> None:
    program = written(tmp_path, f"#!/bin/sh\ntouch {tmp_path}/ran\necho '{{}}'\n", "room.sh")
    program.chmod(0o755)
    with pytest.raises(InputError):
        inventory.read(program)
    assert not (tmp_path / "ran").exists()


def test_a_limit_names_hosts_rooms_and_students(tmp_path: Path) -> None:
    text = "student,host,room\nAl,pc1,a\nBo,pc2,a\nCy,pc3,b\n"
    read = inventory.read(written(tmp_path, text))

    def names(limit: str) -> list[str]:
        return [one.name for one in read.limited(limit).machines]

    assert (names("a"), names("pc*,!Bo"), names("!b")) == (["pc1", "pc2"], ["pc1", "pc3"], ["pc1", "pc2"])
    with pytest.raises(UsageError, match="no machine, room or student 'pc9'"):
        read.limited("pc9")
    with pytest.raises(UsageError, match="leaves no machine"):
        read.limited("pc1,!a")
    for nothing in ("", " , "):
        with pytest.raises(UsageError, match="names nothing"):
            read.limited(nothing)


def test_a_limit_names_a_student_whose_name_has_a_space(tmp_path: Path) -> None:
    read = inventory.read(written(tmp_path, "student,host\nBo Li,pc1\nCy,pc2\nDi,pc3\n"))
    assert [one.name for one in read.limited("Bo Li,pc3").machines] == ["pc1", "pc3"]
    assert [one.name for one in read.limited("pc2 pc3").machines] == ["pc2", "pc3"]
    assert [one.name for one in read.limited("!Bo Li").machines] == ["pc2", "pc3"]


@pytest.mark.parametrize("whole", [False, True])
def test_an_encrypted_inventory_needs_its_password_and_what_was_encrypted_is_hidden(
    tmp_path: Path, whole: bool
) -> None:
    password = written(tmp_path, "open sesame\n", "password")
    program, utf8 = Path(sys.executable).parent / "ansible-vault", {"LC_ALL": "C.UTF-8"}
    ansible_vault = [program, "encrypt", "--vault-password-file", password]
    plain = "all: {hosts: {pc1: {tdlab_student: Bo, ansible_become_password: pa'ss wörd, wifi: s3same}}}\n"
    if whole:
        file = written(tmp_path, plain, "room.yml")
        process.run([*ansible_vault, file], timeout=60, env=utf8)
    else:
        secret = process.run([*ansible_vault, "--output", "-"], timeout=60, stdin="s3same", env=utf8).stdout
        tagged = "!vault |\n" + "".join(f"          {line}\n" for line in secret.splitlines())
        text = f"all:\n  hosts:\n    pc1:\n      tdlab_student: Bo\n      wifi: {tagged}"
        file = written(tmp_path, text, "room.yml")
    with pytest.raises(InputError, match=r"it is encrypted\n.*--vault-password-file"):
        inventory.read(file)
    with pytest.raises(UsageError, match=r"cannot be (decrypted|opened)"):
        inventory.read(file, written(tmp_path, "open barley\n", "other"))
    read = inventory.read(file, password)
    (one,) = read.machines
    assert (one.students, one.variables["wifi"]) == (("Bo",), "s3same")
    if not whole:
        assert read.hidden == ("s3same",)
        assert secrets.without("to s3same", secrets.of([], read.hidden)) == "to [hidden]"


def test_secrets_of_an_inventory_are_in_no_log() -> None:
    hidden = secrets.of(
        [{"ansible_become_password": "hunter22", "api": {"token": ["abcdef"]}, "ansible_user": "root"}]
    )
    assert secrets.without("hunter22 abcdef root", hidden) == "[hidden] [hidden] root"
    assert len(secrets.shown("x" * 10**6, hidden)) < 5000


def test_a_secret_is_hidden_however_a_program_writes_it() -> None:
    secret = "pa'ss \"wörd"
    hidden = secrets.of([{"ansible_password": secret}])
    event = {"event": "x", "event_data": {"res": {"msg": [json.dumps({"cmd": secret}), secret], "rc": 1}}}
    assert "rd" not in json.dumps(secrets.cleared(event, hidden)["event_data"]["res"]["msg"])
    assert secrets.cleared(event, hidden)["event_data"]["res"]["rc"] == 1
