from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domains.paths import LABS
from grader.grading.grading import grade
from grader.lab import lab as labs
from grader.results.result import Outcome
from grader.submission import submission
from grader.submission.archives import ArchiveRefused, read_archive, read_packed
from grader.submission.samples import samples
from grader.submission.translation import translate

CAPS = {"answers.yaml": 100, "evidence/report.json": 100}
R202 = LABS / "r202"


def zipped(tmp_path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    place = tmp_path / "zoe.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, raw in members:
            archive.writestr(member, raw)
    return place


def tarred(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    place = tmp_path / "zoe.tar.gz"
    with tarfile.open(place, "w:gz") as archive:
        for member, raw in members:
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
    return place


def tar_member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def zip_member(name: str, kind: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o644) << 16
    return member


@pytest.mark.parametrize("around", ["", "zoe/", "./"])
def test_the_wanted_files_are_read_also_from_a_folder_around_them(tmp_path: Path, around: str) -> None:
    names = {"answers.yaml": b"a", "evidence/report.json": b"b", "notes.txt": b"c"}
    as_zip = zipped(tmp_path, *((around + name, raw) for name, raw in names.items()))
    as_tar = tarred(tmp_path, *((tar_member(around + name), raw) for name, raw in names.items()))
    wanted = {"answers.yaml": b"a", "evidence/report.json": b"b"}
    assert read_archive(as_zip, CAPS) == wanted
    assert read_archive(as_tar, CAPS) == wanted


def test_what_a_mac_adds_does_not_matter(tmp_path: Path) -> None:
    place = zipped(tmp_path, ("td/answers.yaml", b"a"), ("__MACOSX/td/._answers.yaml", b"x"))
    assert read_archive(place, CAPS) == {"answers.yaml": b"a"}


def test_a_file_beyond_its_cap_is_read_one_byte_further(tmp_path: Path) -> None:
    assert len(read_archive(zipped(tmp_path, ("answers.yaml", b"x" * 500)), CAPS)["answers.yaml"]) == 101


BAD_NAMES = [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a\\..\\..\\b",
    "\\etc\\passwd",
    "C:x",
    "a//b",
    "a\nb",
    "x\u202ey",
    "d/" * 20 + "x",
    "n" * 300,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    for place in (zipped(tmp_path, (name, b"")), tarred(tmp_path, (tar_member(name), b""))):
        with pytest.raises(ArchiveRefused) as caught:
            read_archive(place, CAPS)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "kind",
    [
        tarfile.SYMTYPE,
        tarfile.LNKTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.FIFOTYPE,
        tarfile.GNUTYPE_SPARSE,
    ],
)
def test_what_is_no_regular_file_is_refused_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ArchiveRefused):
        read_archive(tarred(tmp_path, (tar_member("answers.yaml", kind, "/etc/passwd"), b"")), CAPS)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_what_is_no_regular_file_is_refused_in_a_zip(tmp_path: Path, kind: int) -> None:
    with pytest.raises(ArchiveRefused, match="is a link or a device"):
        read_archive(zipped(tmp_path, (zip_member("answers.yaml", kind), b"/etc/passwd")), CAPS)


@pytest.mark.parametrize("twin", ["answers.yaml", "Answers.YAML", "ａnswers.yaml"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_or_in_another_case_is_refused(tmp_path: Path, twin: str) -> None:
    for place in (
        zipped(tmp_path, ("answers.yaml", b"a"), (twin, b"b")),
        tarred(tmp_path, (tar_member("answers.yaml"), b"a"), (tar_member(twin), b"b")),
    ):
        with pytest.raises(ArchiveRefused, match="is there twice"):
            read_archive(place, CAPS)


def test_bombs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefused, match="far too much"):
        read_archive(zipped(tmp_path, ("zeros", b"\0" * 50_000_000)), CAPS)
    place = tmp_path / "bomb.tar.gz"
    with gzip.open(place, "wb", compresslevel=1) as stream:
        member = tar_member("zeros")
        member.size = 2**40
        stream.write(member.tobuf())
        for _ in range(150):
            stream.write(b"\0" * 2**20)
    with pytest.raises(ArchiveRefused, match="far too much"):
        read_archive(place, CAPS)


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(2001)]
    with pytest.raises(ArchiveRefused, match="more than 2,000 members"):
        read_archive(zipped(tmp_path, *((name, b"") for name in names)), CAPS)
    with pytest.raises(ArchiveRefused, match="more than 2,000 members"):
        read_archive(tarred(tmp_path, *((tar_member(name), b"") for name in names)), CAPS)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_record_that_would_keep_python_busy_for_hours_is_not_read(tmp_path: Path, kind: bytes) -> None:
    digits = b"1" * 4 * 2**20
    place = tarred(tmp_path, (tar_member("x", kind), digits), (tar_member("answers.yaml"), b""))
    with pytest.raises(ArchiveRefused, match="described in more than"):
        read_archive(place, CAPS)


def test_many_records_are_no_way_round_the_cap(tmp_path: Path) -> None:
    records = [(tar_member(f"{number}", tarfile.XGLTYPE), b"9 a=bcde\n" * 400) for number in range(300)]
    with pytest.raises(ArchiveRefused, match="described in more than"):
        read_archive(tarred(tmp_path, *records), CAPS)


def test_names_in_pax_records_are_read(tmp_path: Path) -> None:
    place = tmp_path / "zoe.tar"
    with tarfile.open(place, "w", format=tarfile.PAX_FORMAT) as archive:
        member = tar_member("é" * 120)
        archive.addfile(member)
        archive.addfile(tar_member("answers.yaml"))
    assert read_archive(place, CAPS) == {"answers.yaml": b""}


def test_folders_count_as_members(tmp_path: Path) -> None:
    folder = tar_member("d/", tarfile.DIRTYPE).tobuf(tarfile.USTAR_FORMAT)
    as_tar = tmp_path / "zoe.tar"
    as_tar.write_bytes(folder * 2001)
    as_zip = zipped(tmp_path, *((f"{number}/", b"") for number in range(2001)))
    for place in (as_tar, as_zip):
        with pytest.raises(ArchiveRefused, match="more than 2,000 members"):
            read_archive(place, CAPS)


def test_a_directory_of_a_hundred_thousand_members_is_not_even_read(tmp_path: Path) -> None:
    place = tmp_path / "many.zip"
    size = 100_000 * 50
    place.write_bytes(
        b"PK\x01\x02" + b"\0" * size + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, size, 0, 0)
    )
    with pytest.raises(ArchiveRefused, match="more than 2,000 members"):
        read_archive(place, CAPS)


