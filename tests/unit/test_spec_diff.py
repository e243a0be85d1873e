"""What differs between two specs: keys, XML, and one sentence for every key in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from domains import catalogue
from domains.refusal import model_in
from domains.spec import DomainSpec
from grader.language import LANGUAGES, Lang
from grader.spec import diff as spec_diff
from grader.spec import lessons as spec_lessons


def _spec(**fields: Any) -> DomainSpec:
    return DomainSpec.model_validate(fields)


def test_keys_that_differ_are_named_in_the_order_of_the_spec() -> None:
    one = _spec(vcpus=1, nic={"model": "e1000"}, name="a")
    other = _spec(vcpus=2, nic={"model": "virtio", "vhost": "on"}, name="b")
    assert [(one.key, one.before, one.after) for one in spec_diff.changes(one, other)] == [
        ("vcpus", 1, 2),
        ("nic.model", "e1000", "virtio"),
        ("nic.vhost", None, "on"),
    ]


def test_part_that_appears_is_told_key_by_key() -> None:
    keys = [one.key for one in spec_diff.changes(_spec(), _spec(disk={"bus": "sata"}))]
    assert set(keys) >= {"disk.bus", "disk.size"}


def test_same_specs_have_no_difference() -> None:
    assert spec_diff.changes(_spec(), _spec()) == []
    assert spec_diff.xml_diff(_spec(), _spec(), ("a", "b")) == ""


def test_diff_shows_the_lines_that_change() -> None:
    text = spec_diff.xml_diff(_spec(nic={"model": "e1000"}), _spec(nic={"model": "rtl8139"}), ("a", "b"))
    assert text.startswith("--- a\n+++ b\n")
    changed = [line for line in text.splitlines() if re.match(r"[-+] ", line)]
    assert changed == ['-      <model type="e1000"/>', '+      <model type="rtl8139"/>']


def test_networks_that_differ_are_shown_though_the_guests_are_the_same() -> None:
    text = spec_diff.xml_diff(_spec(network={"mode": "isolated"}), _spec(network={"mode": "nat"}), ("a", "b"))
    assert '+  <forward mode="nat"/>' in text


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("en", "nic.model: e1000 → virtio: a paravirtual NIC"),
        ("fr", "nic.model: e1000 → virtio : une carte paravirtuelle"),
    ],
)
def test_lesson_says_key_values_and_why(lang: Lang, said: str) -> None:
    one, other = _spec(nic={"model": "e1000"}), _spec(nic={"model": "virtio"})
    assert spec_diff.lessons(one, other, lang)[0].startswith(said)


def test_sizes_are_told_in_the_units_of_the_language() -> None:
    one, other = _spec(memory="256 MiB"), _spec(memory="1 GiB")
    assert spec_diff.lessons(one, other, "en")[0].startswith("memory: 256 MiB → 1 GiB:")
    assert spec_diff.lessons(one, other, "fr")[0].startswith("memory: 256 Mio → 1 Gio :")


def test_ept_says_that_it_is_not_in_the_xml() -> None:
    on, off = catalogue.specs()["ept-on"], catalogue.specs()["ept-off"]
    assert "Nothing of this is in the domain XML" in spec_diff.lessons(on, off, "en")[0]
    assert "n’est dans le XML du domaine" in spec_diff.lessons(on, off, "fr")[0]


def test_what_the_host_decides_is_said_to_leave_the_xml_as_it_is() -> None:
    said = spec_diff.lessons(_spec(accelerator="auto"), _spec(accelerator="kvm"), "en")
    assert said[0] == "The two domain XMLs are the same: what differs is decided by the host."


def _keys(model: Any, above: str = "") -> list[str]:
    keys: list[str] = []
    for name, field in model.model_fields.items():
        part = model_in(field.annotation)
        keys += _keys(part, f"{above}{name}.") if part else [f"{above}{name}"]
    return keys


@pytest.mark.parametrize("key", [key for key in _keys(DomainSpec) if key != "name"])
def test_every_key_has_a_sentence_in_both_languages(key: str) -> None:
    lesson = spec_lessons.lessons().about(key, "anything")
    assert all(lesson.say(lang).endswith((".", "?")) for lang in LANGUAGES)


def test_every_sentence_is_about_a_key_that_exists() -> None:
    known = set(_keys(DomainSpec)) | set(DomainSpec.model_fields)
    read = spec_lessons.lessons()
    assert set(read.keys) | set(read.values) <= known
