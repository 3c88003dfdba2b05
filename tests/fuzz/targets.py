"""What strangers hand to envcheck, read: one function per reader, for the fuzzer and for the replay of its corpus.

A target takes any bytes and returns; what envcheck says no to (`EnvcheckError`) is a right answer, any other exception
is a fault, and so is a long time. What a target reads goes on through what is made of it before a channel is asked:
the environment file, the channels, the findings about a Dockerfile.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import cast

import click

from envcheck.audit_candidates import HEAD_BYTES, is_export, may_be_export
from envcheck.baseline import Looked, baseline_text, parse_baseline
from envcheck.channels import resolve_channels
from envcheck.cli import cli
from envcheck.cli_setting_values import defaults_of
from envcheck.condarc import Configuration, load_configuration
from envcheck.docker.context import Context, is_ignored, read_patterns
from envcheck.docker.following import follow
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.sources import sources_of
from envcheck.errors import EnvcheckError
from envcheck.lock_file import contents_for, platforms_to_verify
from envcheck.lock_places import channels_of
from envcheck.model import ChannelReference
from envcheck.normalize import normalize
from envcheck.outputs import normalized_text
from envcheck.pip.configuration import index_settings
from envcheck.previous_lock import PreviousLock
from envcheck.reports.groups import shown
from envcheck.rules.about_dockerfiles import apply_docker_rules
from envcheck.rules.docker_facts import DockerFacts
from envcheck.secrets import mask, split_secrets, strip_secrets
from envcheck.settings import read_settings
from envcheck.sources import read_source

__all__ = ["CORPUS", "TARGETS", "WORDS", "run"]

CORPUS = Path(__file__).with_name("corpus")
"""A folder per target, a file per input: seeds by hand, and whatever was once a fault."""

_NOTHING = Configuration()


def _source(data: bytes) -> None:
    """An export of any kind, as `envcheck normalize` takes it; what is written reads back."""
    may_be_export(data[:HEAD_BYTES])
    is_export(data, "environment.yml")
    export = read_source(data, "environment.yml")
    for platform in ("linux-64", "win-64"):
        environment = normalize(export, platform)
        resolve_channels(environment.channels, _NOTHING, platform=platform)
        read_source(normalized_text(environment).encode("utf-8", "backslashreplace"), "environment.yml")
    for one in export.damage:
        shown(one.text)


def _lock(data: bytes) -> None:
    """A lock, as `envcheck verify` and `--from-lock` take it."""
    from envcheck.lock_file import read_lock

    lock = read_lock(data, "conda-lock.yml")
    for platform in platforms_to_verify(lock, ()):
        contents = contents_for(lock, platform)
        channels_of(contents.packages, _NOTHING)
        resolve_channels(lock.channels, _NOTHING, platform=platform)
        previous = PreviousLock(contents=lock.contents)
        previous.conda(platform)
        previous.pip(platform)


def _dockerfile(data: bytes) -> None:
    """A Dockerfile over a small context, followed to its sources and its own findings."""
    dockerfile = read_dockerfile(data, "Dockerfile", {"PYTHON": "3.11"})
    followed = follow(dockerfile, Context(root=_context()))
    for made in followed.environments:
        sources_of(made, "Dockerfile")
    apply_docker_rules(DockerFacts(followed=followed, checked=()))


def _dockerignore(data: bytes) -> None:
    """The patterns of an ignore file, matched."""
    patterns = read_patterns(data.decode("utf-8", "replace"))
    for path in ("environment.yml", "a/b/c/d/e/f/environment.yml", "a" * 300):
        is_ignored(path, patterns)
    context = Context(root=_context(), patterns=patterns)
    for pattern in patterns[:20]:
        context.matching(pattern.text)
        context.read(pattern.text)


def _condarc(data: bytes) -> None:
    """A ``.condarc``, and the channels that come of it."""
    path = _folder() / "condarc.yml"
    path.write_bytes(data)
    configuration = load_configuration(
        {"CONDARC": str(path), "TOKEN": "tk-1"}, home=None, system_directories=(), working_directory=_folder()
    )
    names = ("conda-forge", "defaults", "https://host/t/tk-1/channel", "./channel", "team/label/dev")
    references = tuple(ChannelReference(text=name, line=1) for name in names)
    resolve_channels(references, configuration, platform="linux-64")


def _channel(data: bytes) -> None:
    """Words where channels are named, and the hiding of what they hold."""
    text = data.decode("utf-8", "replace")
    for line in text.split("\n")[:20]:
        resolve_channels((ChannelReference(text=line, line=1),), _NOTHING, platform="linux-64")
        assert mask(mask(line)) == mask(line)
        assert mask(strip_secrets(line)) == strip_secrets(line)
        split_secrets(line)


def _settings(data: bytes) -> None:
    """A settings file, under both of its names."""

    def read(name: str) -> None:
        path = _folder() / name
        path.write_bytes(data)
        defaults_of(read_settings(str(path)), cast("click.Group", cli))

    _either(lambda: read("envcheck.toml"), lambda: read("pyproject.toml"))


def _baseline(data: bytes) -> None:
    """A baseline, written anew."""
    baseline = parse_baseline(data.decode("utf-8-sig", "replace"), "baseline.json")
    looked = [Looked(path="environment.yml", platform="linux-64", findings=())]
    baseline.judge(looked)
    baseline.gone(looked, lambda _: True)
    text = baseline_text(baseline.updated(looked, lambda _: False))
    assert parse_baseline(text, "baseline.json") == baseline.updated(looked, lambda _: False)


def _pip(data: bytes) -> None:
    """The configuration files of pip and of uv."""
    path = _folder() / "pip.conf"
    path.write_bytes(data)
    nothing = _folder() / "nothing"

    def read(variables: Mapping[str, str]) -> None:
        index_settings(
            None, variables, home=nothing, system="posix", system_directory=nothing, working_directory=nothing
        )

    _either(
        lambda: read({"PIP_CONFIG_FILE": str(path), "UV_NO_CONFIG": "1"}), lambda: read({"UV_CONFIG_FILE": str(path)})
    )


def _either(*readers: Callable[[], None]) -> None:
    """Have all of them read; it is taken where one takes it."""
    refused: list[EnvcheckError] = []
    for reader in readers:
        try:
            reader()
        except EnvcheckError as error:  # noqa: PERF203 - each is a case of its own
            refused.append(error)
    if len(refused) == len(readers):
        raise refused[0]


@cache
def _folder() -> Path:
    """A folder for targets that read a file by its name."""
    return Path(tempfile.mkdtemp(prefix="envcheck-fuzz-"))


@cache
def _context() -> Path:
    """A small build context."""
    folder = _folder() / "context"
    folder.mkdir()
    (folder / "environment.yml").write_text("channels: [conda-forge]\ndependencies: [python=3.11, pip: [six]]\n")
    (folder / "requirements.txt").write_text("six==1.16.0\n-r other.txt\n")
    return folder


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "source": _source,
    "lock": _lock,
    "dockerfile": _dockerfile,
    "dockerignore": _dockerignore,
    "condarc": _condarc,
    "channel": _channel,
    "settings": _settings,
    "baseline": _baseline,
    "pip": _pip,
}
"""Every reader of what somebody else may have written."""

WORDS: tuple[str, ...] = (
    *("dependencies:", "channels:", "  - pip:\n    - ", "prefix: ", "name: ", "nodefaults", "@EXPLICIT", "::", "=="),
    *("# platform: win-64", "package:", "metadata:", "version: 1", "environments:", "packages:", "conda: ", "pypi: "),
    *("https://conda.anaconda.org/", "/t/tk-1/", "u:p@", "?token=", "file:///", "git+https://", ".conda", "#sha256:"),
    *("FROM ", "RUN ", "COPY ", "ADD ", "ARG ", "ENV ", "ONBUILD ", "<<EOF", "\\\n", "`\n", "$", "${", ":-", " && "),
    *("conda env create -f ", "pip install -r ", "micromamba ", "environment.yml", "requirements.txt", "# escape=`"),
    *("channel_alias: ", "custom_channels:", "mirrored_channels:", "default_channels:", "#!final", "!!", "&a ", "*a"),
    *("[tool.envcheck]", "[[index]]", "[global]", "index-url = ", "extra-index-url", '"findings"', "=*", "https://[::"),
    *("---\n", "%YAML 1.1\n", "\\U00110000", "\\ud800", "\x1b[31m", "\u202e", "\ufeff", "\x00", "\r", "- ", "[[", "{{"),
)  # fmt: skip
"""What the fuzzer puts in, as chance would take long to come upon it."""


def run(name: str, data: bytes) -> bool:
    """Give bytes to a target; tells whether they were taken, and lets only faults through."""
    try:
        TARGETS[name](data)
    except EnvcheckError as error:
        if not str(error):
            raise AssertionError("an error without words") from error
        return False
    return True
