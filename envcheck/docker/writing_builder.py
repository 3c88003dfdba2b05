"""The stage in which a written Dockerfile makes an environment from its lock, one way per style; the lock's files."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from envcheck.docker.writing_images import BUILDERS, CONDA_LOCK, CONDA_LOCK_PYTHON
from envcheck.model import LockedDistribution, PipResolution, Report
from envcheck.outputs import explicit_texts, lock_text

__all__ = ["STYLES", "Lock", "builder_stage", "lock_of", "prefix_of_style"]

STYLES = ("micromamba", "conda-lock", "pixi", "conda")
"""The ways of making the environment, the default first."""

_FOLDER = "/tmp/environment"  # noqa: S108 - in the builder's stage, of which nothing but the environment is kept
_PIXI_FOLDER = "/opt/pixi"
# Where each builder has its own base environment, which no other can take the place of.
_ROOT = "/opt/conda"
_INSTEAD = "/opt/env"
_PACKAGES = f"{_ROOT}/pkgs"
_PIP_CACHE = "/root/.cache/pip"

_MACHINES = {"linux-64": ("x86_64", "linux/amd64"), "linux-aarch64": ("aarch64", "linux/arm64")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of one environment: its files, as pairs of a name relative to the Dockerfile and a text.

    ``folder`` is where they stand in the build context; ``hashed`` and ``commits`` are the names of the requirements
    files of the pip part, ``None`` where there is none or the lock itself holds it.
    """

    style: str
    files: tuple[tuple[str, str], ...]
    folder: str = ""
    hashed: str | None = None
    commits: str | None = None

    def in_context(self, name: str) -> str:
        """A file's path in the build context."""
        return posixpath.join(self.folder, name)


def prefix_of_style(style: str, prefix: str) -> str:
    """Where a style can put an environment that is wanted at ``prefix``."""
    if style == "pixi":
        return f"{_PIXI_FOLDER}/.pixi/envs/default"
    return _INSTEAD if style in ("conda", "conda-lock") and prefix == _ROOT else prefix


