"""Every Windows export of the real corpus is checked against real repodata, end to end.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/`` and ``channels/``. Its files are spoken of by the start of
their content's SHA-256 alone.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from envcheck.condarc import Configuration
from envcheck.engines.rattler import RattlerEngine
from envcheck.locks import conda_lock_v1, explicit
from envcheck.locks.judge import judge_solution
from envcheck.model import Presence, Report, Verdict
from envcheck.outputs import environment_text, explicit_text, lock_text
from envcheck.pip.index import UnavailableIndex
from envcheck.pipeline import check
from envcheck.request import Request
from envcheck.sources import read_source
from envcheck.world import Services

SHARED = os.environ.get("ENVCHECK_SHARED")

pytestmark = pytest.mark.shared

CHANNELS = (
    *("conda-forge", "pkgs/main", "pkgs/r", "pkgs/msys2", "pkgs/free", "bioconda", "pytorch", "nvidia"),
    # Not in the snapshot: mapped as well, so that they are missing channels and not unreachable ones.
    *("anaconda", "anaconda-fusion", "bodo.ai", "delichon", "gurobi", "huggingface", "intel", "menpo", "msys2"),
    *("metric-learning", "opensim-org"),
)
WINDOWS_LETTERS = "ABCDG"

#: Pairs of one environment in two formats or encodings, by content.
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


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def exports() -> dict[str, Path]:
    if SHARED is None:
        return {}
    folder = Path(SHARED) / "corpus" / "exports"
    return {digest(path): path for path in sorted(folder.iterdir())}


EXPORTS = exports()
WINDOWS = sorted(key for key, path in EXPORTS.items() if path.name[0] in WINDOWS_LETTERS)


def checked(path: Path, channels: Path, *, only: tuple[str, ...] = ()) -> Report:
    """Check one export; ``only`` overrides the source's channels."""
    base = channels.as_uri()
    configuration = Configuration(
        channels=("conda-forge", "defaults"),
        mirrored_channels=tuple((name, (f"{base}/{name}",)) for name in CHANNELS),
    )
    request = Request(
        path=path.name,
        data=path.read_bytes(),
        configuration=configuration,
        channels=only,
        override_channels=bool(only),
        check_pip=False,
    )
    return check(request, Services(engine=RattlerEngine(), package_index=UnavailableIndex("not in this test")))


@pytest.mark.parametrize("key", WINDOWS)
def test_every_windows_export_is_checked_to_the_end(key: str, real_channels: Path) -> None:
    report = checked(EXPORTS[key], real_channels)
    plan = report.plan

    assert report.verdict is not Verdict.READY, "no Windows export installs on Linux as it is"
    assert report.findings
    accounted = [row.name for rows in (plan.kept, plan.changed, plan.dropped, plan.to_pip) for row in rows]
    assert sorted(accounted) == sorted({requirement.name for requirement in report.export.requirements})
    assert not any(one.presence is Presence.UNKNOWN for one in report.availability)
    if not plan.solved:
        assert report.verdict is Verdict.BLOCKED
        return
    assert judge_solution(plan.packages, plan.requirements, report.target, None) == ()
    environment = read_source(environment_text(report).encode(), "environment.yml")
    versions = {record.name: record.version for record in plan.packages}
    asked = {row.name: row.pin for row in environment.requirements if row.name != "pip"}
    assert asked == {name: versions[name] for name in asked}
    if all(record.md5 or record.sha256 for record in plan.packages):
        listed = explicit.read(explicit_text(report))
        assert {package.url for package in listed.packages} == {record.url for record in plan.packages}
    if all(record.md5 for record in plan.packages):
        lock = lock_text([report], path="conda-lock.yml")
        assert conda_lock_v1.verify(lock) == ()
        assert {package.url for package in conda_lock_v1.read(lock).packages} == {
            record.url for record in plan.packages
        }


@pytest.mark.parametrize(("first", "second"), SAME_ENVIRONMENT)
def test_one_environment_in_two_formats_has_one_plan(first: str, second: str, real_channels: Path) -> None:
    channels = ("conda-forge", "pkgs/main", "pytorch", "nvidia")
    plans = [checked(EXPORTS[key], real_channels, only=channels).plan for key in (first, second)]

    assert [plan.solved for plan in plans] == [True, True]
    told = [
        (
            {(row.name, row.version) for row in plan.kept},
            {(row.name, row.to_version) for row in plan.changed},
            {row.name for row in plan.dropped},
            {row.name for row in plan.to_pip},
        )
        for plan in plans
    ]
    assert told[0] == told[1]
    # Without builds some rows cannot be told direct from transitive, which leaves the engine a choice between builds.
    versions = [{(record.name, record.version) for record in plan.packages} for plan in plans]
    assert versions[0] == versions[1]
