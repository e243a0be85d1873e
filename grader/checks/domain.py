"""A student's domain XML: read by allow-list, compared by meaning, rebuilt from our own template."""

from __future__ import annotations

from domains.spec import DomainSpec
from grader.checks import words
from grader.checks.domain_xml import Nic, StudentDomain, XmlRefusal, plain_model, read, rebuilt
from grader.checks.verdict import Context, graded, result
from grader.lab.questions import DomainQuestion, Wanted
from grader.language import Lang, causes
from grader.language.bilingual import listed
from grader.results.result import CheckResult, Evidence, Outcome
from grader.submission.answers import Answer

_DRIVER = {"on": "vhost", "off": "qemu"}


def check_domain(question: DomainQuestion, answer: Answer, context: Context) -> CheckResult:
    """Judge what a domain means: the right model counts one half, all else that is asked the other."""
    lang, file = context.lang, question.file
    expected = _expected(question.wants)
    if not isinstance(answer.value, bytes):
        hint = causes.said(answer.note, lang) or words.FILE_MISSING.say(lang, file=file)
        return result(question, Outcome.FAIL, expected=expected, hint=hint)
    domain = read(answer.value)
    if not isinstance(domain, StudentDomain):
        return _refused(question, domain, expected, context)
    if not domain.nics:
        return result(question, Outcome.FAIL, expected=expected, hint=words.NO_NIC.say(lang))
    fraction, hint = min(
        (_judge(nic, domain.name, question.wants, context) for nic in domain.nics), key=lambda one: one[0]
    )
    hint = f"{file}, {hint}" if hint else question.hint.say(lang)
    # What earns nothing need not make sense as a guest, and its first fault is the better hint.
    spec = rebuilt(domain) if fraction else None
    if isinstance(spec, str):
        fraction, hint = 0.0, f"{file}: {spec}"
    seen = (_rebuilt(file, spec),) if isinstance(spec, DomainSpec) else ()
    return graded(
        question,
        fraction,
        expected=expected,
        actual=_actual(domain, question.wants),
        hint=hint,
        evidence=seen,
    )


def _rebuilt(file: str, spec: DomainSpec) -> Evidence:
    """Return what libvirt would get: our own document, from the values that were taken out."""
    # Jinja2 takes a tenth of a second to import, which who only looks at their texts need not wait for.
    from domains.render import render

    return Evidence(source=f"{file}, rebuilt", seen=render(spec))


def _judge(nic: Nic, name: str, wants: Wanted, context: Context) -> tuple[float, str]:
    """Return the fraction that one interface earns, and what to tell the student."""
    lang = context.lang
    if nic.model is None:
        return 0.0, words.NO_MODEL.say(lang, line=nic.line)
    if plain_model(nic.model) != wants.nic:
        return 0.0, words.EMULATED_NIC.say(lang, line=nic.line, model=nic.model, wanted=wants.nic)
    asked = [wants.vhost, wants.name, wants.mac]
    missed = [
        _other_vhost(nic, wants.vhost, lang) if wants.vhost and nic.vhost != wants.vhost else "",
        words.OTHER_NAME.say(lang, given=name, wanted=wants.name)
        if wants.name and name != wants.name
        else "",
        words.OTHER_MAC.say(lang, line=nic.line, given=nic.mac or "?", wanted=wants.mac)
        if wants.mac and nic.mac != wants.mac
        else "",
    ]
    said = [one for one in missed if one]
    if not said:
        return 1.0, ""
    return 1 - 0.5 * len(said) / sum(one is not None for one in asked), listed(said, lang)


def _other_vhost(nic: Nic, wanted: str, lang: Lang) -> str:
    name = _DRIVER[wanted]
    if nic.vhost is None:
        return words.VHOST_LEFT_OUT.say(lang, line=nic.line, name=name)
    return words.VHOST_WRONG.say(lang, line=nic.line, given=nic.vhost, wanted=wanted, name=name)


def _refused(
    question: DomainQuestion, refusals: tuple[XmlRefusal, ...], expected: str, context: Context
) -> CheckResult:
    lines = [f"{question.file}:{one.line}: <{one.element}>: {one.why.say(context.lang)}" for one in refusals]
    seen = tuple(Evidence(source=question.file, seen=line) for line in lines)
    return result(question, Outcome.FAIL, expected=expected, hint=lines[0], evidence=seen)


def _expected(wants: Wanted) -> str:
    said = {"nic": wants.nic, "vhost": wants.vhost, "name": wants.name, "mac": wants.mac}
    return ", ".join(f"{key} {value}" for key, value in said.items() if value)


def _actual(domain: StudentDomain, wants: Wanted) -> str:
    named = [f"name {domain.name}"] if wants.name else []
    cards = (
        f"nic {nic.model or '?'}, vhost {nic.vhost or '?'}" + (f", mac {nic.mac or '?'}" if wants.mac else "")
        for nic in domain.nics
    )
    return "; ".join([*named, *cards])
