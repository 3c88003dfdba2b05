"""The published JSON Schema: sound itself, strict, and what every command's real output is held to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from envcheck.model import RemedyAction, Severity, SourceKind, Verdict
from envcheck.reports import report_json
from tests.cli.running import CommandLine, fixture_program
from tests.unit.reports.accounts import HOSTILE
from tests.unit.reports.making import full_report, report_about

SCHEMA: dict[str, Any] = json.loads((files("envcheck.reports") / "schema_1.json").read_text("utf-8"))
EXPORTS = Path(__file__).parents[3] / "fixtures" / "exports"

WINDOWS = (
    "# platform: win-64\nnumpy=1.26.2=py310hf667824_0\npython=3.10.13=h4de0772_0_cpython\npywin32=306=py310h00ffb61_2\n"
)
CLEAN = "name: clean\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy, pip, {pip: [attrs==23.1.0]}]\n"
DOCKERFILE = (
    "FROM mambaorg/micromamba:1.5.8 AS build\nCOPY windows.txt clean.yml conda-lock.yml /tmp/\n"
    "RUN micromamba create -y -n lock -f /tmp/conda-lock.yml\n"
    "RUN micromamba create -y -n list --file /tmp/windows.txt\nRUN micromamba create -y -n gone -f /tmp/gone.yml\n"
    "FROM build\nRUN conda activate lock\n"
)


def valid(document: Any, name: str) -> None:
    """Hold a document to one definition of the schema, and to the whole."""
    jsonschema.Draft202012Validator({**SCHEMA, "anyOf": [{"$ref": f"#/$defs/{name}"}]}).validate(document)
    jsonschema.Draft202012Validator(SCHEMA).validate(document)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object with keys of its own."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


@pytest.fixture(scope="module")
def envcheck(
    tmp_path_factory: pytest.TempPathFactory, channels_directory: Path, package_index_directory: Path
) -> CommandLine:
    program = fixture_program(tmp_path_factory.mktemp("schema"), channels_directory, package_index_directory)
    program.write("windows.txt", WINDOWS)
    program.write("clean.yml", CLEAN)
    program.write("Dockerfile", DOCKERFILE)
    assert program("lock", "clean.yml", "--no-pip").status == 0
    return program


def test_the_schema_is_one_and_lets_nothing_unknown_through() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    open_ones = {"check_keys", "verify_keys"}  # closed where they are used, with unevaluatedProperties
    for definition in objects(SCHEMA):
        if definition in [SCHEMA["$defs"][name] for name in open_ones]:
            continue
        assert definition["additionalProperties"] is False or definition.get("propertyNames"), definition
        optional = set(definition["properties"]) - set(definition.get("required", ()))
        assert optional <= {"accepted"}
    for name in open_ones:
        assert set(SCHEMA["$defs"][name]["properties"]) - set(SCHEMA["$defs"][name]["required"]) <= {"accepted"}


def test_words_are_those_of_the_model() -> None:
    definitions = SCHEMA["$defs"]
    finding = definitions["finding"]["properties"]
    assert finding["severity"]["enum"] == [one.value for one in Severity]
    assert finding["remedies"]["items"]["properties"]["action"]["enum"] == [one.value for one in RemedyAction]
    assert definitions["source"]["properties"]["kind"]["enum"] == [one.value for one in SourceKind]
    assert definitions["check_keys"]["properties"]["verdict"]["enum"] == [one.value for one in Verdict]


@pytest.mark.parametrize(
    "change",
    [{"more": 1}, {"verdict": "good"}, {"schema_version": 2}, {"findings": None}, {"accepted": []}, {"plan": {}}],
)
def test_what_is_no_report_is_refused(change: dict[str, Any]) -> None:
    document = json.loads(report_json.render(full_report()))
    valid(document, "check")
    with pytest.raises(jsonschema.ValidationError):
        valid({**document, **change}, "check")


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_reports_are_valid(hostile: str) -> None:
    valid(json.loads(report_json.render(report_about(hostile))), "check")


def test_every_kind_of_source(envcheck: CommandLine) -> None:
    sources = sorted(str(path) for path in EXPORTS.iterdir() if path.suffix in (".txt", ".yml", ".json"))
    document = envcheck("check", *sources, "--format", "json", "--engine", "rattler", "-q").report()
    valid(document, "check_several")
    assert {one["source"]["kind"] for one in document["reports"]} == {kind.value for kind in SourceKind}


def test_several_sources_and_platforms(envcheck: CommandLine) -> None:
    run = envcheck("check", "clean.yml", "windows.txt", "-p", "linux-64", "-p", "win-64", "--format", "json", "-q")
    valid(run.report(), "check_several")


def test_a_baseline(envcheck: CommandLine) -> None:
    assert envcheck("check", "windows.txt", "--baseline", "baseline.json", "--update-baseline", "-q").status == 0
    document = envcheck("check", "windows.txt", "--baseline", "baseline.json", "--format", "json", "-q").report()
    assert document["accepted"]
    valid(document, "check")


def test_lock(envcheck: CommandLine) -> None:
    valid(envcheck("lock", "clean.yml", "--lock", "other.yml", "--format", "json", "-q").report(), "check")


def test_verify(envcheck: CommandLine) -> None:
    valid(envcheck("verify", "conda-lock.yml", "--format", "json").report(), "verify")
    text = (envcheck.directory / "conda-lock.yml").read_text("utf-8")
    envcheck.write("tampered.yml", text.replace("md5: ", "md5: 0", 1))
    valid(envcheck("verify", "tampered.yml", "--format", "json").report(), "verify")


def test_docker(envcheck: CommandLine) -> None:
    document = envcheck("docker", "Dockerfile", "--no-pip", "--format", "json").report()
    assert {"lock" in report for report in document["reports"]} == {True, False}
    assert any(one["verdict"] is None for one in document["dockerfile"]["environments"])
    valid(document, "docker")


@pytest.mark.parametrize(
    "arguments",
    [
        ("numpy",), ("numpy=1.26.2",), ("hdf5=9",), ("nosuchpackage",), ("pywin32",),
        ("numpy", "--in", "windows.txt"), ("numpy=1.21", "--in", "clean.yml"), ("pywin32", "--in", "windows.txt"),
        ("python=2.7", "--in", "clean.yml"),
    ],
)  # fmt: skip
def test_explain(envcheck: CommandLine, arguments: tuple[str, ...]) -> None:
    valid(envcheck("explain", *arguments, "--format", "json", "-q").report(), "explain")
