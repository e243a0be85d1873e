"""What was handed in, kept under the SHA-256 of its bytes, so that it can be graded again from here alone."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

from grader.classroom.source.tree import Tree
from grader.classroom.source.units import Handed, Piece
from grader.language.inert import one_line
from grader.submission.archives import MAX_ARCHIVE
from grader.submission.sources import LEFT_OUT_FILE, SUFFIXES

FOLDER = "kept"
_MAX_FILES, _MAX_BYTES = 1500, MAX_ARCHIVE * 3 // 4
_EPOCH = (1980, 1, 1, 0, 0, 0)


def gathered(tree: Tree, handed: Handed) -> tuple[bytes, str | None]:
    """Return the bytes of what was handed in as an archive, and why nothing can be read from it, or None.

    Raises OSError when the disk failed, which is ours.
    """
    if not handed.is_archive:
        problem = None if handed.pieces else f"{handed.place}: nothing was handed in"
        return _packed(tree, handed), problem
    (piece,) = handed.pieces
    raw, why = tree.read(piece.entry)
    if raw is not None and not piece.inside.lower().endswith(SUFFIXES):
        kinds = ", ".join(SUFFIXES)
        raw, why = None, f"{one_line(piece.inside, limit=200)}: of archives only {kinds} are read"
    if raw is None:
        return _zipped({}, {"answers.yaml": why}), why
    return raw, None


def keep(folder: Path, raw: bytes) -> tuple[str, str]:
    """Keep bytes below a markbook's folder; return their SHA-256 and where they are."""
    digest = hashlib.sha256(raw).hexdigest()
    inside = f"{FOLDER}/{digest}.zip"
    place = folder / inside
    if not place.exists() or place.stat().st_size != len(raw):
        beside = place.with_suffix(".new")
        beside.write_bytes(raw)
        beside.replace(place)
    return digest, inside


def _packed(tree: Tree, handed: Handed) -> bytes:
    """Return loose files as one archive, with a list of those that were left out, and why."""
    files: dict[str, bytes] = {}
    left_out: dict[str, str] = {}
    total = 0
    # The small ones first: a film beside the answers must not take their place.
    for piece in sorted(handed.pieces, key=lambda one: (one.entry.size, one.inside)):
        name = piece.inside.removeprefix(handed.root)
        raw, why = tree.read(piece.entry)
        if raw is not None and (total + len(raw) > _MAX_BYTES or len(files) >= _MAX_FILES):
            raw, why = None, f"{name}: more than a submission needs stands beside it"
        if raw is None or not _is_plain(piece, name):
            left_out[one_line(name, limit=200)] = why or f"{name}: not a name for a file"
        else:
            files[name] = raw
            total += len(raw)
    return _zipped(files, left_out)


def _is_plain(piece: Piece, name: str) -> bool:
    return name.isprintable() and "\\" not in name and not piece.entry.refused


def _zipped(files: Mapping[str, bytes], left_out: Mapping[str, str]) -> bytes:
    content = dict(files)
    if left_out:
        listed = {name: one_line(why, limit=400) for name, why in sorted(left_out.items())}
        content[LEFT_OUT_FILE] = json.dumps(listed, ensure_ascii=False).encode("utf-8", "replace")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name, raw in sorted(content.items()):
            # Not packed: other versions of zlib would make other bytes, and so another name.
            member = zipfile.ZipInfo(name, _EPOCH)
            member.external_attr = (stat.S_IFREG | 0o644) << 16
            archive.writestr(member, raw)
    return made.getvalue()