def lock_of(
    report: Report,
    *,
    style: str,
    folder: str = "",
    label: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Lock:
    """The lock's files for a style.

    Args:
        report: The report; its plan is solved.
        style: One of `STYLES`.
        folder: Where the Dockerfile stands in the build context.
        label: Tells the files of several environments apart.
        variables: The environment variables, for the names of those that hold the channels' secrets.

    Raises:
        OutputError: A package or a distribution cannot be locked.
    """
    mark = f".{label}" if label else ""
    if style == "conda-lock":
        name = f"conda-lock{mark}.yml"
        return Lock(style=style, files=((name, lock_text([report], path=name, variables=variables)),), folder=folder)
    if style == "pixi":
        place = f"pixi-{label}/" if label else ""
        lock = lock_text([report], path="pixi.lock", format_name="pixi-lock-v7")
        return Lock(
            style=style,
            files=((f"{place}pixi.toml", _pixi_manifest(report)), (f"{place}pixi.lock", lock)),
            folder=folder,
        )
    texts = explicit_texts(report, path=f"conda-{report.target.platform}{mark}.lock")
    names = [name for name, _ in texts]
    return Lock(
        style=style,
        files=texts,
        folder=folder,
        hashed=next((name for name in names if name.endswith(".pip.txt")), None),
        commits=next((name for name in names if name.endswith(".pip-vcs.txt")), None),
    )


def builder_stage(
    report: Report, lock: Lock, *, name: str, prefix: str, platform: str | None, base_exists: bool
) -> str:
    """The text of the stage.

    Args:
        report: The report that the lock is of.
        lock: Its lock.
        name: What the stage is called.
        prefix: Where the environment is made.
        platform: ``--platform`` of the stage that it is for.
        base_exists: Whether the builder has an environment at the prefix already.
    """
    flag = f"--platform={platform} " if platform else ""
    head = [f"FROM {flag}{BUILDERS[lock.style]} AS {name}"]
    if lock.style in ("micromamba", "conda-lock"):
        # The image's own user cannot write into the caches.
        head += ["# hadolint ignore=DL3002,DL3066", "USER root"]
    machine, docker_platform = _MACHINES.get(report.target.platform, ("", ""))
    blocks = ["\n".join(head)]
    if machine and not platform:
        blocks.append(
            f"# A lock is for one platform; elsewhere: docker build --platform {docker_platform}\n"
            f'RUN test "$(uname -m)" = {machine}'
        )
    blocks += _MAKERS[lock.style](lock, prefix, base_exists)
    blocks += _pip_blocks(lock, prefix, report.pip_resolution)
    return "\n\n".join(blocks) + "\n"


def _copy(lock: Lock, *names: str, to: str = f"{_FOLDER}/") -> str:
    words = [*(lock.in_context(name) for name in names), to]
    if all(re.fullmatch(r"[\w./+@%,:=~-]+", word) for word in words):
        return f"COPY {' '.join(words)}"
    return f"COPY {json.dumps(words, ensure_ascii=False)}"


def _run(command: str, *caches: str) -> str:
    """A RUN with cache mounts; ``locked``: no two builds write into one at the same time."""
    mounts = "".join(f"--mount=type=cache,target={cache},sharing=locked \\\n    " for cache in caches)
    return f"RUN {mounts}{command}"


def _micromamba(lock: Lock, prefix: str, base_exists: bool) -> list[str]:
    name = lock.files[0][0]
    # The root prefix is there from the start, and create refuses to make it anew.
    verb = "install" if base_exists else "create"
    command = f"micromamba {verb} --yes --no-rc --always-copy \\\n        --prefix {prefix} --file {_FOLDER}/{name}"
    return [f"{_copy(lock, name)}\n{_run(command, _PACKAGES)}"]


def _conda(lock: Lock, prefix: str, _: bool) -> list[str]:
    name = lock.files[0][0]
    command = f"conda create --yes --copy \\\n        --prefix {prefix} --file {_FOLDER}/{name}"
    return [f"{_copy(lock, name)}\n{_run(command, _PACKAGES)}"]


def _conda_lock(lock: Lock, prefix: str, _: bool) -> list[str]:
    name = lock.files[0][0]
    own = f"{_ROOT}/envs/conda-lock"
    program = (
        f"micromamba create --yes --no-rc --always-copy --prefix {own} \\\n"
        f"        --channel conda-forge python={CONDA_LOCK_PYTHON} conda-lock={CONDA_LOCK}"
    )
    install = (
        f"{own}/bin/conda-lock install --conda /bin/micromamba --copy \\\n        --prefix {prefix} {_FOLDER}/{name}"
    )
    return [_run(program, _PACKAGES), f"{_copy(lock, name)}\n{_run(install, _PACKAGES, _PIP_CACHE)}"]


def _pixi(lock: Lock, prefix: str, _: bool) -> list[str]:
    copy = _copy(lock, *(name for name, _text in lock.files), to="./")
    folder = prefix.partition("/.pixi")[0]
    return [f"WORKDIR {folder}\n{copy}\n{_run('pixi install --frozen', '/root/.cache/rattler')}"]


_MAKERS: Mapping[str, Callable[[Lock, str, bool], list[str]]] = {
    "micromamba": _micromamba,
    "conda-lock": _conda_lock,
    "pixi": _pixi,
    "conda": _conda,
}


def _pip_blocks(lock: Lock, prefix: str, resolution: PipResolution | None) -> list[str]:
    """What pip installs, in a layer of its own: hashed files first, then what is built from commits."""
    blocks: list[str] = []
    pip = f"{prefix}/bin/python -m pip install"
    if lock.hashed is not None:
        command = f"{pip} --require-hashes --no-deps \\\n        --requirement {_FOLDER}/{lock.hashed}"
        blocks.append(f"{_copy(lock, lock.hashed)}\n{_run(command, _PIP_CACHE)}")
    if lock.commits is not None:
        if any(one.url.startswith("git+") for one in _commits(resolution)):
            blocks.append(
                "# hadolint ignore=DL3008\n"
                "RUN apt-get update && \\\n"
                "    apt-get install --yes --no-install-recommends ca-certificates git && \\\n"
                "    rm -rf /var/lib/apt/lists/*"
            )
        command = f"{pip} --no-deps --requirement {_FOLDER}/{lock.commits}"
        copy = _copy(lock, lock.commits)
        blocks.append(f"# Commits have no hash that pip could check.\n{copy}\n{_run(command, _PIP_CACHE)}")
    return blocks


def _commits(resolution: PipResolution | None) -> tuple[LockedDistribution, ...]:
    return () if resolution is None else tuple(one for one in resolution.distributions if one.sha256 is None)


def _pixi_manifest(report: Report) -> str:
    """The manifest that pixi wants beside its lock: what the plan asks for, at the versions of the lock.

    pixi's reference: pixi.prefix.dev/latest/reference/pixi_manifest.
    """
    channels = [
        one.name if one.url == f"https://conda.anaconda.org/{one.name}" else one.url
        for one in (*report.target.channels, *report.plan.added_channels)
    ]
    versions = {one.name: one.version for one in report.plan.packages}
    names = dict.fromkeys(
        re.split(r"[\s=<>!~]", one, maxsplit=1)[0].rpartition("::")[2] for one in report.plan.requirements
    )
    lines = [
        "[workspace]",
        f"name = {_toml(report.environment.name)}",
        f"channels = [{', '.join(map(_toml, channels))}]",
        f"platforms = [{_toml(report.target.platform)}]",
        "",
        "[dependencies]",
        *(f"{_toml_key(name)} = {_toml('==' + versions[name])}" for name in sorted(names) if name in versions),
    ]
    resolution = report.pip_resolution or PipResolution()
    asked = {row.name for row in report.environment.pip}
    pip = [one for one in resolution.distributions if one.name in asked and one.sha256 is not None]
    if pip:
        lines += ["", "[pypi-dependencies]", *(f"{_toml_key(one.name)} = {_toml('==' + one.version)}" for one in pip)]
    return "\n".join(lines) + "\n"


def _toml(text: str) -> str:
    """A basic string of TOML."""
    escaped = re.sub(r'["\\]', lambda found: "\\" + found[0], text)
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\u{ord(found[0]):04X}", escaped) + '"'


def _toml_key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _toml(text)
