"""Where the workers are: ``local``, ``local:N``, or a scheduler; without TLS never off this machine."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from domains.errors import UsageError

_LOCAL = re.compile(r"local(?::(?P<workers>[1-9][0-9]{0,2}))?")
_MOST = 256
_FORMS = "write local, local:N, or tls://HOST:PORT"


@dataclass(frozen=True)
class Certificates:
    """PEM files: who may be trusted, and what this side shows; each may be left to Dask's configuration."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def __bool__(self) -> bool:
        return any((self.ca, self.cert, self.key))


@dataclass(frozen=True)
class Local:
    """Workers of this machine that tdlab starts, and ends with the grading."""

    workers: int


@dataclass(frozen=True)
class Remote:
    """A scheduler that somebody else runs."""

    address: str
    certificates: Certificates

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody without a certificate gets a word from it."""
        return self.address.startswith("tls://")


def parse(text: str, certificates: Certificates) -> Local | Remote:
    """Read an address; raises :class:`UsageError` for one that others could listen to, or that is none."""
    if match := _LOCAL.fullmatch(text):
        return _local(int(match["workers"] or len(os.sched_getaffinity(0))), certificates)
    parts = urlsplit(text if "://" in text else f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port or parts.path or parts.query or parts.username:
        raise UsageError(f"{text!r} is no address of a cluster", remedy=_FORMS)
    if parts.scheme == "tls":
        return Remote(text, certificates)
    if parts.scheme != "tcp":
        said = "says not how it is reached" if not parts.scheme else f"cannot be reached by {parts.scheme}"
        raise UsageError(f"the cluster {text!r} {said}", remedy=f"write tls://{parts.netloc}")
    if not is_loopback(host):
        raise UsageError(
            f"the cluster {text} is off this machine and without TLS: whoever sees its traffic could grade",
            remedy=f"start it with certificates, and write tls://{parts.netloc} with --cluster-ca and -cert",
        )
    if certificates:
        raise UsageError("certificates are of no use with tcp://", remedy=f"write tls://{parts.netloc}")
    return Remote(text, certificates)


def is_loopback(host: str) -> bool:
    """Return whether a name or address can only be this machine; nothing is looked up."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_safe(address: str) -> bool:
    """Return whether nobody else hears what is said to an address (``tls://…``, ``tcp://…``)."""
    parts = urlsplit(address)
    return parts.scheme in {"tls", "inproc"} or is_loopback(parts.hostname or "")


def _local(workers: int, certificates: Certificates) -> Local:
    if certificates:
        raise UsageError("local workers have certificates of their own", remedy="leave --cluster-… out")
    if workers > _MOST:
        raise UsageError(f"local:{workers} is more than a machine bears", remedy=f"at most local:{_MOST}")
    return Local(workers)
