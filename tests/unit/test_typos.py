"""A letter wrong in a key or a known word of a shipped lab is refused where it stands, with the right one."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from domains import document
from domains.document import Document
from domains.errors import InputError, Position
from domains.paths import LABS
from domains.quantities import NicModel
from grader.experiments import description
from grader.lab import lab as labs
from grader.lab import vocabulary
from grader.lab.questions import KINDS, Unit
from grader.measure import matrix
from grader.measure.run import METRICS
from grader.submission import samples

MAX_BYTES = 2**20
KEY = str(document.key_of(("",))[-1])
# Below these keys stand names of the author's own: nobody can know what was meant.
OWN_NAMES = {"options", "feedback", "words", "variants", "measures", "tables", "columns", "notes", "pairs"}
OWN_NAMES |= {"labels", "where"}
# What they become is a name for something else, and is told as that.
OTHER_NAMES = {"e100"}
KNOWN_WORDS: dict[str, frozenset[str]] = {
    "kind": frozenset(KINDS),
    "metric": frozenset(METRICS),
    "nic": frozenset(get_args(NicModel)),
    "model": frozenset(get_args(NicModel)),
    "unit": frozenset(get_args(Unit)),
    "needs": frozenset(get_args(description.Need)),
    "chapter": frozenset(get_args(description.Chapter)),
}
# Below these keys stand words of the author's own.
OWN_WORDS = {"id", "words", "pairs", "variants", "options", "wordings", "x", "y", "table"}
Read = Callable[[Path], object]


def experiment(file: Path) -> object:
    return description.load(file, "r202")


def whole_lab(file: Path) -> object:
    return labs.load(next(folder for folder in file.parents if (folder / "lab.yaml").is_file()))


def wrong(file: Path) -> object:
    return samples.samples(labs.load(file.parents[1]))


FILES: dict[str, Read] = {
    "lab.yaml": whole_lab,
    "parts/*.yaml": whole_lab,
    "words.yaml": vocabulary.load,
    "wrong-*/wrong.yaml": wrong,
    "matrix.yaml": matrix.load,
    "experiments/*/experiment.yaml": experiment,
}


@dataclass(frozen=True)
class Slip:
    """A word of a file, where it stands, and what it is read with."""

    file: Path
    word: str
    where: Position
    beside: frozenset[str]


@pytest.fixture(scope="module", autouse=True)
def each_content_is_parsed_once() -> Iterator[None]:
    """Keep what the files around a slip hold: they are the same for each of some hundred slips."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "parse", functools.lru_cache(maxsize=64)(document.parse))
        yield


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of every lab that ships, without its evidence."""
    place = tmp_path_factory.mktemp("labs")
    for lab in sorted(file.parent for file in LABS.glob("*/lab.yaml")):
        shutil.copytree(lab, place / lab.name, ignore=shutil.ignore_patterns("evidence", "__pycache__"))
    return place


def typos(word: str) -> Iterator[str]:
    """Yield two of: a letter left out, one twice, two exchanged, another one; which, the word says."""
    every = (
        word[:-1],
        f"{word}{word[-1]}",
        f"{word[0]}{word[2:3]}{word[1:2]}{word[3:]}",
        f"{word[:1]}q{word[2:]}",
    )
    first = sum(word.encode()) % 4
    yield from (every[first], every[(first + 1) % 4])


def kind_at(data: Any, path: tuple[str | int, ...]) -> str:
    """Return the kind of the question that a path leads into: each kind has keys of its own."""
    for step in path:
        if isinstance(data, dict) and "kind" in data:
            return str(data["kind"])
        data = data[step]
    return str(data.get("kind", "")) if isinstance(data, dict) else ""


def value_at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def keys(doc: Document) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for path in doc.positions:
        if path and isinstance(path[-1], str) and path[-1].endswith(KEY):
            yield path[:-1], path[-1].removesuffix(KEY)


def slips(files: list[Path]) -> Iterator[Slip]:
    """Yield each key once for each place of the models where it can stand."""
    seen: set[tuple[object, ...]] = set()
    for file in files:
        doc = document.read(file, max_bytes=MAX_BYTES)
        for above, key in keys(doc):
            if above and (above[-1] in OWN_NAMES or above[-2:] == ("measured", "of")):
                continue
            place = (kind_at(doc.data, above), *("*" if isinstance(one, int) else one for one in above), key)
            if place not in seen:
                seen.add(place)
                beside = frozenset(value_at(doc.data, above))
                yield Slip(file, key, doc.position(document.key_of((*above, key))), beside)


def known_words(files: list[Path]) -> Iterator[Slip]:
    """Yield each word of a list of ours once for each key that it is the value of, or in the list of."""
    seen: set[tuple[str, str]] = set()
    for file in files:
        doc = document.read(file, max_bytes=MAX_BYTES)
        for path, where in doc.positions.items():
            name = next((one for one in reversed(path) if isinstance(one, str)), "")
            if not path or name.endswith(KEY) or OWN_WORDS & set(path):
                continue
            value = value_at(doc.data, path)
            # The unit of an experiment is free text.
            is_free = name == "unit" and file.name == description.FILE
            known = KNOWN_WORDS.get(name, frozenset())
            if isinstance(value, str) and value in known and (name, value) not in seen and not is_free:
                seen.add((name, value))
                yield Slip(file, value, where, known)


def refusal(slip: Slip, typo: str, read: Read) -> InputError | None:
    """Return what is said when a word is mistyped where it stands; the file is put back."""
    whole = slip.file.read_text(encoding="utf-8")
    lines = whole.splitlines(keepends=True)
    line, at = lines[slip.where.line - 1], slip.where.column - 1
    at += line[at] in "'\""
    assert line[at:].startswith(slip.word)
    lines[slip.where.line - 1] = line[:at] + typo + line[at + len(slip.word) :]
    slip.file.write_text("".join(lines), encoding="utf-8")
    try:
        read(slip.file)
    except InputError as refused:
        return refused
    finally:
        slip.file.write_text(whole, encoding="utf-8")
    return None


def badly_told(slip: Slip, read: Read) -> list[str]:
    """Return what is wrong with the messages for all typos of a word."""
    found = []
    for typo in sorted({*typos(slip.word)} - {slip.word, "", *slip.beside, *OTHER_NAMES}):
        said = refusal(slip, typo, read)
        told = f"{slip.file.name}: {slip.word} as {typo}: {said or 'accepted'}"
        if said is None or said.where != slip.where or f"'{slip.word}'" not in (said.remedy or ""):
            found.append(told)
    return found


@pytest.mark.parametrize("pattern", FILES)
def test_a_key_with_a_letter_wrong_is_refused_where_it_stands_with_the_right_one(
    copies: Path, pattern: str
) -> None:
    files = sorted(copies.glob(f"*/{pattern}"))
    found = list(slips(files))
    assert len(found) >= 2
    assert not [told for slip in found for told in badly_told(slip, FILES[pattern])]


@pytest.mark.parametrize("pattern", ["parts/*.yaml", "matrix.yaml", "experiments/*/experiment.yaml"])
def test_a_known_word_with_a_letter_wrong_is_refused_where_it_stands_with_the_right_one(
    copies: Path, pattern: str
) -> None:
    found = list(known_words(sorted(copies.glob(f"*/{pattern}"))))
    assert len(found) >= 2
    assert not [told for slip in found for told in badly_told(slip, FILES[pattern])]
