"""Check SSH signatures (``ssh-keygen -Y sign``) without a process for each: Ed25519 in an SSHSIG envelope.

The envelope is OpenSSH's PROTOCOL.sshsig: a magic word, then strings with their lengths before them. The
result is a reason or none; it costs no point and accuses nobody.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from domains.errors import InputError
from grader.language.inert import one_line
from grader.submission import identity, manifest
from grader.submission.identity import WORKSPACE_FILE
from grader.submission.manifest import MANIFEST_FILE, SIGNATURE_FILE, Manifest

NAMESPACE = "tdlab-submission"
_MAGIC = b"SSHSIG"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_KIND = b"ssh-ed25519"
_HASHES = {b"sha256": hashlib.sha256, b"sha512": hashlib.sha512}


class _Torn(Exception):
    """An envelope is not what it should be; the message says why."""


@dataclass(frozen=True)
class Envelope:
    """What a signature file holds: the key (its wire form), what it is for, and the signature over it."""

    key: bytes
    namespace: bytes
    reserved: bytes
    hashed: bytes
    signature: bytes


def unverified(files: Mapping[str, bytes], lab: str) -> str:
    """Return why an archive's files are not verified by its manifest and signature, or nothing."""
    raw = files.get(MANIFEST_FILE)
    if raw is None:
        return "not signed"
    said = manifest.parse(raw)
    if not isinstance(said, Manifest):
        return one_line(said, limit=200)
    signed = files.get(SIGNATURE_FILE)
    if signed is None:
        return f"{SIGNATURE_FILE} is missing"
    return mismatch(raw, signed, said.key) or _other_files(files, said) or _other_names(files, said, lab)


def mismatch(message: bytes, armoured: bytes, key_line: str) -> str:
    """Return why a signature is not one of a message by a key (one line, as in ``.pub``), or nothing."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        envelope = opened(armoured)
        if envelope.key != _wire(key_line):
            return "the signature is by another key than the manifest names"
        if envelope.namespace != NAMESPACE.encode():
            return f"the signature was made for another purpose than {NAMESPACE}"
        digest = _HASHES[envelope.hashed](message).digest()
        parts = (envelope.namespace, envelope.reserved, envelope.hashed, digest)
        public = Ed25519PublicKey.from_public_bytes(_inside(envelope.key))
        public.verify(_inside(envelope.signature), _MAGIC + b"".join(map(_string, parts)))
    except InvalidSignature:
        return "the signature does not fit the manifest"
    except (_Torn, ValueError) as bad:
        return f"the signature cannot be read: {bad}"
    return ""


def fingerprint(key_line: str) -> str:
    """Return the fingerprint of a public key in one line, as ``ssh-keygen -l`` prints it."""
    digest = hashlib.sha256(_wire(key_line)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def opened(armoured: bytes) -> Envelope:
    """Read a signature file; raises ValueError or an error of this module when it is none."""
    try:
        text = " ".join(armoured.decode("ascii").split())
        if not (text.startswith(_BEGIN) and text.endswith(_END)):
            raise _Torn("no SSH signature")
        raw = base64.b64decode("".join(text[len(_BEGIN) : -len(_END)].split()), validate=True)
    except (UnicodeDecodeError, binascii.Error) as bad:
        raise _Torn("no SSH signature") from bad
    if raw[:6] != _MAGIC or raw[6:10] != b"\0\0\0\1":
        raise _Torn("of another version")
    key, namespace, reserved, hashed, signature = _strings(raw[10:], 5)
    if hashed not in _HASHES:
        raise _Torn("of an unknown hash")
    return Envelope(key, namespace, reserved, hashed, signature)


def _other_files(files: Mapping[str, bytes], said: Manifest) -> str:
    present = set(files) - {MANIFEST_FILE, SIGNATURE_FILE}
    for name in sorted(present | set(said.files)):
        shown = one_line(name, limit=80)
        if name not in present:
            return f"{shown} is in the manifest, and not in the archive"
        if name not in said.files:
            return f"{shown} is not in the manifest"
        if hashlib.sha256(files[name]).hexdigest() != said.files[name]:
            return f"{shown} was changed after it was signed"
    return ""


def _other_names(files: Mapping[str, bytes], said: Manifest, lab: str) -> str:
    if said.lab != lab:
        return f"signed as a submission to {one_line(said.lab, limit=64)}"
    raw = files.get(WORKSPACE_FILE)
    if raw is None:
        return f"{WORKSPACE_FILE} is missing"
    try:
        own = identity.parse(raw)
    except InputError as bad:
        return one_line(bad, limit=200)
    if own.student != said.student:
        names = (one_line(one, limit=120) for one in (own.student, said.student))
        return "{} is of {}, and the manifest of {}".format(WORKSPACE_FILE, *names)
    return ""


def _wire(key_line: str) -> bytes:
    words = key_line.split()
    if len(words) < 2 or words[0] != _KIND.decode():
        raise _Torn("the manifest names no Ed25519 key")
    try:
        return base64.b64decode(words[1], validate=True)
    except binascii.Error as bad:
        raise _Torn("the manifest names no key") from bad


def _inside(wire: bytes) -> bytes:
    kind, content = _strings(wire, 2)
    if kind != _KIND:
        raise _Torn("of another kind than Ed25519")
    return content


def _strings(raw: bytes, count: int) -> list[bytes]:
    """Split bytes into so many strings, each with its length in four bytes before it, and nothing after."""
    found = []
    for _ in range(count):
        length = int.from_bytes(raw[:4], "big")
        if len(raw) < 4 + length:
            raise _Torn("it is cut")
        found.append(raw[4 : 4 + length])
        raw = raw[4 + length :]
    if raw:
        raise _Torn("something follows it")
    return found


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content
