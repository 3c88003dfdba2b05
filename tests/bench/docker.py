"""Pre-flight every Dockerfile of a corpus against unpacked channels, and print what came of it.

    python -m tests.bench.docker [--shared DIR] [--channels DIR] [--rows] [--findings]

``corpus/INDEX.tsv`` below DIR of ``--shared`` (default: ENVCHECK_SHARED) names for each file its repository and path;
the Dockerfiles are its kind I and the files beside them ``I-env…``. Each Dockerfile gets a build context with those
files in their places. Whether the context was the repository's root or the Dockerfile's folder is told by what COPY
names.
The files that only COPY needs are not in the corpus: what is said of them (EC813) says nothing about the Dockerfile.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envcheck.condarc import Configuration
from envcheck.docker.context import open_context
from envcheck.docker.following import follow
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import CheckedSource, Question, check_environments
from envcheck.engines.choice import choose_engine
from envcheck.errors import EnvcheckError
from envcheck.lock_file import LockFile
from envcheck.model import Finding, Report
from envcheck.pip.configuration import index_settings
from envcheck.pip.index import open_index
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.rules.about_dockerfiles import apply_docker_rules
from envcheck.rules.docker_facts import DockerFacts
from envcheck.verify import LockReport, verify
from envcheck.world import Services
from tests.support.corpus_dockerfiles import contexts

CANONICAL = ("conda-forge", "pkgs/main", "pkgs/r", "pkgs/msys2", "pkgs/free", "bioconda", "pytorch", "nvidia")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One Dockerfile."""

    name: str
    seconds: float
    own_seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    checked: tuple[CheckedSource, ...] = ()
    trouble: str = ""


def main() -> None:
    """Run the Dockerfiles and print a line each (``--rows``) and the totals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=os.environ.get("ENVCHECK_SHARED"))
    parser.add_argument("--channels", type=Path, required=True)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--findings", action="store_true")
    parser.add_argument("--engine", default="auto")
    arguments = parser.parse_args()
    if arguments.shared is None:
        parser.exit(2, "name the folder of real exports and repodata with --shared or ENVCHECK_SHARED\n")
    corpus = Path(arguments.shared) / "corpus"
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="contexts-")))
        cache = stack.enter_context(tempfile.TemporaryDirectory(prefix="cache-"))
        services, base = _services(arguments.engine, cache), arguments.channels.resolve().as_uri()
        ask = functools.partial(_ask, services, base)
        verify_lock = functools.partial(_verify, services, base)
        rows = []
        for dockerfile, context in contexts(corpus, scratch):
            rows.append(_run(dockerfile, context, ask, verify_lock))
            if arguments.rows or arguments.findings:
                _print_row(rows[-1], findings=arguments.findings)
    _print_totals(rows)


@functools.lru_cache(maxsize=1)
def _services(engine: str, cache: str) -> Services:
    return Services(
        engine=choose_engine(engine),
        package_index=open_index(
            index_settings(None, os.environ, home=None), cache_directory=Path(cache) / "pages", offline=True
        ),
    )


def _verify(services: Services, base: str, question: Question, lock: LockFile) -> LockReport:
    return verify(_request(base, question), services, lock)


def _ask(services: Services, base: str, question: Question) -> Report:
    return check(_request(base, question), services)


def _request(base: str, question: Question) -> Request:
    user = Configuration(mirrored_channels=tuple((name, (f"{base}/{name}",)) for name in CANONICAL))
    return Request(
        path=question.path,
        data=question.data,
        configuration=question.configuration(user),
        platform=question.platform,
        channels=question.channels,
        override_channels=question.override_channels,
        image=question.image,
        virtual_packages=question.virtual_packages,
        check_pip=False,
    )


def _run(
    dockerfile: Path,
    context: Path,
    ask: Callable[[Question], Report],
    verify_lock: Callable[[Question, LockFile], LockReport],
) -> Row:
    name = dockerfile.relative_to(
        next(p for p in dockerfile.parents if p.parent.name.startswith("contexts-"))
    ).as_posix()
    folder = next(p.name for p in dockerfile.parents if p.parent.name.startswith("contexts-"))
    started = time.perf_counter()
    waited = 0.0

    def timed(question: Question, lock: LockFile | None = None) -> Any:
        nonlocal waited
        before = time.perf_counter()
        try:
            return ask(question) if lock is None else verify_lock(question, lock)
        finally:
            waited += time.perf_counter() - before

    try:
        parsed = read_dockerfile(dockerfile.read_bytes(), name)
        followed = follow(parsed, open_context(context, dockerfile))
        checked = check_environments(followed, timed, timed)
        findings = apply_docker_rules(DockerFacts(followed=followed, checked=checked))
    except EnvcheckError as error:
        return Row(name=folder, seconds=time.perf_counter() - started, trouble=error.message)
    seconds = time.perf_counter() - started
    return Row(name=folder, seconds=seconds, own_seconds=seconds - waited, findings=findings, checked=checked)


def _print_row(row: Row, *, findings: bool) -> None:
    verdicts = [one.verdict or f"not checked: {one.reason}" for one in row.checked]
    codes = collections.Counter(one.code for one in row.findings)
    shown = " ".join(f"{code}x{count}" for code, count in sorted(codes.items()))
    print(f"{row.seconds:6.2f} s  {row.name}: {row.trouble or shown}", flush=True)
    for one, verdict in zip(row.checked, verdicts, strict=True):
        print(f"           line {one.made.line} {one.made.tool} {one.path} [{one.platform}]: {verdict}")
    if findings:
        for finding in row.findings:
            where = f"{finding.severity.value} {finding.code} {finding.line}"
            print(f"           {where}: {finding.subject}: {finding.message}")


def _print_totals(rows: list[Row]) -> None:
    seconds = [row.seconds for row in rows]
    own = [row.own_seconds for row in rows]
    print(f"{len(rows)} Dockerfiles, {sum(1 for row in rows if row.trouble)} not read")
    print(f"seconds: median {statistics.median(seconds):.2f}, worst {max(seconds):.2f}")
    print(f"of them without the checks of environments: median {statistics.median(own):.3f}, worst {max(own):.3f}")
    with_environment = [row for row in rows if row.checked]
    print(f"{len(with_environment)} make environments: {sum(len(row.checked) for row in rows)} sources")
    verdicts = collections.Counter(one.verdict or "not checked" for row in rows for one in row.checked)
    print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))
    counts = collections.Counter((one.code, one.severity.value, one.title) for row in rows for one in row.findings)
    for (code, severity, title), count in sorted(counts.items()):
        files = sum(
            1 for row in rows if any(one.code == code and one.severity.value == severity for one in row.findings)
        )
        print(f"  {code} {severity:7} {title}: {count} in {files} Dockerfiles")


if __name__ == "__main__":
    main()
