"""Properties of rendering: text comes back as it was or is refused; what parses renders valid XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from lxml import etree

from domains import document, spec, validate
from domains.errors import InputError, UsageError
from domains.render import DiskImage, NetworkPlan, Owner, Placement, render, render_network, render_vf_pool
from domains.spec import DomainSpec

# Any character, and those that XML, shells and templates treat in their own way more often than by chance.
ANY = st.text(max_size=24) | st.text(alphabet="<>&\"'{}%$;\\/ \n\t\r\0]é\ud800\u202e.-_:09af", max_size=12)


def _read(xml: str, path: str, attribute: str | None = None) -> str | None:
    found = etree.fromstring(xml.encode()).find(path)
    assert found is not None
    return found.get(attribute) if attribute else found.text


def _written(path: tuple[str, ...], value: Any, beside: dict[str, Any]) -> DomainSpec | None:
    """Write one value into a spec's YAML file; None when it is refused, as it may be."""
    data: dict[str, Any] = {key: dict(one) if isinstance(one, dict) else one for key, one in beside.items()}
    inner = data
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
    inner[path[-1]] = value
    try:
        # A lone surrogate has no UTF-8 and cannot be in a file.
        raw = yaml.safe_dump(data, allow_unicode=True).encode()
    except UnicodeEncodeError:
        return None
    try:
        return spec.parse(document.parse(raw, Path("s.yaml")))
    except InputError:
        return None


@given(ANY)
def test_any_name_comes_back_or_is_refused(text: str) -> None:
    if one := _written(("name",), text, {}):
        assert _read(render(one), "name") == text


@given(ANY)
def test_any_bridge_comes_back_or_is_refused(text: str) -> None:
    if one := _written(("network", "bridge"), text, {"network": {"mode": "bridge"}}):
        assert _read(render(one), ".//interface/source", "bridge") == text


@given(ANY)
def test_any_pool_comes_back_or_is_refused(text: str) -> None:
    if one := _written(("nic", "pool"), text, {"nic": {"model": "vf"}}):
        assert _read(render(one), ".//interface/source", "network") == text


@given(ANY)
def test_any_cpu_model_comes_back_or_is_refused(text: str) -> None:
    assume(text not in {"default", "host", "max"})
    if one := _written(("cpu", "model"), text, {}):
        assert _read(render(one), "cpu/model") == text


@given(ANY | st.from_regex(r"\A[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}\Z"))
def test_any_mac_comes_back_or_is_refused(text: str) -> None:
    if one := _written(("nic", "mac"), text, {}):
        assert _read(render(one), ".//interface/mac", "address") == text.lower().replace("-", ":")


@given(ANY | st.from_regex(r"\A([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9]\Z"))
def test_any_pci_address_comes_back_or_is_refused(text: str) -> None:
    assume(text != "auto")
    if one := _written(("nic", "address"), text, {"nic": {"model": "hostdev"}}):
        found = etree.fromstring(render(one).encode()).find(".//hostdev/source/address")
        assert found is not None
        parts = [str(found.get(name)).removeprefix("0x") for name in ("domain", "bus", "slot", "function")]
        assert "{}:{}:{}.{}".format(*parts).endswith(text.lower())


PLACES = {
    "name": ("name", None),
    "emulator": ("devices/emulator", None),
    "kernel": ("os/kernel", None),
    "initramfs": ("os/initrd", None),
    "kernel_arguments": ("os/cmdline", None),
    "network": (".//interface/source", "network"),
    "disk_path": (".//disk/source", "file"),
}


@given(st.sampled_from(sorted(PLACES)), ANY | ANY.map(lambda text: f"/{text}"))
def test_any_placement_comes_back_and_is_valid_or_is_refused(field: str, text: str) -> None:
    place = Placement(**{field: text})
    try:
        xml = render(DomainSpec(disk={}), place)
    except UsageError:
        return
    assert (_read(xml, *PLACES[field]) or "") == text
    validate.validate(xml)


@given(ANY, ANY, ANY)
def test_any_owner_and_image_come_back_or_are_refused(run: str, boot: str, path: str) -> None:
    owner = Owner(run, 1, 2, boot, "m")
    try:
        xml = render(DomainSpec(), Placement(owner=owner, images=(DiskImage(f"/{path}"),)))
    except UsageError:
        return
    assert _read(xml, "metadata/{urn:tdlab:owner:1}owner", "run") == run
    assert _read(xml, "metadata/{urn:tdlab:owner:1}owner", "boot") == boot
    assert _read(xml, ".//disk/source", "file") == f"/{path}"
    validate.validate(xml)


@given(ANY, ANY)
def test_any_networks_names_come_back_or_are_refused(name: str, device: str) -> None:
    try:
        network = render_network(NetworkPlan(name, device, "10.0.0.1"))
        pool = render_vf_pool(name, device)
    except UsageError:
        return
    assert (_read(network, "name"), _read(network, "bridge", "name")) == (name, device)
    assert (_read(pool, "name"), _read(pool, "forward/pf", "dev")) == (name, device)
    for xml in (network, pool):
        validate.validate(xml, kind="network")


def _maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


_SWITCH = st.sampled_from(["on", "off"])
_ADDRESS = st.sampled_from(["0000:03:00.0", "0000:03:10.1", "ffff:ff:1f.7"])
_NAME = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,14}\Z")
SPECS = _maybe(
    name=_NAME,
    machine=st.sampled_from(["q35", "i440fx", "microvm"]),
    accelerator=st.sampled_from(["auto", "kvm", "tcg"]),
    memory=st.sampled_from(["64 MiB", "256 MiB", "1 GiB", "3 GiB"]),
    hugepages=st.sampled_from(["2 MiB", "1 GiB"]),
    vcpus=st.integers(1, 255),
    pinning=st.lists(st.integers(0, 4095), max_size=2),
    cpu=_maybe(
        model=st.sampled_from(["default", "host", "max", "EPYC", "x-y_z.9"]),
        nested=_SWITCH,
        ept=_SWITCH,
        ept_shown_to_guest=_SWITCH,
        vendor=st.sampled_from(["intel", "amd"]),
    ),
    nic=_maybe(
        model=st.sampled_from(["i82557b", "e1000", "igb", "virtio", "hostdev", "vf"]),
        vhost=_SWITCH,
        queues=st.integers(1, 16),
        address=_ADDRESS,
        pool=_NAME,
        mac=st.sampled_from(["52:54:00:12:34:56", "02:00:00:00:00:00"]),
    ),
    network=_maybe(mode=st.sampled_from(["isolated", "nat", "bridge"]), bridge=_NAME),
    disk=_maybe(bus=st.sampled_from(["virtio", "ide", "sata", "pvscsi"]), size=st.just("2 MiB")),
    iommu=_maybe(interrupt_remapping=_SWITCH),
    passthrough=st.lists(_ADDRESS, max_size=3),
)


@settings(max_examples=400, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(SPECS)
def test_no_spec_that_parses_renders_xml_that_the_schema_refuses(fields: dict[str, Any]) -> None:
    try:
        one = spec.parse(document.parse(yaml.safe_dump(fields).encode(), Path("s.yaml")))
    except InputError:
        return
    validate.validate(render(one))
