"""Credentials in every place that can hold them, and every place searched where they might come out."""

from __future__ import annotations

import base64
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import zstandard

from tests.cli.running import CommandLine, Run
from tests.support.server import LoopbackServer, ServerFactory

FORMATS = ("text", "json", "markdown", "html", "sarif", "github", "junit")

TOKEN = "tk-5e11a1fe-0001-4bad-beef-channeltoken"  # noqa: S105 - made up
SECRETS = {
    "channel token": TOKEN,
    "channel password": "chp%2Fass%40word1",
    "alias password": "aliaspassword2",
    "custom token": "tk-5e11a1fe-0002-4bad-beef-customtoken",
    "mirror password": "mirrorpassword3",
    "multichannel password": "multipassword4",
    "proxy password": "proxypassword5",
    "conda proxy password": "condaproxypass6",
    "pip index password": "pipindexpass7",
    "pip extra password": "pipextrapass8",
    "uv password": "uvindexpassword9",
    "source index password": "sourceindexpass10",
    "source link token": "sourcelinktoken11",
    "git token": "ghp_gittoken12",
    "query token": "querytoken13",
    "Dockerfile index password": "dockerindexpass14",
    "Dockerfile argument": "dockerargument15",
    "Dockerfile channel token": "tk-5e11a1fe-0003-4bad-beef-dockertoken",
    "command line password": "commandlinepass16",
    "denied password": "deniedpassword17",
}
"""What must never be seen, each in one place."""


def forms(secret: str) -> Iterator[str]:
    """A secret as it was written, as it is meant, and as a header of HTTP has it."""
    yield secret
    yield unquote(secret)
    yield base64.b64encode(f"alice:{unquote(secret)}".encode()).decode()


def leaks(text: str) -> list[str]:
    """Which secrets a text gives away."""
    return [name for name, secret in SECRETS.items() if any(form in text for form in forms(secret))]


def kept(folder: Path) -> Iterator[tuple[str, str]]:
    """The names and contents of a folder's files; what is packed with zstd, unpacked, too."""
    for path in sorted(folder.rglob("*")):
        yield str(path.relative_to(folder)), ""
        if path.is_file():
            data = path.read_bytes()
            yield str(path.relative_to(folder)), data.decode("latin-1")
            start = data.find(b"\x28\xb5\x2f\xfd")
            while start >= 0:
                try:
                    unpacked = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data[start:])).read(1 << 24)
                except zstandard.ZstdError:
                    unpacked = b""
                yield str(path.relative_to(folder)), unpacked.decode("latin-1")
                start = data.find(b"\x28\xb5\x2f\xfd", start + 4)


@pytest.fixture
def server(loopback_server: ServerFactory, channels_directory: Path) -> LoopbackServer:
    """A server that has the fixture channels behind a token."""
    return loopback_server(channels_directory, prefix=f"/t/{TOKEN}")


@pytest.fixture
def place(server: LoopbackServer) -> str:
    """Its address with all credentials, up to the channel's name."""
    return f"http://alice:{SECRETS['channel password']}@{server.url.partition('://')[2]}".rstrip("/")


