"""A student's domain XML: read by allow-list, compared by meaning, rebuilt from our own template."""

from __future__ import annotations

from domains.render import render
from domains.spec import DomainSpec
from grader.checks import words
from grader.checks.domain_xml import Nic, StudentDomain, XmlRefusal, plain_model, read, rebuilt
from grader.checks.verdict import Context, graded, result
from grader.lab.questions import DomainQuestion, Wanted
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

_DRIVER = {"on": "vhost", "off": "qemu"}


def check_domain(question: DomainQuestion, answer: Answer, context: Context) -> CheckResult:
    """Judge what a domain means; the right model counts one half, vhost as asked the other."""
    lang, file = context.lang, question.file
    expected = _expected(question.wants)
    if not isinstance(answer.value, bytes):
        hint = answer.note or words.FILE_MISSING.say(lang, file=file)
        return result(question, Outcome.FAIL, expected=expected, hint=hint)
    domain = read(answer.value)
    if not isinstance(domain, StudentDomain):
        return _refused(question, domain, expected, context)
    if not domain.nics:
        return result(question, Outcome.FAIL, expected=expected, hint=words.NO_NIC.say(lang))
    fraction, hint = min(
        (_judge(nic, question.wants, context) for nic in domain.nics), key=lambda one: one[0]
    )
    hint = f"{file}, {hint}" if hint else question.hint.say(lang)
    # What earns nothing need not make sense as a guest, and its first fault is the better hint.
    spec = rebuilt(domain) if fraction else None
    if isinstance(spec, str):
        fraction, hint = 0.0, f"{file}: {spec}"
    # What libvirt would get: our own document, from the values that were taken out.
    seen = (Evidence(source=f"{file}, rebuilt", seen=render(spec)),) if isinstance(spec, DomainSpec) else ()
    return graded(question, fraction, expected=expected, actual=_actual(domain), hint=hint, evidence=seen)


def _judge(nic: Nic, wants: Wanted, context: Context) -> tuple[float, str]:
    """Return the fraction that one interface earns, and what to tell the student."""
    lang = context.lang
    if nic.model is None:
        return 0.0, words.NO_MODEL.say(lang, line=nic.line)
    if plain_model(nic.model) != wants.nic:
        return 0.0, words.EMULATED_NIC.say(lang, line=nic.line, model=nic.model, wanted=wants.nic)
    if wants.vhost is None or nic.vhost == wants.vhost:
        return 1.0, ""
    name = _DRIVER[wants.vhost]
    if nic.vhost is None:
        return 0.5, words.VHOST_LEFT_OUT.say(lang, line=nic.line, name=name)
    return 0.5, words.VHOST_WRONG.say(lang, line=nic.line, given=nic.vhost, wanted=wants.vhost, name=name)


def _refused(
    question: DomainQuestion, refusals: tuple[XmlRefusal, ...], expected: str, context: Context
) -> CheckResult:
    lines = [f"{question.file}:{one.line}: <{one.element}>: {one.why.say(context.lang)}" for one in refusals]
    seen = tuple(Evidence(source=question.file, seen=line) for line in lines)
    return result(question, Outcome.FAIL, expected=expected, hint=lines[0], evidence=seen)


def _expected(wants: Wanted) -> str:
    return f"nic {wants.nic}" + (f", vhost {wants.vhost}" if wants.vhost else "")


def _actual(domain: StudentDomain) -> str:
    return "; ".join(f"nic {nic.model or '?'}, vhost {nic.vhost or '?'}" for nic in domain.nics)
