"""envcheck's own image: no engine builds it here, so what can be held to something without one is."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

import pytest
from dockerfile_parse import DockerfileParser

ROOT = Path(__file__).parents[1]
INSTRUCTIONS: list[dict[str, str]] = DockerfileParser(fileobj=io.BytesIO((ROOT / "Dockerfile").read_bytes())).structure


def values(instruction: str) -> list[str]:
    return [one["value"] for one in INSTRUCTIONS if one["instruction"] == instruction]


def copied_from_context() -> list[str]:
    words = [value.split() for value in values("COPY") if not value.startswith("--from=")]
    return [source for *sources, _ in words for source in sources]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("there is no hadolint")
    done = subprocess.run(
        [hadolint, "--failure-threshold", "style", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_envcheck_has_nothing_to_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envcheck", "docker", "Dockerfile", "--offline", "--no-pip", "--format", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert [finding["code"] for finding in json.loads(done.stdout)["findings"]] == []


def test_its_base_has_a_version_and_its_user_no_rights() -> None:
    images = {value.split()[0] for value in values("FROM")}

    assert len(images) == 1, "one base, so one Python for what is built and what runs"
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", images.pop())
    assert values("USER") == ["1000:1000"]
    names = " ".join(values("ARG") + values("ENV"))
    assert not re.search("token|password|secret|key", names, re.IGNORECASE)


def test_what_it_copies_reaches_the_builder_and_is_enough_for_the_wheel(tmp_path: Path) -> None:
    pytest.importorskip("build")
    pytest.importorskip("hatch_fancy_pypi_readme")
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    kept = {line[1:] for line in lines if line.startswith("!")}

    assert lines[0] == "*"
    assert kept == set(copied_from_context())

    context = tmp_path / "context"
    context.mkdir()
    ignored = shutil.ignore_patterns(*(line.removeprefix("**/") for line in lines if line.startswith("**/")))
    for name in kept:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, context / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, context / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(context)],
        capture_output=True,
        check=True,
        timeout=120,
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for pattern in ("envcheck/cli.py", "*.dist-info/entry_points.txt", "*/man1/envcheck-check.1", "*/LICENSE"):
        assert [name for name in names if fnmatch(name, pattern)]