@pytest.fixture
def envcheck(tmp_path: Path, place: str, package_index_directory: Path, channels_directory: Path) -> CommandLine:
    directory = tmp_path / "work"
    directory.mkdir()
    secret = SECRETS
    configuration = f"""\
channels: [conda-forge]
channel_alias: https://alice:{secret["alias password"]}@127.0.0.1:9
default_channels: ["{(channels_directory / "pkgs/main").as_uri()}"]
custom_channels:
  team: https://127.0.0.1:9/t/{secret["custom token"]}
custom_multichannels:
  both: ["https://alice:{secret["multichannel password"]}@127.0.0.1:9/one"]
mirrored_channels:
  conda-forge: ["{place}/conda-forge"]
  bioconda: ["https://alice:{secret["mirror password"]}@127.0.0.1:9/bioconda"]
proxy_servers:
  https: http://alice:{secret["conda proxy password"]}@127.0.0.1:9
denylist_channels: ["https://alice:{secret["denied password"]}@127.0.0.1:9/denied"]
remote_connect_timeout_secs: 2
"""
    program = CommandLine(directory, configuration, package_index_directory.as_uri())
    aside = directory.parent / "work-aside"
    (aside / "pip").mkdir()
    (aside / "pip" / "pip.conf").write_text(
        f"[global]\nextra-index-url = https://alice:{secret['pip extra password']}@127.0.0.1:9/simple\n"
    )
    (aside / "uv").mkdir()
    (aside / "uv" / "uv.toml").write_text(
        f'[[index]]\nname = "team"\nurl = "https://alice:{secret["uv password"]}@127.0.0.1:9/simple"\n'
    )
    program.write("environment.yml", source())
    program.write("plain.yml", f"channels: [{place}/conda-forge, nodefaults]\ndependencies: [python=3.10, numpy]\n")
    program.write("Dockerfile", DOCKERFILE)
    private = directory / "private"
    private.mkdir()
    (private / "Dockerfile").write_text(PRIVATE_DOCKERFILE)
    (private / "plain.yml").write_text((directory / "plain.yml").read_text())
    program.write(
        "requirements.txt", f"--index-url https://alice:{secret['source index password']}@127.0.0.1:9/s\nsix\n"
    )
    return program


def source() -> str:
    """An environment with credentials wherever a channel or an address may stand."""
    return f"""\
name: secrets
channels:
  - conda-forge
  - team
  - both
  - https://127.0.0.1:9/x/?token={SECRETS["query token"]}
  - https://alice:{SECRETS["denied password"]}@127.0.0.1:9/denied
dependencies:
  - python=3.10
  - numpy
  - conda-forge::no-such-package
  - https://127.0.0.1:9/t/{SECRETS["custom token"]}/team/linux-64/left-1.0-0.conda
  - pip
  - pip:
      - --index-url https://alice:{SECRETS["source index password"]}@127.0.0.1:9/simple
      - --find-links https://127.0.0.1:9/links?token={SECRETS["source link token"]}
      - git+https://{SECRETS["git token"]}@127.0.0.1:9/team/project.git@main#egg=project
      - attrs @ https://alice:{SECRETS["source index password"]}@127.0.0.1:9/attrs-1.0-py3-none-any.whl
      - six
"""


DOCKERFILE = f"""\
FROM mambaorg/micromamba:1.5.8
ARG INDEX=https://alice:{SECRETS["Dockerfile index password"]}@127.0.0.1:9/simple
ARG TOKEN={SECRETS["Dockerfile argument"]}
ENV PIP_EXTRA_INDEX_URL=https://alice:${{TOKEN}}@127.0.0.1:9/simple
COPY environment.yml requirements.txt /tmp/
RUN conda config --add channels https://127.0.0.1:9/t/{SECRETS["Dockerfile channel token"]}/team
RUN micromamba install -y -n base -c https://127.0.0.1:9/t/{SECRETS["Dockerfile channel token"]}/team \\
    -f /tmp/environment.yml && micromamba create -n other -c conda-forge python=3.10 numpy
RUN pip install --index-url $INDEX -r /tmp/requirements.txt
RUN pip install --extra-index-url https://alice:{SECRETS["Dockerfile index password"]}@127.0.0.1:9/simple six
"""

