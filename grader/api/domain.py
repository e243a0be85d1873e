"""A student's domain as a check sees it: the values taken out of it, and a spec that may be booted."""

from __future__ import annotations

from dataclasses import dataclass

from domains.quantities import in_units
from domains.spec import DomainSpec
from grader.api.parts import Ended
from grader.checks import words
from grader.checks.domain_xml import Nic, StudentDomain, read, rebuilt
from grader.language import Lang
from grader.results.result import Evidence, Outcome

# What a student asks for is started on somebody's machine.
MOST_MEMORY = 2 * 2**30
MOST_VCPUS = 4


@dataclass(frozen=True)
class StudentsDomain:
    """A domain of the submission: ``values`` as they were written, ``spec`` what they mean.

    The document itself is not here.
    """

    file: str
    values: StudentDomain
    spec: DomainSpec

    @property
    def xml(self) -> str:
        """The domain XML that our own template makes of the spec."""
        # Jinja2 takes a tenth of a second to import, and few checks ask for the XML.
        from domains.render import render

        return render(self.spec)

    @property
    def nic(self) -> Nic:
        """The first interface, as it was written."""
        return self.values.nics[0]


def students(file: str, raw: bytes, lang: Lang) -> StudentsDomain:
    """Read a domain by allow-list; what is refused, or too large to be booted, ends the test as FAIL."""
    values = read(raw)
    if not isinstance(values, StudentDomain):
        lines = [f"{file}:{one.line}: <{one.element}>: {one.why.say(lang)}" for one in values]
        seen = [Evidence(source=file, seen=line) for line in lines]
        raise Ended(Outcome.FAIL, lines[0], evidence=seen)
    if not values.nics:
        raise Ended(Outcome.FAIL, f"{file}: {words.NO_NIC.say(lang)}")
    spec = rebuilt(values)
    if isinstance(spec, str):
        raise Ended(Outcome.FAIL, f"{file}: {spec}")
    if spec.memory > MOST_MEMORY or spec.vcpus > MOST_VCPUS:
        most = {"memory": in_units(MOST_MEMORY), "vcpus": MOST_VCPUS}
        raise Ended(Outcome.FAIL, words.TOO_LARGE.say(lang, file=file, **most))
    return StudentsDomain(file, values, spec)
