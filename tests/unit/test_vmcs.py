"""The kernel's print of a VMCS and a VMCB, on prints that were recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from domains.errors import InfrastructureError
from grader.measure import vmcs

DATA = Path(__file__).resolve().parent.parent / "data" / "vmcs"
# kvm_intel in Bochs and kvm_amd under TCG, both entered with CS.L and CS.D set.
INTEL, AMD = (DATA / name for name in ("intel-bochs.txt", "amd-tcg.txt"))


@pytest.fixture
def intel() -> vmcs.Dump:
    return vmcs.read_dump(INTEL.read_text())


@pytest.fixture
def amd() -> vmcs.Dump:
    return vmcs.read_dump(AMD.read_text())


def test_that_every_line_of_both_prints_is_read(intel: vmcs.Dump, amd: vmcs.Dump) -> None:
    assert (intel.vendor, intel.unread, len(intel.fields)) == ("intel", (), 105)
    assert (amd.vendor, amd.unread, len(amd.fields)) == ("amd", (), 100)
    for dump in (intel, amd):
        names = [field.name for field in dump.fields]
        assert len(set(names)) == len(names)


def test_that_values_are_those_that_the_kernel_printed(intel: vmcs.Dump, amd: vmcs.Dump) -> None:
    assert intel.value("control.VMExit.reason") == 0x80000021
    assert intel.value("guest.CR4.shadow") == 0x20
    assert intel.value("guest.CS.attr") == 0xE09B
    assert intel.value("host.CS") == 0x10
    assert intel.value("control.Virtual processor ID") == 1
    assert amd.value("control.exit_code") == 0xFFFFFFFF
    assert amd.value("control.pause filter threshold") == 0
    assert amd.value("save.cs.attributes") == 0xE9B
    assert amd.value("save.efer") == 0x1500
    (intercepts,) = [field for field in amd.fields if field.name == "control.intercepts"]
    assert intercepts.value == "bd4c8027 00006eff"


def test_that_every_field_is_explained_in_both_languages(intel: vmcs.Dump, amd: vmcs.Dump) -> None:
    for field in (*intel.fields, *amd.fields):
        assert field.concept, field.name
        assert field.concept.means.fr != field.concept.means.en


def test_that_the_reason_of_the_refusal_can_be_read_off(intel: vmcs.Dump, amd: vmcs.Dump) -> None:
    notes = {field.name: [note.en for note in field.notes] for field in (*intel.fields, *amd.fields)}
    for name in ("guest.CS.attr", "save.cs.attributes"):
        assert notes[name] == ["L is set (64-bit code)", "D is set (32-bit code)"]
    assert "state of the guest is not valid" in notes["control.VMExit.reason"][0]
    assert "VMEXIT_INVALID" in notes["control.exit_code"][0]
    assert "EPT is on" in notes["control.SecondaryExec"]
    assert notes["control.nested_ctl"] == ["nested paging is on"]


def test_that_both_vendors_stand_side_by_side(intel: vmcs.Dump, amd: vmcs.Dump) -> None:
    rows = {row.concept.id: row for row in vmcs.side_by_side(intel, amd)}
    assert next(iter(rows)) == "exit-reason"
    both = rows["two-tables"]
    assert [field.name for field in both.intel] == ["control.EPT pointer"]
    assert [field.name for field in both.amd] == ["control.nested_ctl", "control.nested_cr3"]
    assert rows["way-back"].amd == ()
    assert rows["registers-that-trap"].intel == ()
    told = sum(len(row.intel) + len(row.amd) for row in rows.values())
    assert told == len(intel.fields) + len(amd.fields)


def test_that_time_stamps_and_prefixes_make_no_difference(intel: vmcs.Dump) -> None:
    stamped = "".join(f"[   12.345678] kvm_intel: {line}\n" for line in INTEL.read_text().splitlines())
    assert vmcs.read_dump(stamped) == intel


def test_that_the_last_of_several_dumps_counts(intel: vmcs.Dump) -> None:
    older = INTEL.read_text().replace("reason=80000021", "reason=80000022")
    assert vmcs.read_dump(older + INTEL.read_text()) == intel


def test_that_msrs_are_read_and_an_unknown_line_is_kept() -> None:
    text = INTEL.read_text().replace(
        "*** Host State ***",
        "MSR guest autoload:\n   0: msr=0x00000600 value=0x00000000deadbeef\n*** Host State ***",
    )
    dump = vmcs.read_dump(text + "a line of a later kernel\n")
    assert dump.value("guest.MSR.00000600") == 0xDEADBEEF
    assert dump.unread == ("MSR guest autoload:", "a line of a later kernel")


def test_that_a_log_without_a_dump_says_what_is_missing() -> None:
    with pytest.raises(InfrastructureError, match="neither") as refused:
        vmcs.read_dump("[ 1.0] kvm: Nested Virtualization enabled\n")
    assert "dump_invalid_vmcs=1" in str(refused.value.remedy)


def test_that_a_field_that_was_not_printed_is_an_error(intel: vmcs.Dump) -> None:
    with pytest.raises(InfrastructureError, match=r"guest\.CR9"):
        intel.value("guest.CR9")


def test_that_each_name_belongs_to_one_concept() -> None:
    for side in ("intel", "amd"):
        names = [name for one in vmcs.concepts().concepts for name in getattr(one, side)]
        assert len(set(names)) == len(names)
