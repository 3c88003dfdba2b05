"""``envcheck doctor`` tells what a check would use, and whether it could."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.cli.running import CommandLine


def doctor(*arguments: str, condarc: Path, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CONDARC": str(condarc), "HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-m", "envcheck", "doctor", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=120,
    )


def configured(tmp_path: Path, directory: Path) -> Path:
    condarc = tmp_path / "condarc"
    condarc.write_text(
        "channels: [conda-forge]\nchannel_priority: strict\n"
        f"mirrored_channels:\n  conda-forge: [{(directory / 'conda-forge').as_uri()}]\n"
        "proxy_servers:\n  http: http://lee:hunter2@proxy.example:3128\n",
        encoding="utf-8",
    )
    return condarc


def test_a_healthy_machine(tmp_path: Path, channels_directory: Path, package_index_directory: Path) -> None:
    condarc = configured(tmp_path, channels_directory)
    told = doctor("--offline", "--index-url", package_index_directory.as_uri(), condarc=condarc, home=tmp_path)

    assert told.returncode == 0, told.stderr
    assert "rattler" in told.stdout
    assert "--engine auto takes" in told.stdout
    assert f"read {condarc}" in told.stdout
    assert "channel priority strict" in told.stdout
    assert "conda-forge (https://conda.anaconda.org/conda-forge): loaded" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_a_channel_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    told = doctor("--offline", condarc=configured(tmp_path, tmp_path / "nothing"), home=tmp_path)

    assert told.returncode == 3
    assert "conda-forge: there is no such directory" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_every_place_that_pip_packages_come_from_is_named_without_its_secrets(
    tmp_path: Path, channels_directory: Path, package_index_directory: Path
) -> None:
    uv = tmp_path / ".config" / "uv" / "uv.toml"
    uv.parent.mkdir(parents=True)
    uv.write_text('[[index]]\nname = "lab"\nurl = "https://lee:hunter2@lab.example/simple"\n', encoding="utf-8")
    told = doctor(
        "--offline",
        condarc=configured(tmp_path, channels_directory),
        home=tmp_path,
        XDG_CONFIG_HOME=str(tmp_path / ".config"),
        UV_DEFAULT_INDEX=package_index_directory.as_uri(),
        PIP_FIND_LINKS="https://lee:hunter2@files.example/all.html",
    )
    assert f"{package_index_directory.as_uri()} (from UV_DEFAULT_INDEX)" in told.stdout
    assert f"besides: https://***@lab.example/simple (from {uv})" in told.stdout
    assert "files: https://***@files.example/all.html (from PIP_FIND_LINKS)" in told.stdout
    assert "hunter2" not in told.stdout + told.stderr


def test_the_places_of_all_caches_are_told(envcheck: CommandLine, tmp_path: Path) -> None:
    told = envcheck("doctor", "--offline").output.partition("\nCaches\n")[2].splitlines()
    named = envcheck("doctor", "--offline", "--cache-dir", str(tmp_path / "own")).output.partition("\nCaches\n")[2]

    assert [line.split(": ")[0].strip() for line in told] == ["repodata", "what was read from it", "package index"]
    assert told[1].endswith("/records")
    assert named.count(str(tmp_path / "own")) == 3


def test_how_channels_and_the_index_answer_is_told_in_chinese(envcheck: CommandLine) -> None:
    run = envcheck("--lang", "zh", "doctor", "--offline", "-c", "https://127.0.0.1:9/no-such-channel")
    assert "已加载\n" in run.output
    assert "\n  有应答\n" in run.output
    assert [word for word in ("loaded", "answers", "unreachable", "not-found") if word in run.output] == []