def test_a_large_archive_is_not_read(tmp_path: Path) -> None:
    place = tmp_path / "large.zip"
    with place.open("wb") as stream:
        stream.truncate(2**35)
    with pytest.raises(ArchiveRefused, match="larger than"):
        read_archive(place, CAPS)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    place = zipped(tmp_path, ("answers.yaml", b"a"))
    raw = bytearray(place.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    place.write_bytes(raw)
    with pytest.raises(ArchiveRefused, match="encrypted"):
        read_archive(place, CAPS)


def _damaged(make: Callable[[Path], Path], folder: Path, at: float, byte: int, cut: float) -> Path:
    place = make(folder)
    raw = bytearray(place.read_bytes())
    raw[int(at * (len(raw) - 1))] = byte
    place.write_bytes(raw[: max(1, int(cut * len(raw)))])
    return place


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(st.floats(0, 1), st.integers(0, 255), st.floats(0.3, 1), st.booleans())
def test_a_damaged_archive_is_read_or_refused(
    tmp_path: Path, at: float, byte: int, cut: float, as_zip: bool
) -> None:
    files = [("answers.yaml", b"answers: {}"), ("evidence/report.json", b"{}" * 50)]
    made = _damaged(
        lambda folder: (
            zipped(folder, *files)
            if as_zip
            else tarred(folder, *((tar_member(name), raw) for name, raw in files))
        ),
        tmp_path,
        at,
        byte,
        cut,
    )
    try:
        found = read_archive(made, CAPS)
    except ArchiveRefused as refused:
        found = {}
        assert str(refused)  # noqa: PT017 - either end is right; a refusal says why
    assert set(found) <= set(CAPS)


def test_an_archive_is_graded_like_the_folder_it_was_made_of(tmp_path: Path) -> None:
    lab = labs.load(R202)
    folder = translate(lab, samples(lab)[0], "Zoé", tmp_path / "folder")
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    place = zipped(tmp_path, *((str(file.relative_to(folder)), file.read_bytes()) for file in files))
    as_zip, as_folder = grade(R202, [place, folder]).submissions
    assert as_zip.student == "zoe"
    assert as_zip.questions == as_folder.questions


# ---------------------------------------------------------------- what honest programs and people make


@pytest.mark.parametrize("around", ["home/zoe/td/", "a/b/c/d/", "td\\", ".\\td\\"])
def test_the_answers_are_found_however_deep_and_with_whatever_slashes(tmp_path: Path, around: str) -> None:
    names = {"answers.yaml": b"a", "evidence/report.json": b"b"}
    slash = "\\" if "\\" in around else "/"
    members = [(around + name.replace("/", slash), raw) for name, raw in names.items()]
    assert read_archive(zipped(tmp_path, *members), CAPS) == names


def test_what_stands_beside_the_folder_or_deeper_in_it_does_not_matter(tmp_path: Path) -> None:
    place = zipped(
        tmp_path,
        ("LISEZMOI.txt", b"x"),
        ("td/answers.yaml", b"a"),
        ("td/evidence/report.json", b"b"),
        ("td/backup/answers.yaml", b"old"),
        ("other/evidence/report.json", b"of something else"),
    )
    assert read_archive(place, CAPS) == {"answers.yaml": b"a", "evidence/report.json": b"b"}


def test_of_two_folders_with_answers_nobody_chooses_in_silence(tmp_path: Path) -> None:
    place = zipped(tmp_path, ("new/answers.yaml", b"a"), ("old/answers.yaml", b"b"))
    with pytest.raises(ArchiveRefused, match=r"new/answers\.yaml and old/answers\.yaml: which one is meant"):
        read_archive(place, CAPS)


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 2026-11-20 at 10.00.00\u202fAM.png",
        "notes\u00a0de td.txt",
        "run 10:30:00.log",
        "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}.txt",
        "r\udce9ponses.txt",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627.txt",
    ],
)
def test_a_file_that_nobody_asked_for_may_have_an_unusual_name(tmp_path: Path, name: str) -> None:
    places = [tarred(tmp_path, (tar_member("answers.yaml"), b"a"), (tar_member(name), b"x"))]
    if "\udce9" not in name:
        places.append(zipped(tmp_path, ("answers.yaml", b"a"), (name, b"x")))
    for place in places:
        assert read_archive(place, CAPS) == {"answers.yaml": b"a"}


