"""The schema's refusals carry the line; XML that would read files or the network is not read so."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains import validate
from domains.errors import CapabilityMissing, HypervisorError
from domains.render import render
from domains.spec import DomainSpec


def test_wrong_element_is_named_with_its_line() -> None:
    xml = render(DomainSpec()).replace("<vcpu ", "<vcpus ").replace("</vcpu>", "</vcpus>")
    with pytest.raises(HypervisorError, match=r"the rendered domain XML is not valid, line \d+: ") as refused:
        validate.validate(xml)
    assert refused.value.remedy


def test_schema_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(validate, "SCHEMAS", tmp_path)
    with pytest.raises(CapabilityMissing, match=r"nwfilter\.rng"):
        validate.validate("<filter/>", kind="nwfilter")
