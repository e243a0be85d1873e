"""The second emulated host: like the first, but for what it goes without."""

from __future__ import annotations

from domains.emulated import plan, sibling
from domains.emulated.plan import HostPlan


def test_that_the_second_host_differs_in_interrupt_remapping() -> None:
    first = HostPlan(name="lab", run="r", subnet="10.224.1", cpu_model="EPYC")
    second = sibling.plan_of(first)
    assert (second.name, second.cpu_model) == ("lab-intremap-off", "EPYC")
    assert first.interrupt_remapping
    assert not second.interrupt_remapping
    assert second.run == second.subnet == ""
    assert second.bridges != first.bridges


def test_that_the_second_hosts_name_is_one() -> None:
    long = HostPlan(name="a" * 31, run="", subnet="")
    assert plan.check_name(sibling.plan_of(long).name).endswith("-intremap-off")
