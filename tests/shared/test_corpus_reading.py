"""Every export of the real corpus is read, and agrees with the corpus's own labels or the difference is explained.

The corpus is not part of the repository: ``ENVCHECK_SHARED`` names the folder that holds ``corpus/``. Its files carry
their authors' names, so they are spoken of here by the beginning of their content's SHA-256 alone. The labels are a
script's guesses (``corpus/README.md``), hence the table of differences.
"""

from __future__ import annotations

import csv
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from envcheck.model import DamageKind, Export, SourceKind
from envcheck.sources import read_source

SHARED = os.environ.get("ENVCHECK_SHARED")

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(SHARED is None, reason="ENVCHECK_SHARED does not name the folder with the corpus"),
]

#: The kind that a label's first letter stands for; X (not from Windows) may be any.
KINDS = {
    "A": SourceKind.LIST_EXPORT,
    "B": SourceKind.ENVIRONMENT_YAML,
    "C": SourceKind.ENVIRONMENT_YAML,
    "D": SourceKind.EXPLICIT,
    "G": SourceKind.LIST_TABLE,
    "H": SourceKind.ENVIRONMENT_YAML,
    "P": SourceKind.PIP_FREEZE,
}

#: Where reading differs from the label, by content, each with what is right and why.
EXPLAINED = {
    "4f61d4d2e7a2": (
        "kind environment-yaml",
        "a YAML cut by hand that keeps its Windows prefix: the label G covers tables and such YAML",
    ),
    "142559b1bbdd": (
        "kind pip-freeze",
        "bare names and ranges are PEP 508 requirements; only its file name speaks of conda",
    ),
    "845e6df8ceaf": (
        "platform osx-64",
        "builds of platform-bound packages under /Users/runner; another file of the project has a macOS prefix",
    ),
    "c381f3caa5e0": (
        "platform osx-64",
        "builds of platform-bound packages under /Users/runner; another file of the project has a macOS prefix",
    ),
    "1737b40f7381": (
        "platform win-64",
        "its comment says that it was exported from a Python on drive D:",
    ),
}

#: Pairs of one environment in two formats or encodings, by content. Of the pairs that the corpus's README names, one is
#: damaged (below), one holds two different environments, and one file is a later state of its environment.
SAME_ENVIRONMENT = (
    ("0dbbefc81003", "9e7f45f8e5b3"),
    ("754483e9efba", "0312f73848fd"),
    ("d1233189a56a", "36331a33c8c9"),
    ("31b6999c3b0a", "d9aefa031933"),
    ("3eadcb66829b", "b8f4d74e29a7"),
    ("3eadcb66829b", "0bf29ec88852"),
    ("87296ea50707", "0da24a06a888"),
    ("a97812a0b9c9", "8b3cf88cd59b"),
)

#: One environment as it was listed, and after a script cut its builds off by pattern.
WHOLE, CUT = "754483e9efba", "63f198616d2d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A file of the corpus with its label."""

    digest: str
    path: Path
    kind: str
    platform: str
    conda: int
    pip: int


def corpus() -> list[Labelled]:
    if SHARED is None:
        return []
    root = Path(SHARED) / "corpus"
    with (root / "INDEX.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["file"].startswith("exports/")]
    return [
        Labelled(
            digest=hashlib.sha256((root / row["file"]).read_bytes()).hexdigest()[:12],
            path=root / row["file"],
            kind=row["kind"],
            platform=row["platform_guess"],
            conda=int(row["conda_packages"] or 0),
            pip=int(row["pip_packages"] or 0),
        )
        for row in rows
    ]


CORPUS = corpus()


def read(labelled: Labelled) -> Export:
    return read_source(labelled.path.read_bytes(), labelled.path.name)


def family(platform: str | None) -> str | None:
    """``win``, ``linux`` or ``osx``; the labels' ``any``, ``unknown`` and ``unix`` name no platform."""
    return None if platform in {None, "any", "unknown", "unix"} else str(platform).partition("-")[0]


def differences(labelled: Labelled, export: Export) -> list[str]:
    found = []
    expected = KINDS.get(labelled.kind[0])
    if expected is not None and expected is not export.kind:
        found.append(f"kind {export.kind.value}")
    vague = "-" not in labelled.platform
    if family(labelled.platform) != family(export.platform) or not (vague or labelled.platform == export.platform):
        found.append(f"platform {export.platform}")
    counts = (len(export.requirements), len(export.pip))
    # The labels count the lines of a freeze as conda packages.
    labels = (
        (0, labelled.conda + labelled.pip) if export.kind is SourceKind.PIP_FREEZE else (labelled.conda, labelled.pip)
    )
    if counts != labels:
        found.append(f"{counts[0]} conda and {counts[1]} pip")
    return found


@pytest.mark.parametrize("labelled", CORPUS, ids=lambda labelled: labelled.digest)
def test_reading_agrees_with_the_label(labelled: Labelled) -> None:
    started = time.monotonic()
    export = read(labelled)

    assert time.monotonic() - started < 5
    explained = EXPLAINED.get(labelled.digest)
    assert ", ".join(differences(labelled, export)) == ("" if explained is None else explained[0])


@pytest.mark.parametrize("labelled", CORPUS, ids=lambda labelled: labelled.digest)
def test_every_requirement_stands_on_the_line_it_names(labelled: Labelled) -> None:
    export = read(labelled)
    codec = export.encoding.removesuffix("-bom")
    lines = labelled.path.read_bytes().decode(codec).splitlines()

    for item in export.requirements:
        assert item.name in lines[item.line - 1].lower()
    for pip in export.pip:
        assert pip.text.split()[0] in lines[pip.line - 1]


def test_the_table_of_differences_has_no_leftovers() -> None:
    assert set(EXPLAINED) <= {labelled.digest for labelled in CORPUS}


@pytest.mark.parametrize(("first", "second"), SAME_ENVIRONMENT)
def test_one_environment_in_two_formats(first: str, second: str) -> None:
    exports = {labelled.digest: read(labelled) for labelled in CORPUS if labelled.digest in {first, second}}

    assert pins(exports[first]) == pins(exports[second])
    assert exports[first].platform == exports[second].platform


def test_a_list_whose_builds_were_cut_off_by_a_pattern_still_has_every_name() -> None:
    exports = {labelled.digest: read(labelled) for labelled in CORPUS if labelled.digest in {WHOLE, CUT}}
    names = [{name.removeprefix("pip:") for name, _ in pins(exports[digest]) if name} for digest in (WHOLE, CUT)]

    # Without builds nothing tells pip's packages from conda's, and PEP 503 respells the names of the former.
    assert {name.replace("_", "-").replace(".", "-") for name in names[0]} == {
        name.replace("_", "-").replace(".", "-") for name in names[1]
    }
    assert sum(item.kind is DamageKind.TRAILING_EQUALS for item in exports[CUT].damage) == 17


def pins(export: Export) -> set[tuple[str | None, str | None]]:
    conda = {(item.name, item.pin) for item in export.requirements}
    return conda | {(f"pip:{item.name}", item.pin) for item in export.pip}
