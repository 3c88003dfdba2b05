"""What is not on a public index is installed from its lock: a repository at a commit, a channel behind a token."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import CommandLine
from tests.support.installers import (
    NEEDS_MICROMAMBA,
    Installer,
    InstallerError,
    Locks,
    call,
    conda_lock_install,
    list_and_pip,
    list_and_uv,
    micromamba_of_lock,
)
from tests.support.packages import PYTHON, write_packages, write_wheels
from tests.support.server import ServerFactory

pytestmark = [
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64", reason="installs what is built for linux-64"
    ),
    NEEDS_MICROMAMBA,
]

REPOSITORY = "https://git.example/kept.git"

# A backend of its own: nothing has to be fetched to build it.
PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "kept"
version = "1.0"
"""

BACKEND = """\
import zipfile
from pathlib import Path

NAME = "kept-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\\nName: kept\\nVersion: 1.0\\n"
WHEEL = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
RECORD = f"kept.py,,\\n{NAME}/METADATA,,\\n{NAME}/WHEEL,,\\n{NAME}/RECORD,,\\n"


def build_wheel(directory, config_settings=None, metadata_directory=None):
    filename = "kept-1.0-py3-none-any.whl"
    with zipfile.ZipFile(Path(directory, filename), "w") as archive:
        archive.write("kept.py")
        for name, text in (("METADATA", METADATA), ("WHEEL", WHEEL), ("RECORD", RECORD)):
            archive.writestr(f"{NAME}/{name}", text)
    return filename
"""


def commits(directory: Path) -> list[str]:
    """A repository of two commits that say which they are; their ids."""
    directory.mkdir()
    (directory / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
    (directory / "backend.py").write_text(BACKEND, encoding="utf-8")
    made = []
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example", "-c", "commit.gpgsign=false"]
    for word in ("first", "second"):
        (directory / "kept.py").write_text(f"print({word!r})\n", encoding="utf-8")
        for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", word]):
            subprocess.run([*git, *words], cwd=directory, check=True, capture_output=True)
        done = subprocess.run([*git, "rev-parse", "HEAD"], cwd=directory, check=True, capture_output=True, text=True)
        made.append(done.stdout.strip())
    return made


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("install", [micromamba_of_lock, conda_lock_install, list_and_pip, list_and_uv])
def test_a_repository_is_installed_at_its_commit(
    install: Installer, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    write_packages(tmp_path / "channels" / "lab")
    channel = f"{loopback_server(tmp_path / 'channels').url}/lab"
    index = loopback_server(write_wheels(tmp_path / "index")).url
    first, _ = commits(tmp_path / "repository")
    envcheck = CommandLine(directory(tmp_path), "channels: []\n", index)
    reference = json.dumps(f"kept @ git+{REPOSITORY}@{first}")
    envcheck.write(
        "environment.yml",
        f"channels: [{channel}]\ndependencies: [python={PYTHON}, pip, {{pip: [greeting, {reference}]}}]\n",
    )
    run = envcheck("lock", "environment.yml", "-c", channel, "--override-channels", "--explicit", "conda-linux-64.lock")
    assert "wrote conda-linux-64.pip-vcs.txt" in run.errors, run.output + run.errors

    # Whoever installs reaches the host; it is the repository on this disk.
    variables = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{(tmp_path / 'repository').as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": REPOSITORY,
    }
    install(Locks(directory=envcheck.directory, index=index, variables=tuple(variables.items())), tmp_path / "prefix")
    python = str(tmp_path / "prefix/bin/python")
    assert call([python, "-m", "kept"], tmp_path / "prefix") == "first\n"
    assert "words" in call([python, "-c", "import greeting; print(greeting.text())"], tmp_path / "prefix")


@pytest.mark.parametrize("install", [list_and_pip, list_and_uv])
def test_what_an_index_of_the_source_has_is_installed_once_it_is_trusted(
    install: Installer, tmp_path: Path, loopback_server: ServerFactory
) -> None:
    write_packages(tmp_path / "channels" / "lab")
    channel = f"{loopback_server(tmp_path / 'channels').url}/lab"
    (tmp_path / "own").mkdir()
    (tmp_path / "own/index.json").write_text('{"meta": {"api-version": "1.0"}, "projects": []}', encoding="utf-8")
    own = loopback_server(tmp_path / "own").url
    other = loopback_server(write_wheels(tmp_path / "index")).url
    envcheck = CommandLine(directory(tmp_path), "channels: []\n", own)
    pip = f"[--index-url {other}, greeting]"
    envcheck.write("environment.yml", f"channels: [{channel}]\ndependencies: [python={PYTHON}, pip, {{pip: {pip}}}]\n")
    words = ["lock", "environment.yml", "-c", channel, "--override-channels", "--explicit", "conda-linux-64.lock"]
    envcheck(*words)
    assert not (envcheck.directory / "conda-linux-64.pip.txt").exists()

    run = envcheck(*words, "--trust-source-indexes")
    assert "wrote conda-linux-64.pip.txt" in run.errors, run.output + run.errors
    install(Locks(directory=envcheck.directory, index=own), tmp_path / "prefix")
    python = str(tmp_path / "prefix/bin/python")
    assert "words" in call([python, "-c", "import greeting; print(greeting.text())"], tmp_path / "prefix")


def test_a_channel_behind_a_token_is_installed_by_whoever_has_the_token(
    tmp_path: Path, loopback_server: ServerFactory
) -> None:
    write_packages(tmp_path / "channels" / "lab")
    server = loopback_server(tmp_path / "channels", prefix="/t/tk-123-secret")
    channel = f"{server.url}/lab"
    envcheck = CommandLine(directory(tmp_path), "channels: []\n", "http://127.0.0.1:1")
    envcheck.write("environment.yml", f"dependencies: [python={PYTHON}, pip]\n")
    variables = {"LAB_TOKEN": "tk-123-secret"}
    run = envcheck("lock", "environment.yml", "-c", channel, "--override-channels", "--no-pip", **variables)
    assert "wrote conda-lock.yml" in run.errors, run.output + run.errors
    text = (envcheck.directory / "conda-lock.yml").read_text("utf-8")
    assert "tk-123-secret" not in text + run.output + run.errors
    assert "/t/${LAB_TOKEN}/lab/linux-64/python" in text
    assert "micromamba" not in text + run.errors

    locks = Locks(directory=envcheck.directory, index="", variables=tuple(variables.items()))
    conda_lock_install(locks, tmp_path / "prefix")
    assert call([str(tmp_path / "prefix/bin/python"), "--version"], tmp_path / "prefix") == f"Python {PYTHON}\n"
    # micromamba, which the lock does not name, leaves the variable as it is.
    with pytest.raises(InstallerError):
        micromamba_of_lock(locks, tmp_path / "other")


def directory(parent: Path) -> Path:
    """A folder to work in."""
    made = parent / "work"
    made.mkdir()
    return made
