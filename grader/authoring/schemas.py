"""JSON Schemas of the files that authors and students write, for their editors; made from the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

from domains.spec import DomainSpec
from grader.experiments.description import Description
from grader.lab.lab import Lab, LabHead, PartFile
from grader.lab.parameters import Variable
from grader.lab.questions import KINDS
from grader.lab.vocabulary import WordsFile
from grader.language import LANGUAGES
from grader.measure.matrix import MatrixFile
from grader.submission.samples import WrongFile

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFS = "#/$defs/{model}"
# Written otherwise than it is kept: a percentage, or a number in the question's unit.
_TOLERANCE: Schema = {
    "description": "How far from the expected value is still right: 5 %, or a number in the question's unit.",
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
    ],
}
# What stands for a student's own value, wherever a number or a word of a list is asked for.
_PLACE: Schema = {
    "type": "string",
    "pattern": r"^\{[a-z][a-z0-9-]{0,31}([+*][0-9]{1,9})?\}$",
    "description": "a variant of the lab, by its name",
}
_NEVER_A_PLACE = frozenset({"kind", "schema", "id"})
_WRITTEN_BY_US = ("vocabulary",)


def lab() -> Schema:
    """Return the schema of ``lab.yaml``."""
    schema = _of(LabHead, "lab.yaml: a lab of tdlab")
    definitions = schema["$defs"]
    # Written by `tdlab deploy` alone.
    schema["properties"].pop("edition")
    questions = _questions(definitions)
    definitions["PartHead"]["properties"]["questions"] = {
        "description": "The questions, or the file in the lab's folder that holds them.",
        "anyOf": [questions, {"type": "string", "pattern": r"\.ya?ml$"}],
    }
    schema["properties"]["variants"] = _variants(definitions)
    return schema


def part() -> Schema:
    """Return the schema of a part's own file."""
    schema = _of(PartFile, "A part of a lab of tdlab")
    schema["properties"]["questions"] = _questions(schema.setdefault("$defs", {}))
    return schema


def words() -> Schema:
    """Return the schema of ``words.yaml``."""
    return _of(WordsFile, "words.yaml: what a lab's texts share")


def wrong() -> Schema:
    """Return the schema of ``wrong.yaml``."""
    return _of(WrongFile, "wrong.yaml: what a wrong sample must lose")


def experiment() -> Schema:
    """Return the schema of ``experiment.yaml``."""
    return _of(Description, "experiment.yaml: an experiment of a lab")


def spec() -> Schema:
    """Return the schema of a spec, as ``tdlab render`` reads it."""
    return _of(DomainSpec, "A guest, as asked for")


def matrix() -> Schema:
    """Return the schema of ``matrix.yaml``: each cell is what it adds to the base."""
    schema = _of(MatrixFile, "matrix.yaml: the cells to measure")
    guest = spec()
    definitions: Schema = schema.setdefault("$defs", {})
    definitions |= guest["$defs"]
    named = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"}
    definitions["Base"] = {"type": "object", "additionalProperties": False, "properties": guest["properties"]}
    definitions["Cell"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"id": named, **guest["properties"]},
    }
    axes: Schema = {}
    for key, value in guest["properties"].items():
        if model := _model_of(value):
            choice = {**definitions[model], "properties": {"id": named, **definitions[model]["properties"]}}
            axes[key] = {"type": "array", "items": choice}
    schema["properties"]["base"] = {"$ref": "#/$defs/Base"}
    schema["properties"]["cells"] = {"type": "array", "items": {"$ref": "#/$defs/Cell"}}
    schema["properties"]["axes"] = {"type": "object", "additionalProperties": False, "properties": axes}
    return schema


def answers(given: Lab | None = None) -> Schema:
    """Return the schema of ``answers.yaml``: of any lab, or of one, whose questions it then knows."""
    each: Schema = {"type": "object"}
    slug: Schema = {"type": "string"}
    if given is not None:
        each = {
            "type": ["object", "null"],
            "additionalProperties": False,
            "properties": {question.id: _answer(question) for question in given},
        }
        slug = {"const": given.slug}
    return {
        "$schema": DIALECT,
        "title": "answers.yaml: a student's answers",
        "type": "object",
        "additionalProperties": False,
        "required": ["answers"],
        "properties": {
            "lab": slug,
            "lang": {"enum": list(LANGUAGES)},
            "student": {"type": "string", "maxLength": 120},
            "answers": each,
        },
    }


