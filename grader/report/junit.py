"""``junit.xml`` (the xunit2 family): one test case for each cell, and one for each question of a grade.

FAIL is the student's and becomes a failure; ERROR is ours and becomes an error; what waits for a teacher
(INCONCLUSIVE) is neither and is skipped with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from grader.experiments.result import Result
from grader.language.inert import inert
from grader.measure.run import CellResult, Run
from grader.report.story.kept import EMPTY, Shelf
from grader.results.result import CheckResult, Grade, Outcome, SubmissionGrade

_TAGS = {
    Outcome.FAIL: "failure",
    Outcome.PARTIAL: "failure",
    Outcome.ERROR: "error",
    Outcome.SKIPPED: "skipped",
    Outcome.INCONCLUSIVE: "skipped",
}


def junit_text(run: Run, grade: Grade | None = None, shelf: Shelf = EMPTY) -> str:
    """Return the run, the experiments beside it, and the grade when there is one, as JUnit XML."""
    suites = [_run_suite(run)]
    if shelf.kept:
        name = f"tdlab.experiments.{run.id}"
        suites.append(_suite(name, [_experiment_case(name, one.result) for one in shelf.kept]))
    if grade:
        suites += [_submission_suite(grade, one) for one in grade.submissions]
    return _document(suites)


def grade_text(grade: Grade) -> str:
    """Return a whole class as JUnit XML, a suite a student."""
    return _document([_submission_suite(grade, one) for one in grade.submissions])


def _document(suites: Sequence[etree._Element]) -> str:
    root = _element("testsuites", name="tdlab")
    root.extend(suites)
    etree.indent(root)
    return etree.tostring(root, encoding="unicode", doctype='<?xml version="1.0" encoding="utf-8"?>') + "\n"


def _run_suite(run: Run) -> etree._Element:
    cases = [_cell_case(run, cell) for cell in run.cells]
    return _suite(f"tdlab.run.{run.id}", cases, timestamp=run.started)


def _cell_case(run: Run, cell: CellResult) -> etree._Element:
    case = _element("testcase", classname=f"tdlab.run.{run.id}", name=cell.id)
    properties = {f"ran.{key}": str(value) for key, value in cell.ran.items()}
    for metric, measured in cell.measurements.items():
        properties[f"{metric}.median"] = f"{measured.median:g} {measured.unit}"
        properties[f"{metric}.samples"] = " ".join(f"{value:g}" for value in measured.samples)
        if measured.ci95:
            properties[f"{metric}.ci95"] = "{:g} {:g}".format(*measured.ci95)
    properties |= {f"{metric}.not_measurable": cause for metric, cause in cell.not_measurable.items()}
    _add_properties(case, properties)
    _add_status(case, cell)
    return case


def _experiment_case(classname: str, result: Result) -> etree._Element:
    case = _element("testcase", classname=classname, name=result.experiment, time=f"{result.seconds:g}")
    properties = {"host": result.host} | ({"emulator": result.emulator} if result.emulator else {})
    for name, measured in result.measurements.items():
        properties[f"{name}.median"] = f"{measured.median:g} {measured.unit}".rstrip()
    properties |= {f"{name}.not_measurable": cause for name, cause in result.not_measurable.items()}
    _add_properties(case, properties)
    _add_status(case, result)
    return case


def _add_status(case: etree._Element, of: CellResult | Result) -> None:
    if of.status != "measured":
        said = [of.cause or "no cause was recorded", *([of.remedy] if of.remedy else [])]
        _add_verdict(case, "skipped" if of.status == "skipped" else "error", of.status, said)


def _submission_suite(grade: Grade, submission: SubmissionGrade) -> etree._Element:
    name = f"tdlab.grade.{grade.lab}.{submission.student}"
    properties = {"score": f"{submission.score:g}", "max": f"{submission.max:g}"}
    properties |= {"penalty": f"{submission.penalty:g}"} if submission.penalty else {}
    cases = [_question_case(name, question) for question in submission.questions]
    return _suite(name, cases, properties)


def _question_case(classname: str, question: CheckResult) -> etree._Element:
    case = _element("testcase", classname=classname, name=question.id)
    points = {
        "outcome": question.outcome.value,
        "points": f"{question.points:g}",
        "max": f"{question.max:g}",
    }
    _add_properties(case, points)
    tag = _TAGS.get(question.outcome)
    if tag:
        seen = [f"expected: {question.expected}", f"actual: {question.actual}"]
        _add_verdict(case, tag, question.outcome.value, [question.hint or question.outcome.value, *seen])
    return case


def _suite(
    name: str, cases: Sequence[etree._Element], own: dict[str, str] | None = None, **more: str
) -> etree._Element:
    counts = {
        tag: sum(case.find(single) is not None for case in cases)
        for tag, single in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    }
    attributes = {tag: str(count) for tag, count in counts.items()}
    suite = _element("testsuite", name=name, tests=str(len(cases)), **attributes, **more)
    _add_properties(suite, (own or {}) | dict(_lifted(cases)))
    suite.extend(cases)
    return suite


def _lifted(cases: Sequence[etree._Element]) -> Iterator[tuple[str, str]]:
    """Take the properties out of cases, named after them: Jenkins' junit-10.xsd has them in suites alone."""
    for case in cases:
        properties = case.find("properties")
        if properties is not None:
            case.remove(properties)
            for one in properties:
                yield f"{case.get('name')}.{one.get('name')}", str(one.get("value"))


def _add_verdict(case: etree._Element, tag: str, kind: str, lines: Sequence[str]) -> None:
    verdict = etree.SubElement(case, tag, message=inert(lines[0]), type=f"tdlab.{kind}")
    verdict.text = "\n".join(inert(line) for line in lines)


def _add_properties(parent: etree._Element, properties: dict[str, str]) -> None:
    if properties:
        parent.append(_properties(properties))


def _properties(properties: dict[str, str]) -> etree._Element:
    element = etree.Element("properties")
    for name, value in properties.items():
        etree.SubElement(element, "property", name=inert(name), value=inert(value))
    return element


def _element(tag: str, **attributes: str) -> etree._Element:
    return etree.Element(tag, {name: inert(value) for name, value in attributes.items()})
