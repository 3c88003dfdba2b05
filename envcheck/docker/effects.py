"""What single commands of a RUN do to an image: environments, configuration, installers, files."""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import replace

from envcheck.docker.commands import CONDA_LIKE, TOOLS, read_conda
from envcheck.docker.config_commands import read_config
from envcheck.docker.making import EnvironmentMaker, Run
from envcheck.docker.nested import written
from envcheck.docker.pip_commands import read_pip, read_pip_config
from envcheck.docker.shell import ShellCommand
from envcheck.docker.state import Brought, Configured, State

__all__ = ["SHELLS", "CommandEffects"]

SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "_dockerfile_shell.sh"})
"""Programs that run a script or a text as shell commands."""

# The installers' names: Miniconda3-py311_25.5.1-1-Linux-x86_64.sh, Anaconda3-2025.06-0-…; Miniforge3-… and Mambaforge.
_INSTALLER = re.compile(r"(?P<kind>Miniconda|Anaconda|Miniforge|Mambaforge|Micromamba)3?-[^\s\"']*\.sh", re.IGNORECASE)
# Commands that put no environment file anywhere.
_HARMLESS = frozenset(
    {"apt-get", "apt", "apk", "yum", "dnf", "microdnf", "mkdir", "echo", "rm", "chmod", "chown", "find"}
    | {"ln", "useradd", "groupadd", "adduser", "addgroup", "set", "export", "cd", "true", ":", "ls", "cat"}
    | {"printf", "sha256sum", "which", "touch", "usermod", "groupmod", "chgrp", "id", "locale-gen"}
)
_PACKAGE_MANAGERS = frozenset({"apt-get", "apt", "apk", "yum", "dnf", "microdnf", "brew"})


class CommandEffects(EnvironmentMaker):
    """Takes in one command after the other."""

    def _command(self, command: ShellCommand, line: int, lines: tuple[int, ...], run: Run) -> None:
        """One command that is neither a shell nor an activation."""
        state = run.state
        words = " ".join(word.text for word in command.words)
        if changes := read_config(command):
            before = list(state.channels or ())
            for change in changes:
                state.configure(change, line)
            self._note_channels(before, state)
        elif (made := read_conda(command)) is not None:
            self._make(made, command, lines, run)
        elif (pip := read_pip(command)) is not None:
            self._pip(pip, command, lines, run)
        elif (setting := read_pip_config(command)) is not None:
            state.pip_settings |= dict([setting])
        elif command.name in CONDA_LIKE and " tos " in f" {words} ":
            state.tos_accepted = True
        elif (found := _INSTALLER.search(words)) is not None:
            self._installer(found, command, line, state)
        elif command.name in SHELLS and state.installer and (prefix := _installed_to(command)) is not None:
            state.prefix = state.absolute(prefix, run.folder)
        elif command.name in ("cp", "mv") and len(command.words) == 3:
            source, target = (state.absolute(word.text, run.folder) for word in command.words[1:])
            known = state.find(source)
            if isinstance(known, Brought) and known.path == source:
                into = target + "/" + posixpath.basename(source) if command.words[2].text.endswith("/") else target
                self._bring(state, replace(known, path=into, line=line))
        elif command.name in ("apk", "apt-get") and re.search(r"\b(?:glibc|gcompat|libc6-compat)\b", words):
            state.has_glibc_package = True
        elif "micromamba" in words and command.name in ("curl", "wget", "tar"):
            state.tools.add("micromamba")
        elif command.name in _PACKAGE_MANAGERS and not TOOLS.isdisjoint(words.split()):
            state.tools |= TOOLS & set(words.split())
        elif command.name not in _HARMLESS | CONDA_LIKE:
            state.ran_unknown = True

    def _installer(self, found: re.Match[str], command: ShellCommand, line: int, state: State) -> None:
        """A conda that is installed by its installer comes with its channels."""
        # What is known only while it runs, mostly the architecture, is left out of the name.
        name = found[0].replace("-.sh", "-*.sh")
        if command.name in ("curl", "wget") or state.anaconda_installer is None:
            self._has_installer(name, found["kind"], line, state)
        if (prefix := _installed_to(command)) is not None:
            state.prefix = state.absolute(prefix)

    def _fetched(self, address: str, line: int, state: State) -> None:
        if (found := _INSTALLER.search(address)) is not None:
            self._has_installer(found[0], found["kind"], line, state)

    def _has_installer(self, name: str, kind: str, line: int, state: State) -> None:
        anaconda = kind.lower() in ("miniconda", "anaconda")
        state.anaconda_installer = (name, line) if anaconda else None
        state.tos_accepted = state.tos_accepted and anaconda
        state.installer = True
        state.tools |= {"conda"} if anaconda else {"conda", "mamba"}
        if state.channels is None:
            state.channels = [Configured(text="defaults" if anaconda else "conda-forge", line=0)]

    def _redirects(self, command: ShellCommand, run: Run, line: int) -> None:
        """Files that ``echo … > file`` and ``cat <<EOF > file`` write."""
        for redirect in command.redirects:
            if redirect.operator not in (">", ">>", ">|") or not redirect.certain or not redirect.target:
                continue
            path = run.state.absolute(redirect.target, run.folder)
            data = written(command)
            if data is None:
                run.state.ran_unknown = run.state.ran_unknown or not path.startswith("/dev/")
                continue
            if redirect.operator == ">>":
                known = run.state.find(path)
                if isinstance(known, Brought):
                    data = (self._bytes(known, path) or b"") + data
            self._bring(run.state, Brought(path=path, line=line, data=data))


def _installed_to(command: ShellCommand) -> str | None:
    """The folder that an installer of conda is given with ``-p`` (in batch mode, ``-b``)."""
    words = [word.text for word in command.words if word.certain]
    options = [word for word in words if re.fullmatch(r"-[a-z]+", word)]
    if not any("b" in word for word in options):
        return None
    for option, value in itertools.pairwise(words):
        if option == "--prefix" or (option in options and option.endswith("p")):
            return value
    return None