def test_what_file_managers_leave_is_no_part_of_what_was_handed_in(tmp_path: Path) -> None:
    place = zipped(
        tmp_path,
        ("answers.yaml", b"a"),
        (".DS_Store", b"x"),
        ("evidence/Thumbs.db", b"x"),
        ("__MACOSX/._answers.yaml", b"x"),
    )
    assert read_packed(place.read_bytes(), None) == {"answers.yaml": b"a"}


@pytest.mark.parametrize("begin", [b"Rar!\x1a\x07\x00", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"BZh91AY"])
def test_another_kind_of_archive_is_named_whatever_it_is_called(begin: bytes) -> None:
    with pytest.raises(ArchiveRefused, match=r"it is packed by \w+, and only ZIP and tar"):
        read_packed(begin + b"x" * 1000, CAPS)


def test_a_tar_of_the_old_form_is_read_under_the_name_that_it_was_kept_by(tmp_path: Path) -> None:
    raw = bytearray(tarred(tmp_path, (tar_member("answers.yaml"), b"a")).read_bytes())
    raw = bytearray(gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw)
    raw[257:512] = bytes(255)
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:512])
    kept = tmp_path / "kept.zip"
    kept.write_bytes(raw)
    assert read_archive(kept, CAPS, shown="work.tar") == {"answers.yaml": b"a"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("answers.yml", "answers.yaml is missing; answers.yml is there: name it answers.yaml"),
        (
            "td/Answers.yaml.txt",
            "answers.yaml is missing; td/Answers.yaml.txt is there: name it answers.yaml",
        ),
        ("r202-zoe-1.zip", "answers.yaml is missing; the archive r202-zoe-1.zip is there: hand that one in"),
        ("notes.txt", "answers.yaml is missing"),
    ],
)
def test_who_misnamed_the_answers_is_told_what_is_there(tmp_path: Path, name: str, said: str) -> None:
    given = submission.load(labs.load(R202), zipped(tmp_path, (name, b"x")), "zoe")
    assert given.answers.problem == said


def test_a_refused_archive_is_the_students_and_says_why(tmp_path: Path) -> None:
    place = zipped(tmp_path, ("answers.yaml", b""), ("../../evil", b""))
    (zoe,) = grade(R202, [place], lang="en").submissions
    assert {one.outcome for one in zoe.questions} == {Outcome.FAIL}
    assert "zoe.zip: ../../evil: a path that leads elsewhere" in zoe.questions[0].hint
    assert sorted(tmp_path.rglob("*")) == [place]


def test_students_of_archives_are_named_without_the_suffix(tmp_path: Path) -> None:
    for name in ("ann.zip", "bob.tar.gz", "cid.tgz"):
        (tmp_path / name).write_bytes(b"")
    named = [name for name, _ in submission.students(sorted(tmp_path.iterdir()))]
    assert named == ["ann", "bob", "cid"]
    empty = submission.load(labs.load(R202), tmp_path / "ann.zip", "ann")
    assert empty.answers.problem == "ann.zip: damaged: no directory at its end"
