"""Hold domain XML against libvirt's own RELAX NG schema.

A valid document is a well-formed wish, not a safe one: the schema allows any emulator and any host file, so
this is a check of our templates and never of a stranger's XML.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lxml import etree

from domains.errors import CapabilityMissing, HypervisorError

SCHEMAS = Path("/usr/share/libvirt/schemas")


def validate(xml: str, *, kind: str = "domain") -> None:
    """Raise :class:`HypervisorError` with line and element when the schema of ``kind`` refuses the XML."""
    document = etree.fromstring(xml.encode(), _parser())
    schema = _schema(kind)
    if not schema.validate(document):
        first = schema.error_log[0]
        raise HypervisorError(
            f"the rendered {kind} XML is not valid, line {first.line}: {first.message}",
            remedy="this is a fault of tdlab's templates: please report it with the spec",
        )


def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


@lru_cache(maxsize=4)
def _schema(kind: str) -> etree.RelaxNG:
    file = SCHEMAS / f"{kind}.rng"
    if not file.exists():
        raise CapabilityMissing(
            f"libvirt's schema {file} is not on this machine",
            remedy="run ./tdlab once as root to set this host up",
        )
    return etree.RelaxNG(etree.parse(str(file)))
