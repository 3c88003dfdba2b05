"""Dockerfiles with the folder that they are built in, followed without a channel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envcheck.docker.context import open_context
from envcheck.docker.followed import Followed
from envcheck.docker.following import follow
from envcheck.docker.instructions import read_dockerfile
from envcheck.docker.preflight import CheckedSource, Question, check_environments
from envcheck.errors import ConfigurationError
from envcheck.lock_file import LockFile
from envcheck.model import Finding, Report
from envcheck.rules.about_dockerfiles import apply_docker_rules
from envcheck.rules.docker_facts import DockerFacts
from envcheck.verify import LockReport

__all__ = ["Built", "build"]

ENVIRONMENT = "name: demo\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy]\n"


class Built:
    """A Dockerfile in its context: what following it finds, and what its environments would be asked of."""

    def __init__(
        self,
        directory: Path,
        text: str | bytes,
        files: Mapping[str, str | bytes],
        *,
        target: str | None,
        build_args: Mapping[str, str],
        named: bool,
    ) -> None:
        for name, content in files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        self.questions: list[Question] = []
        self.locks: list[LockFile] = []
        data = text.encode() if isinstance(text, str) else text
        parsed = read_dockerfile(data, "Dockerfile", build_args)
        self.followed: Followed = follow(parsed, open_context(directory, directory / "Dockerfile"), target=target)
        self.checked: tuple[CheckedSource, ...] = check_environments(self.followed, self._ask, self._verify)
        facts = DockerFacts(followed=self.followed, checked=self.checked, context_named=named)
        self.findings: tuple[Finding, ...] = apply_docker_rules(facts)

    def codes(self) -> set[str]:
        """The codes of the Dockerfile's own findings."""
        return {one.code for one in self.findings}

    def of(self, code: str) -> tuple[Finding, ...]:
        """The findings of one code."""
        return tuple(one for one in self.findings if one.code == code)

    def _ask(self, question: Question) -> Report:
        self.questions.append(question)
        raise ConfigurationError("there are no channels here")

    def _verify(self, question: Question, lock: LockFile) -> LockReport:
        self.questions.append(question)
        self.locks.append(lock)
        raise ConfigurationError("there are no channels here")


def build(
    directory: Path,
    text: str | bytes,
    files: Mapping[str, str | bytes] | None = None,
    *,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    named: bool = True,
) -> Built:
    """Follow a Dockerfile in a folder with ``environment.yml`` and other files."""
    everything = {"environment.yml": ENVIRONMENT, **(files or {})}
    return Built(directory, text, everything, target=target, build_args=build_args or {}, named=named)