PRIVATE_DOCKERFILE = f"""\
FROM mambaorg/micromamba:1.5.8
# the mirror is https://alice:{SECRETS["Dockerfile index password"]}@127.0.0.1:9/simple
ARG INDEX=https://alice:{SECRETS["Dockerfile index password"]}@127.0.0.1:9/simple
ARG TOKEN={SECRETS["Dockerfile argument"]}
ENV PIP_EXTRA_INDEX_URL=https://alice:${{TOKEN}}@127.0.0.1:9/simple
LABEL source=https://127.0.0.1:9/t/{SECRETS["Dockerfile channel token"]}/team
COPY plain.yml /tmp/
RUN micromamba install -y -n base -f /tmp/plain.yml && curl https://{SECRETS["git token"]}@127.0.0.1:9/x -o /tmp/x
RUN git clone https://{SECRETS["git token"]}@127.0.0.1:9/team/project.git /opt/project
CMD ["wget", "https://127.0.0.1:9/links?token={SECRETS["source link token"]}"]
"""

VARIABLES = {
    "HTTPS_PROXY": f"http://alice:{SECRETS['proxy password']}@127.0.0.1:9",
    "PIP_EXTRA_INDEX_URL": f"https://alice:{SECRETS['pip index password']}@127.0.0.1:9/simple",
    "NO_PROXY": "127.0.0.1",
    "UV_HTTP_TIMEOUT": "2",
}

LOCK = """\
version: 1
metadata:
  content_hash: {{linux-64: "{zeros}"}}
  channels: [{{url: "{place}/conda-forge", used_env_vars: []}}]
  platforms: [linux-64]
  sources: ["{place}/environment.yml"]
package:
- {{name: left, version: "1.0", manager: conda, platform: linux-64, dependencies: {{}}, category: main, optional: false,
   url: "{place}/conda-forge/linux-64/left-1.0-0.conda", hash: {{md5: "{md5}", sha256: "{zeros}"}}}}
- {{name: six, version: "1.16.0", manager: pip, platform: linux-64, dependencies: {{}}, category: main, optional: false,
   url: "https://alice:{index}@127.0.0.1:9/six-1.16.0-py2.py3-none-any.whl", hash: {{sha256: "{zeros}"}}}}
"""

ANOTHER = ("-c", f"https://alice:{SECRETS['command line password']}@127.0.0.1:9/c")
EVERY_FORMAT = tuple(word for one in FORMATS for word in ("--also", f"{one}=out.{one}"))
WRITTEN = (
    "--lock", "out.lock.yml", "--explicit", "out.list", "--environment", "out.yml", "--sbom", "out.cdx.json",
    "--baseline", "out.baseline.json", "--update-baseline",
)  # fmt: skip

COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check", "environment.yml", "plain.yml", *EVERY_FORMAT, "-vv"),
    "check a denied channel": ("check", "environment.yml", *ANOTHER, *EVERY_FORMAT, "-vv"),
    "check in Chinese": ("check", "environment.yml", *ANOTHER, "--lang", "zh", "-vv"),
    "check and write": ("check", "plain.yml", *WRITTEN, "--format", "html", "-o", "out.html", "-vv"),
    "check with both": ("check", "plain.yml", "--cross-check", "-vv"),
    "verify": ("verify", "conda-lock.yml", "explicit.txt", "--online", *EVERY_FORMAT, "-vv"),
    "docker": ("docker", ".", "--no-pip", *EVERY_FORMAT, "-vv"),
    "docker and write": ("docker", "private", "--write", "private/Dockerfile.locked", "--write-ignore", "-vv"),
    "docker for pixi": ("docker", "private", "--write", "private/Dockerfile.pixi", "--style", "pixi", "--no-pip"),
    "explain": ("explain", "numpy", *ANOTHER),
    "explain what is not there": ("explain", "no-such-package", "--in", "environment.yml", *ANOTHER),
    "explain as JSON": ("explain", "numpy", "--in", "plain.yml", "--format", "json"),
    "audit": ("audit", "."),
    "audit as a page": ("audit", ".", "--format", "html", "-o", "out.html", "--no-pip"),
    "audit as lines": ("audit", ".", "--format", "jsonl", "-o", "out.jsonl", "--no-pip", *ANOTHER),
    "audit in Markdown": ("audit", ".", "--format", "markdown", "-o", "out.md", "--no-pip"),
    "doctor": ("doctor",),
    "doctor with a channel": ("doctor", *ANOTHER),
    "normalize": ("normalize", "environment.yml", "-o", "out.yml"),
}
WITHOUT_ENGINE = ("doctor", "normalize")

