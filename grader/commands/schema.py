"""``tdlab schema``: JSON Schemas of the files that authors and students write, for their editors."""

from __future__ import annotations

import json

import click

# Known without importing the models: --help must stay quick.
KINDS = ("lab", "part", "words", "wrong", "answers", "matrix", "experiment", "spec")


@click.command("schema")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("lab", required=False)
def command(kind: str, lab: str | None) -> int:
    """Print the JSON Schema of a KIND of file; answers take a LAB, and then know its questions.

    Name it in the file's first line, and an editor with a YAML language server completes and checks it:
    `# yaml-language-server: $schema=schema/lab.json`
    """
    from domains.errors import UsageError
    from grader.authoring import schemas
    from grader.lab import lab as labs

    if lab is not None and kind != "answers":
        raise UsageError(f"the schema of {kind} is the same for all labs", remedy=f"tdlab schema {kind}")
    made = schemas.answers(labs.load(labs.find(lab))) if lab else schemas.SCHEMAS[kind]()
    click.echo(json.dumps(made, ensure_ascii=False, indent=2))
    return 0