SCHEMAS: Mapping[str, Callable[[], Schema]] = {
    "lab": lab,
    "part": part,
    "words": words,
    "wrong": wrong,
    "answers": answers,
    "matrix": matrix,
    "experiment": experiment,
    "spec": spec,
}


def _of(model: type[BaseModel], title: str) -> Schema:
    made = model.model_json_schema(by_alias=True, ref_template=_REFS)
    return {"$schema": DIALECT, **made, "title": title}


def _questions(definitions: Schema) -> Schema:
    """Return the schema of a list of questions, told apart by kind; its parts go into ``definitions``."""
    for kind in KINDS.values():
        made = kind.model_json_schema(by_alias=True, ref_template=_REFS)
        for name, one in made.pop("$defs", {}).items():
            definitions[name] = _with_places(one)
        for name in _WRITTEN_BY_US:
            made["properties"].pop(name, None)
        definitions[kind.__name__] = _with_places(made)
    definitions["Tolerance"] = _TOLERANCE
    chosen = {kind: f"#/$defs/{model.__name__}" for kind, model in KINDS.items()}
    return {
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"enum": list(KINDS)}},
            "discriminator": {"propertyName": "kind", "mapping": chosen},
            # Not oneOf: an editor then names the mistake in the one kind that is meant.
            "allOf": [
                {"if": {"required": ["kind"], "properties": {"kind": {"const": kind}}}, "then": {"$ref": ref}}
                for kind, ref in chosen.items()
            ],
        },
    }


def _with_places(schema: Schema) -> Schema:
    """Return a schema in which a variant's name may stand for any number or word of a list."""
    properties = {
        name: one if name in _NEVER_A_PLACE else _or_place(one)
        for name, one in schema.get("properties", {}).items()
    }
    return {**schema, "properties": properties} if properties else schema


def _or_place(one: Schema) -> Schema:
    if one.get("type") in {"number", "integer"} or "enum" in one or "pattern" in one:
        return {"anyOf": [one, _PLACE]}
    if "anyOf" in one:
        return {**one, "anyOf": [*one["anyOf"], _PLACE]}
    return one


def _variants(definitions: Schema) -> Schema:
    """Return the schema of what differs between students: a list, or one of the forms of a range."""
    made = TypeAdapter(Variable).json_schema(by_alias=True, ref_template=_REFS)
    definitions |= made["$defs"]
    listed = definitions.pop("Listed")["properties"]["values"]
    forms = [one for one in made["anyOf"] if not one["$ref"].endswith("/Listed")]
    return {
        "description": "What differs between students; questions and sheets refer to it as {name}.",
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9-]{0,31}$"},
        "additionalProperties": {"anyOf": [listed, *forms]},
    }


def _model_of(schema: Schema) -> str | None:
    """Return the definition that a field refers to, on its own or beside null."""
    for one in (schema, *schema.get("anyOf", ()), *schema.get("allOf", ())):
        if "$ref" in one:
            return str(one["$ref"]).rsplit("/", 1)[-1]
    return None


def _answer(question: Any) -> Schema:
    """Return what may be answered to a question; its letters, where it has some."""
    said: Schema = {"description": f"{question.ask.fr}\n{question.ask.en}"}
    letters = list(getattr(question, "options", {}))
    if question.kind == "choice":
        return said | {"enum": [*letters, None]}
    if question.kind == "choices":
        several = {"type": "array", "items": {"enum": letters}, "uniqueItems": True}
        return said | {"anyOf": [several, {"enum": [*letters, None]}]}
    if question.kind == "number":
        return said | {"type": ["number", "string", "null"]}
    return said | ({"type": ["string", "null"]} if question.kind == "text" else {})