ENGINES = [
    "rattler",
    pytest.param(
        "libmamba",
        marks=pytest.mark.skipif(importlib.util.find_spec("libmambapy") is None, reason="libmambapy is not installed"),
    ),
]


def leaks_kept(program: CommandLine) -> set[tuple[str, str]]:
    """The files of the home and the caches in it that give a secret away, and which."""
    aside = program.directory.parent / "work-aside"
    given = {
        str(path.relative_to(aside)) for path in (aside / "condarc", *aside.glob("pip/*"), *aside.glob("uv/uv.toml"))
    }
    return {(name, leak) for name, text in kept(aside) if name not in given for leak in (*leaks(name), *leaks(text))}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_files_that_an_engine_keeps_hold_no_secret(envcheck: CommandLine, engine: str) -> None:
    assert envcheck("check", "plain.yml", "--engine", engine, "--no-pip").status in (0, 1)
    assert leaks_kept(envcheck) == set()


def search(run: Run) -> None:
    """Nothing of what a run says gives a secret away."""
    assert leaks(run.output) == []
    assert leaks(run.errors) == []


def write_locks(program: CommandLine, place: str) -> None:
    index = SECRETS["source index password"]
    zeros, md5 = "0" * 64, "0" * 32
    program.write("conda-lock.yml", LOCK.format(place=place, index=index, zeros=zeros, md5=md5))
    program.write(
        "explicit.txt",
        f"# platform: linux-64\n@EXPLICIT\n{place}/conda-forge/linux-64/left-1.0-0.conda#{md5}\n"
        f"# pip six @ https://alice:{index}@127.0.0.1:9/six-1.16.0-py2.py3-none-any.whl#sha256={zeros}\n",
    )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_tells_a_secret(envcheck: CommandLine, place: str, name: str, engine: str) -> None:
    arguments = COMMANDS[name]
    needed = "libmamba" if "--cross-check" in arguments else "rattler" if arguments[0] in WITHOUT_ENGINE else engine
    if engine != needed:
        pytest.skip("has no say in it")
    write_locks(envcheck, place)
    given = {path: path.read_bytes() for path in envcheck.directory.rglob("*") if path.is_file()}
    chosen = () if arguments[0] in WITHOUT_ENGINE else ("--engine", engine)
    run = envcheck(*arguments, *chosen, **VARIABLES)
    search(run)
    written = {path for path in envcheck.directory.rglob("*") if path.is_file() and path not in given}
    for path in written:
        assert leaks(path.read_text(encoding="utf-8")) == [], path.name
    for path, content in given.items():
        assert path.read_bytes() == content
    for path in (word.partition("=")[2] or word for word in arguments if "out." in word or "private/" in word):
        assert envcheck.directory / path in written, run.errors
    assert leaks_kept(envcheck) == set()


@pytest.mark.parametrize("lock_format", ["conda-lock", "pixi", "explicit"])
def test_no_lock_holds_a_secret(envcheck: CommandLine, lock_format: str) -> None:
    given = envcheck.files()
    run = envcheck(
        "lock", "plain.yml", "--lock", f"out.{lock_format}", "--explicit", "out.list", "--environment", "out.yml",
        *(() if lock_format == "explicit" else ("--lock-format", lock_format)),
        **VARIABLES, TEAM_TOKEN=TOKEN, TEAM_PASSWORD=SECRETS["channel password"], TEAM_USER="alice",
    )  # fmt: skip
    search(run)
    written = {path.name: path.read_text() for path in envcheck.directory.iterdir() if path.name not in given}
    assert written, run.errors
    assert {name: leaks(text) for name, text in written.items() if leaks(text)} == {}
