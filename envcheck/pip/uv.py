"""uv as the resolver of pip requirements: one subprocess a question, nothing installed, nothing built, no file kept.

``uv pip compile --no-build`` reads metadata of wheels and runs nothing of what it reads. Its answers are told apart by
its exit status (https://docs.astral.sh/uv/reference/cli/): 0 resolved, 1 no solution, anything else no answer. What it
says is shown and never parsed. Index URLs travel in environment variables, because everybody on a machine can read the
arguments of a process.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from envcheck.language import say
from envcheck.pip.configuration import IndexSettings
from envcheck.pip.installed import Installed, write_wheels
from envcheck.pip.resolver import Answer, PipTarget, Resolved, Unresolved
from envcheck.secrets import mask, strip_secrets
from envcheck.urls import split_url

__all__ = ["UvResolver", "UvSession"]

_SECONDS = 120.0
_MACHINES = {"linux-64": "x86_64", "linux-aarch64": "aarch64"}
# The values of --python-platform that name a glibc; a target's own is met by the next lower one.
_GLIBC_MINORS = (17, 28, *range(31, 41))
_PLATFORMS = {
    "osx-64": "x86_64-apple-darwin",
    "osx-arm64": "aarch64-apple-darwin",
    "win-64": "x86_64-pc-windows-msvc",
    "win-32": "i686-pc-windows-msvc",
    "win-arm64": "aarch64-pc-windows-msvc",
}
# The macOS for which wheels are taken: that of `envcheck.pip.tags`.
_MACOS = "11.0"
_SHOWN = 2000
_PLACES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_YEAR = 31536000


@dataclass(frozen=True, slots=True, kw_only=True)
class UvResolver:
    """Resolves with uv.

    ``environment`` are the variables that uv gets, the user's own settings of uv among them; ``cache_directory`` is
    where uv keeps what it read (``None``: its own place); ``exclude_newer`` is in milliseconds since 1970; ``seconds``
    is how long one question may take; ``program`` is the path of uv, found by itself if it is ``None``.
    """

    settings: IndexSettings
    environment: Mapping[str, str] = field(repr=False)
    cache_directory: Path | None = None
    offline: bool = False
    exclude_newer: int | None = None
    seconds: float = _SECONDS
    program: str | None = None

    def trouble(self, target: PipTarget) -> str:
        """Why nothing can be resolved, known beforehand; empty if there is no reason."""
        if self.settings.disabled and not self.settings.find_links:
            return say("pip is configured with no-index")
        if self.offline and not self.settings.disabled and split_url(self.settings.url).scheme != "file":
            return say("offline")
        if _python_platform(target) is None:
            if target.platform not in _MACHINES:
                return say("uv cannot resolve for {platform}", platform=target.platform)
            return say(
                "uv cannot resolve for {platform} with glibc {glibc}", platform=target.platform, glibc=target.glibc
            )
        if self._path() is None:
            return say("uv is missing")
        return ""

    @property
    def indexes(self) -> tuple[str, ...]:
        """The indexes and places of files of the user's configuration, without credentials."""
        texts = (self.settings.url, *self.settings.extra_urls, *self.settings.find_links)
        return tuple(strip_secrets(text).rstrip("/") for text in texts)

    def sees_more(self, target: PipTarget) -> bool:
        """Whether indexes or places of files of the source have a say."""
        return bool(target.indexes or target.find_links)

    @property
    def name(self) -> str:
        """``uv`` and its version."""
        path = self._path()
        return "uv" if path is None else _version(path)

    def _path(self) -> str | None:
        return self.program or _find_uv()

    def open(
        self,
        target: PipTarget,
        installed: Iterable[Installed],
        extras: Mapping[str, Collection[str]],
        *,
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> UvSession:
        """A session of questions about one target with some distributions installed."""
        return UvSession(self, target, tuple(installed), extras, preferred)


class UvSession:
    """Questions about one target; the folder with the installed distributions lives as long as it is entered."""

    def __init__(
        self,
        resolver: UvResolver,
        target: PipTarget,
        installed: tuple[Installed, ...],
        extras: Mapping[str, Collection[str]],
        preferred: tuple[tuple[str, str], ...],
    ) -> None:
        self._preferred = preferred
        self._lasting = _may_last(resolver.settings, resolver.environment)
        self._read_before = False
        self._resolver = resolver
        self._target = target
        self._installed = installed
        self._extras = extras
        self._directory = tempfile.TemporaryDirectory(prefix="envcheck-uv-", ignore_cleanup_errors=True)
        self._answers: dict[tuple[object, ...], Answer] = {}

    def __enter__(self) -> UvSession:  # noqa: PYI034  # typing.Self needs Python 3.11
        folder = Path(self._directory.name) / "installed"
        folder.mkdir()
        work = Path(self._directory.name) / "work"
        work.mkdir()
        # A file of its own keeps uv from looking for one of a project further up.
        lines = ""
        if self._lasting:
            # Files of an index never change, and pages of a mirror that says nothing of caching hold as PyPI's do.
            lines = (
                f"[[index]]\nurl = {json.dumps(self._resolver.settings.url)}\ndefault = true\n"
                f'cache-control = {{ api = "max-age=600", files = "max-age={_YEAR}, immutable" }}\n'
            )
        (work / "uv.toml").write_text(lines, encoding="utf-8")
        write_wheels(folder, self._installed, self._extras)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._directory.cleanup()

    def resolve(
        self,
        requirements: Sequence[str],
        *,
        replaceable: frozenset[str] = frozenset(),
        preferred: tuple[tuple[str, str], ...] = (),
    ) -> Answer:
        """Resolve requirements beside the installed distributions; see `envcheck.pip.resolver.Session`."""
        key = (tuple(requirements), replaceable, preferred)
        if key not in self._answers:
            self._answers[key] = self._ask(requirements, replaceable, preferred)
        return self._answers[key]

    def _ask(
        self, requirements: Sequence[str], replaceable: frozenset[str], preferred: tuple[tuple[str, str], ...]
    ) -> Answer:
        base = Path(self._directory.name)
        kept = [one for one in self._installed if one.name not in replaceable]
        constraints = base / "constraints.txt"
        constraints.write_text("".join(f"{one.pin}\n" for one in kept), encoding="utf-8")
        output = base / "work" / "pylock.toml"
        versions = {one.name: one.labelled for one in self._installed}
        versions = {**dict(self._preferred), **versions, **dict(preferred)}
        if self._resolver._path() is None:  # noqa: SLF001  # its own session
            return Unresolved(explanation=say("uv is missing"), failed=True)

        # What was read moments ago is good enough for an answer that holds. One that does not may be for want of
        # something that was not read: only then the index is asked again.
        def run(*, offline: bool) -> subprocess.CompletedProcess[str]:
            output.unlink(missing_ok=True)
            if versions:
                output.write_text(_preferences(versions), encoding="utf-8")
            return self._run(requirements, constraints, output, offline=offline)

        try:
            done = run(offline=self._read_before)
            if self._read_before and done.returncode != 0:
                done = run(offline=False)
        except subprocess.TimeoutExpired:
            seconds = format(self._resolver.seconds, "g")
            return Unresolved(explanation=say("uv gave no answer in {seconds} seconds", seconds=seconds), failed=True)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Unresolved(explanation=say("uv cannot be started: {reason}", reason=reason), failed=True)
        self._read_before = True
        if done.returncode != 0:
            return Unresolved(explanation=_shown(done.stderr, base), failed=done.returncode != 1)
        return self._read(output.read_text(encoding="utf-8"))

    def _run(
        self, requirements: Sequence[str], constraints: Path, output: Path, *, offline: bool
    ) -> subprocess.CompletedProcess[str]:
        base = Path(self._directory.name)
        variables = self._variables(base / "installed")
        if offline:
            variables["UV_OFFLINE"] = "1"
        return subprocess.run(  # noqa: S603  # uv itself, found beside this Python
            [self._resolver._path() or "uv", *self._arguments(constraints, output)],  # noqa: SLF001
            input="".join(f"{one}\n" for one in requirements),
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=base / "work",
            env=variables,
            timeout=self._resolver.seconds,
            check=False,
        )

    def _read(self, text: str) -> Answer:
        from envcheck.pip.pylock import read_pylock

        target = self._target
        try:
            found = read_pylock(text, python=target.python, platform=target.platform, glibc=target.glibc)
        except ValueError as error:
            return Unresolved(explanation=str(error), failed=True)
        pins = {one.pin for one in self._installed}
        there = {one.name for one in found if f"{one.name}=={one.version}" in pins}
        return Resolved(
            distributions=tuple(one for one in found if one.name not in there),
            provided=tuple((one.name, one.conda_name) for one in self._installed if one.name in there),
        )

    def _arguments(self, constraints: Path, output: Path) -> list[str]:
        arguments = ["pip", "compile", "-", "--format", "pylock.toml", "--generate-hashes", "--no-header", "--quiet"]
        arguments += ["--output-file", str(output)]
        # What follows "--no-build" and "--no-python-downloads" is why nothing of an index can ever run here.
        arguments += ["--no-build", "--no-python-downloads", "--python", sys.executable, "--no-sources"]
        arguments += ["--python-version", self._target.python, "--constraints", str(constraints)]
        arguments += ["--python-platform", _python_platform(self._target) or ""]
        if self._resolver.settings.disabled:
            arguments.append("--no-index")
        if self._resolver.exclude_newer is not None:
            arguments += ["--exclude-newer", _date(self._resolver.exclude_newer)]
        return arguments

    def _variables(self, installed: Path) -> dict[str, str]:
        resolver, settings = self._resolver, self._resolver.settings
        variables = dict(resolver.environment)
        # An interpreter, a project or a folder of the user's has no say in what is resolved for another machine.
        for name in ("UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_WORKING_DIR"):
            variables.pop(name, None)
        # What these say stands in the settings.
        for name in (*_PLACES, "VIRTUAL_ENV"):
            variables.pop(name, None)
        variables |= {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "GIT_TERMINAL_PROMPT": "0"}
        variables.setdefault("UV_HTTP_TIMEOUT", "30")
        variables["MACOSX_DEPLOYMENT_TARGET"] = _MACOS
        if not self._lasting:
            variables["UV_DEFAULT_INDEX"] = settings.url
        extra = (*settings.extra_urls, *self._target.indexes)
        if extra:
            variables["UV_INDEX"] = " ".join(extra)
            variables["UV_INDEX_STRATEGY"] = settings.strategy
        variables["UV_FIND_LINKS"] = ",".join([*settings.find_links, *self._target.find_links, str(installed)])
        if isinstance(settings.verify_tls, str):
            variables["SSL_CERT_DIR" if Path(settings.verify_tls).is_dir() else "SSL_CERT_FILE"] = settings.verify_tls
        if resolver.offline:
            variables["UV_OFFLINE"] = "1"
        if resolver.cache_directory is not None:
            variables["UV_CACHE_DIR"] = str(resolver.cache_directory)
        return variables


def _may_last(settings: IndexSettings, environment: Mapping[str, str]) -> bool:
    """Whether uv may be told how long answers hold: not beside settings of the user's own, nor with a password."""
    home = environment.get("XDG_CONFIG_HOME") or str(Path(environment.get("HOME", "")) / ".config")
    own = (Path(home) / "uv" / "uv.toml", Path("/etc/uv/uv.toml"))
    return (
        settings.url.startswith(("http://", "https://"))
        and strip_secrets(settings.url) == settings.url
        and not settings.disabled
        and not any(environment.get(name) for name in ("UV_CONFIG_FILE", "UV_NO_CONFIG"))
        and not any(path.exists() for path in own)
    )


def _preferences(versions: Mapping[str, str]) -> str:
    """An output of before: uv keeps its versions wherever it may, as pip keeps what is installed."""
    packages = "".join(f'\n[[packages]]\nname = "{name}"\nversion = "{one}"\n' for name, one in versions.items())
    return f'lock-version = "1.0"\ncreated-by = "envcheck"\n{packages}'


def _python_platform(target: PipTarget) -> str | None:
    """The name in uv of a platform, ``None`` for one that it resolves for no wheels of."""
    machine = _MACHINES.get(target.platform)
    if machine is None:
        return _PLATFORMS.get(target.platform)
    match = re.match(r"2\.(\d+)", target.glibc or "")
    minor = int(match[1]) if match else _GLIBC_MINORS[-1]
    fitting = [one for one in _GLIBC_MINORS if one <= minor]
    return f"{machine}-manylinux_2_{fitting[-1]}" if fitting else None


def _date(milliseconds: int) -> str:
    import datetime as dt

    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _shown(text: str, base: Path) -> str:
    """What uv says, without secrets and without the temporary folder's name."""
    return mask(text.strip()).replace(str(base), "")[:_SHOWN]


@functools.cache
def _find_uv() -> str | None:
    """The program that the package ``uv`` brings."""
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        return None


@functools.cache
def _version(path: str) -> str:
    try:
        words = subprocess.run(  # noqa: S603  # uv itself
            [path, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout.split()
    except (OSError, subprocess.TimeoutExpired):
        return "uv"
    return " ".join(words[:2]) or "uv"
