"""The ways in which people bring a Windows export to Linux without envcheck, each as what a solver is asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from envcheck.engines import Index
from envcheck.errors import EngineError
from envcheck.model import ChannelState, Record, Report, Requirement, Solved, Target, VirtualPackage
from envcheck.specs import exact_spec, spec_text
from envcheck.survey import installable

SECONDS = 60.0
"""What each way may take."""

ENGINE_WAYS = (
    "as is",
    "builds dropped",
    "and unknown names dropped",
    "and unknown versions dropped",
    "unpinned, unknown dropped",
    "unpinned, versions preferred",
    "direct names, versions preferred",
)
MICROMAMBA_WAYS = ("micromamba, unknown dropped", "micromamba, unpinned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of one way: the versions by name, or ``None`` where nothing was found in time."""

    way: str
    seconds: float
    versions: Mapping[str, str] | None
    late: bool = False


def ask_engine(report: Report, index: Index) -> Iterator[Answer]:
    """Ask the engine of a check in every way, over the channels that the check was over.

    What those channels have only as ``noarch`` packages for Windows counts as unknown, for the naive ways' good. The
    last way is not so naive: it knows from envcheck which packages the user asked for.
    """
    target = report.target
    rows = [_without_build(row) for row in report.environment.requirements]
    known = [row for row in rows if _usable(index.records(row.name), target)]
    existing = [row for row in known if _usable(_matching(index, spec_text(row)), target)]
    names = [row.name for row in known]
    preferred = [
        records[0]
        for row in existing
        if row.pin is not None and (records := _usable(_matching(index, exact_spec(row.name, row.pin)), target))
    ]
    asked: dict[str, tuple[list[str], list[Record]]] = {
        "as is": ([spec_text(row) for row in report.export.requirements], []),
        "builds dropped": ([spec_text(row) for row in rows], []),
        "and unknown names dropped": ([spec_text(row) for row in known], []),
        "and unknown versions dropped": ([spec_text(row) for row in existing], []),
        "unpinned, unknown dropped": (names, []),
        "unpinned, versions preferred": (names, preferred),
        "direct names, versions preferred": ([name for name in names if name in report.plan.direct], preferred),
    }
    for way in ENGINE_WAYS:
        specs, records = asked[way]
        started = time.perf_counter()
        versions, late = _solved(index, specs, records)
        yield Answer(way=way, seconds=time.perf_counter() - started, versions=versions, late=late)


def ask_micromamba(report: Report, index: Index, folder: str) -> Iterator[Answer]:
    """Ask the micromamba on ``PATH``, if there is one, with ``folder`` as its home.

    It gets the channels that the check could load, since it ends at one that is missing, and the check's virtual
    packages.
    """
    program = shutil.which("micromamba")
    if program is None:
        return
    command = [program, "create", "--no-rc", "--dry-run", "--json", "-q", "-y", "-n", "x"]
    command += ["--platform", report.target.platform, "--override-channels"]
    for status in report.channel_statuses:
        if status.state is ChannelState.LOADED:
            command += ["-c", status.channel.locations[0]]
    environment = {"PATH": os.environ["PATH"], "HOME": folder, "MAMBA_ROOT_PREFIX": folder}
    environment |= dict(_override(one) for one in report.target.virtual_packages)
    rows = [
        _without_build(row)
        for row in report.environment.requirements
        if _usable(index.records(row.name), report.target)
    ]
    pinned = [f"{row.name}{row.version}" if (row.version or "").startswith("==") else spec_text(row) for row in rows]
    for way, specs in zip(MICROMAMBA_WAYS, (pinned, [row.name for row in rows]), strict=True):
        started = time.perf_counter()
        try:
            done = subprocess.run(
                [*command, *specs], env=environment, cwd=folder, capture_output=True, check=False, timeout=SECONDS
            )
        except subprocess.TimeoutExpired:
            yield Answer(way=way, seconds=time.perf_counter() - started, versions=None, late=True)
            continue
        seconds = time.perf_counter() - started
        versions = None
        if done.returncode == 0 and specs:
            links = json.loads(done.stdout)["actions"].get("LINK", [])
            versions = {link["name"]: link["version"] for link in links}
        yield Answer(way=way, seconds=seconds, versions=versions)


def _solved(index: Index, specs: Sequence[str], preferred: Sequence[Record]) -> tuple[dict[str, str] | None, bool]:
    if not specs:
        return None, False
    try:
        outcome = index.solve(specs, preferred=preferred, timeout=SECONDS)
    except (ValueError, EngineError):  # a row that is no MatchSpec, or an engine that gave up
        return None, False
    if isinstance(outcome, Solved):
        return {record.name: record.version for record in outcome.packages}, False
    return None, outcome.cancelled


def _without_build(row: Requirement) -> Requirement:
    return Requirement(name=row.name, version=row.version, pin=row.pin, line=row.line, text=row.text)


def _matching(index: Index, spec: str) -> tuple[Record, ...]:
    try:
        return index.matching(spec)
    except ValueError:
        return ()


def _usable(records: Sequence[Record], target: Target) -> list[Record]:
    return [record for record in records if installable(record, target, None)]


def _override(package: VirtualPackage) -> tuple[str, str]:
    """The variable that gives micromamba a virtual package; ``__archspec`` is known by its build."""
    value = package.build if package.name == "__archspec" else package.version
    return f"CONDA_OVERRIDE_{package.name.strip('_').upper()}", value
