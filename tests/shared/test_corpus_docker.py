"""Every Dockerfile of the real corpus is read, followed and judged.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/``. Its files are spoken of by the start of their content's
SHA-256 alone. The corpus has a Dockerfile and the environment files beside it, and not all that COPY names.
"""

from __future__ import annotations

import csv
import hashlib
import os
import time
from pathlib import Path

import pytest

from envcheck.docker.context import Context, open_context
from envcheck.docker.following import follow
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import Question, check_environments
from envcheck.errors import ConfigurationError
from envcheck.lock_file import LockFile
from envcheck.model import Report, Severity
from envcheck.rules.about_dockerfiles import apply_docker_rules
from envcheck.rules.docker_facts import DockerFacts
from envcheck.verify import LockReport

SHARED = os.environ.get("ENVCHECK_SHARED")

pytestmark = pytest.mark.shared


def dockerfiles() -> dict[str, Path]:
    if SHARED is None:
        return {}
    corpus = Path(SHARED) / "corpus"
    with (corpus / "INDEX.tsv").open(encoding="utf-8", newline="") as stream:
        paths = [corpus / row["file"] for row in csv.DictReader(stream, delimiter="\t") if row["kind"] == "I"]
    return {hashlib.sha256(path.read_bytes()).hexdigest()[:12]: path for path in sorted(paths)}


DOCKERFILES = dockerfiles()

# What keeps a Dockerfile from being built or started today, each read by hand: ``conda clean -tipsy`` with the newest
# Miniforge, and an ENTRYPOINT in an environment that the file beside it names otherwise.
TRUE_ERRORS = {"2db15cb091ff": {"EC826"}, "e37eb0d53d1b": {"EC824"}}


@pytest.fixture(params=sorted(DOCKERFILES))
def dockerfile(request: pytest.FixtureRequest) -> Path:
    return DOCKERFILES[request.param]


def _no_channel(_: Question) -> Report:
    raise ConfigurationError("there are no channels here")


def _no_verification(_: Question, __: LockFile) -> LockReport:
    raise ConfigurationError("there are no channels here")


def test_it_is_read_as_the_official_parser_reads_it(dockerfile: Path) -> None:
    official = pytest.importorskip("dockerfile")
    theirs = official.parse_string(dockerfile.read_text(encoding="utf-8"))
    found = read_dockerfile(dockerfile.read_bytes(), "Dockerfile")
    mine = [*found.arguments, *(one for stage in found.stages for one in (stage.origin, *stage.instructions))]
    mine.sort(key=lambda one: one.first_line)
    assert [(one.keyword, one.first_line, one.last_line, one.arguments is not None) for one in mine] == [
        (one.cmd.upper(), one.start_line, one.end_line, one.json) for one in theirs
    ]


def test_without_its_context_it_has_no_error_of_its_own(dockerfile: Path) -> None:
    """They build for their authors but for what is known; what is wrong with their files, the files' reports say."""
    started = time.perf_counter()
    parsed = read_dockerfile(dockerfile.read_bytes(), "Dockerfile")
    followed = follow(parsed, Context(root=None))
    checked = check_environments(followed, _no_channel, _no_verification)
    findings = apply_docker_rules(DockerFacts(followed=followed, checked=checked))
    known = TRUE_ERRORS.get(hashlib.sha256(dockerfile.read_bytes()).hexdigest()[:12], set())
    assert {one.code for one in findings if one.severity is Severity.ERROR} <= known
    assert time.perf_counter() - started < 5


def test_beside_its_files_only_files_are_missing(dockerfile: Path) -> None:
    parsed = read_dockerfile(dockerfile.read_bytes(), "Dockerfile")
    followed = follow(parsed, open_context(dockerfile.parent, dockerfile))
    checked = check_environments(followed, _no_channel, _no_verification)
    findings = apply_docker_rules(DockerFacts(followed=followed, checked=checked))
    known = TRUE_ERRORS.get(hashlib.sha256(dockerfile.read_bytes()).hexdigest()[:12], set())
    assert {one.code for one in findings if one.severity is Severity.ERROR} <= {"EC813", *known}
