"""Findings 801 to 849: what a Dockerfile itself does wrong with its environments."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from envcheck.docker.followed import Activation, FileFate, MadeEnvironment
from envcheck.docker.images import deprecation, find_image, split_reference
from envcheck.mirrors import recognise
from envcheck.model import Remedy, RemedyAction, Severity
from envcheck.rules.docker_facts import DockerFacts
from envcheck.rules.facts import Draft
from envcheck.secrets import mask, split_secrets

__all__ = [
    "activation_is_lost",
    "cache_in_layer",
    "channel_order",
    "credentials",
    "cuda_without_driver",
    "deprecated_image",
    "encoding",
    "entry_misses_environment",
    "environment_not_checked",
    "file_kind",
    "frozen_channel",
    "ignored_file",
    "lock_for_other_platform",
    "mirror_lacks_channel",
    "missing_file",
    "musl_image",
    "question_unanswered",
    "terms_of_service",
    "unknown_environment",
    "unknown_image",
    "unpinned_image",
    "unquoted_greater_than",
    "used_before_copied",
    "windows_path",
]


def _edit(summary: str, spec: str | None = None) -> tuple[Remedy, ...]:
    return (Remedy(action=RemedyAction.EDIT, summary=summary, spec=spec),)


def _called(made: MadeEnvironment) -> str:
    """``conda env create``, as a finding names a command."""
    return f"{made.tool} {made.conda.action if made.conda is not None else 'install'}"


def activation_is_lost(facts: DockerFacts) -> Iterator[Draft]:
    """An environment is activated in a RUN of its own, or by a shell that does not know how.

    Every RUN starts a new shell, so an activation ends with the RUN that made it. And the shell that RUN starts,
    ``/bin/sh -c``, has not read what ``conda init`` wrote: ``conda activate`` stops there with "Run 'conda init'
    before", and ``source`` is unknown to Debian's and Ubuntu's ``sh``.

    Fix: put the environment's ``bin`` on ``PATH`` with ENV, or run commands with ``conda run -n NAME``.
    """
    for one in facts.followed.activations:
        words = " ".join(one.words)
        why = _why_it_fails(one, facts)
        if why:
            severity, message = Severity.ERROR, f"'{words}' fails in a RUN: {why}"
        elif not one.used:
            severity, message = Severity.WARNING, f"'{words}' ends with its RUN: the next one starts a new shell"
        else:
            continue
        name = one.words[-1] if one.words[-1] not in ("activate", "base") else ""
        folder = f"/opt/conda/envs/{name}/bin" if name else "/opt/conda/bin"
        yield Draft(
            severity=severity,
            subject=one.words[0],
            message=message,
            line=one.line,
            remedies=_edit(
                f"write ENV PATH={folder}:$PATH instead, or start commands with "
                f"'{one.words[0] if one.words[0] in ('mamba', 'micromamba') else 'conda'} run -n {name or 'base'}'"
            ),
        )


# Where /bin/sh is bash, which knows ``source``.
_SH_IS_BASH = re.compile(r"centos|rocky|alma|fedora|amazonlinux|oraclelinux|redhat|ubi\d|linux-anvil")


def _why_it_fails(one: Activation, facts: DockerFacts) -> str:
    """Why an activation stops the build, empty where it does not."""
    if one.hooked:
        return ""
    if one.words[0].rsplit("/", 1)[-1] in ("conda", "mamba", "micromamba"):
        return "the shell has not been told of it by 'conda init' or a hook"
    if one.words[0] == "source" and one.shell == "sh" and not _SH_IS_BASH.search(facts.followed.base):
        stage = facts.dockerfile.stages[one.stage]
        known = find_image(stage.base) is not None or re.search(r"debian|ubuntu|python|cuda", stage.base)
        return "/bin/sh of this image does not know 'source'" if known else ""
    return ""


def file_kind(facts: DockerFacts) -> Iterator[Draft]:
    """``conda env create -f`` is given a file that it does not read, or reads as something else.

    It reads ``.yml`` and ``.yaml`` files as environments. A ``.txt`` is read as a list of conda specifications and
    needs ``-n NAME``; rows that pip installed (``pypi_0``) fail there. Any other ending is refused.

    Fix: give it an ``environment.yml``, or install a list with ``conda create -n NAME --file LIST``.
    """
    for made in facts.conda_commands():
        if made.conda is None or not made.conda.action.startswith("env") or made.tool == "micromamba":
            continue
        for used in made.files:
            ending = re.search(r"\.(\w+)$", used.path)
            if ending is None or ending[1].lower() in ("yml", "yaml"):
                continue
            named = made.conda.name is not None or made.conda.prefix is not None
            text = (used.data or b"")[:4096].decode("utf-8", "replace")
            severity = Severity.ERROR
            if ending[1].lower() != "txt":
                message = f"{_called(made)} takes .yml, .yaml and .txt files only"
            elif re.search(r"^dependencies:", text, re.MULTILINE):
                message = "the file holds YAML, but for its name it is read as a list of specifications"
            elif not named:
                message = f"{_called(made)} needs -n NAME with a .txt file"
            else:
                severity = Severity.WARNING
                message = "a .txt file is read as a list of conda specifications; rows that pip installed fail"
            yield Draft(
                severity=severity,
                subject=used.path,
                message=message,
                line=used.line,
                remedies=_edit(f"give it an environment.yml, or use 'conda create -n NAME --file {used.path}'"),
            )


def question_unanswered(facts: DockerFacts) -> Iterator[Draft]:
    """``conda install`` or ``create`` asks whether to go on, and nobody is there to answer.

    With its input at an end conda takes the default answer; other versions of the tools stop. A build should not depend
    on that.

    Fix: add ``-y``, or set ``CONDA_ALWAYS_YES=true``.
    """
    for made in facts.conda_commands():
        if not made.yes:
            yield Draft(
                severity=Severity.WARNING,
                subject=_called(made),
                message="the command asks before it installs, and nobody answers in a build",
                line=made.line,
                remedies=_edit("add -y"),
            )


def channel_order(facts: DockerFacts) -> Iterator[Draft]:
    """conda-forge stands behind Anaconda's channels, so that its packages are hidden.

    Under strict priority a package that the first channel has is taken from there alone, however old; under flexible
    priority the first channel still comes before newer versions. ``conda config --add`` puts a channel first, so the
    last ``--add`` wins.

    Fix: put conda-forge first (``--add channels conda-forge`` last), or leave ``defaults`` out.
    """
    for made in facts.conda_commands():
        if any(one.source is not None and one.source.names_channels for one in facts.checked if one.made is made):
            continue  # The file's own channels come first.
        override = made.conda is not None and made.conda.override_channels
        configured = [] if override else [(one.text, one.line) for one in made.configured]
        names = [*made.channels, *configured]
        kinds = [(_canonical(text), line) for text, line in names]
        forge = next((index for index, (kind, _) in enumerate(kinds) if kind == "conda-forge"), None)
        first = next((index for index, (kind, _) in enumerate(kinds) if kind == "defaults"), None)
        if forge is None or first is None or first > forge:
            continue
        strict = made.priority == "strict"
        line = kinds[forge][1] or kinds[first][1] or made.line
        yield Draft(
            severity=Severity.WARNING if strict else Severity.INFO,
            subject=mask(names[first][0]),
            message="it stands before conda-forge, whose packages of the same names are "
            + ("hidden by strict priority" if strict else "taken only where it has none that fits"),
            line=line,
            remedies=_edit("put conda-forge first, or leave the other out"),
        )


def _canonical(text: str) -> str:
    """``conda-forge``, ``defaults`` or the text itself."""
    match = recognise(text)
    name = text.rstrip("/").rsplit("/", 1)[-1] if match is None else match.channel
    if name == "defaults" or (match is not None and match.channel in ("pkgs/main", "pkgs/r")):
        return "defaults"
    if re.search(r"(?:^|/)pkgs/(?:main|r)/?$|^(?:anaconda|main)$", text):
        return "defaults"
    return name


def frozen_channel(facts: DockerFacts) -> Iterator[Draft]:
    """``pkgs/free`` is configured: it has been frozen since 2017 and has nothing for Python 3.7 and later.

    Mirrors' help pages used to name it, so it lives on in Dockerfiles. As the only channel it makes every current
    environment fail.

    Fix: configure ``pkgs/main`` of the same mirror, or conda-forge.
    """
    for text, line in _channel_mentions(facts):
        if re.search(r"pkgs/free/?$", text):
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(text),
                message="pkgs/free has been frozen since 2017; it has nothing for Python 3.7 and later",
                line=line,
                remedies=_edit("put conda-forge (or pkgs/main of the mirror) in its place"),
            )


def mirror_lacks_channel(facts: DockerFacts) -> Iterator[Draft]:
    """A mirror is asked for a channel that it does not carry.

    Mirrors copy a choice of channels; for any other conda stops with ``HTTP 404``.

    Fix: name another mirror, or the channel itself.
    """
    for text, line in _channel_mentions(facts):
        match = recognise(text)
        if match is not None and match.carried is False:
            yield Draft(
                severity=Severity.ERROR,
                subject=mask(text),
                message=f"the {match.mirror.name} mirror does not carry {match.channel}",
                line=line,
                remedies=_edit(f"write {match.channel}", match.channel),
            )


def _channel_mentions(facts: DockerFacts) -> Iterator[tuple[str, int]]:
    """Every channel that the Dockerfile itself names, once a line."""
    mentions = [(one.text, one.line) for one in facts.followed.channel_changes]
    for made in facts.followed.environments:
        mentions += made.channels
    yield from dict.fromkeys(mentions)


_RUNS_PYTHON = re.compile(
    r"python[\d.]*|ipython|jupyter(?:-lab|-notebook)?|uvicorn|gunicorn|flask|streamlit|pytest|celery|django-admin"
)


def entry_misses_environment(facts: DockerFacts) -> Iterator[Draft]:
    """The container starts a Python that is not the environment's.

    ``CMD ["python", ...]`` looks along ``PATH``; an environment that was made with ``-n NAME`` is not on it, and
    ``~/.bashrc`` is read by interactive shells only.

    Fix: ``ENV PATH=/opt/conda/envs/NAME/bin:$PATH``, or ``CMD ["conda", "run", "-n", "NAME", ...]``.
    """
    chain = facts.final_chain()
    entry = _last_of(facts, "ENTRYPOINT")
    command = _last_of(facts, "CMD")
    if entry is None and find_image(facts.followed.base) is not None and "micromamba" in facts.followed.base:
        return  # Its own entry point activates the environment that ENV_NAME names.
    subject = entry or command
    if subject is None or not facts.followed.prefixes:
        return
    words = subject[1]
    if entry is not None and not _RUNS_PYTHON.fullmatch(words[0] if words else ""):
        return
    if not words or not _RUNS_PYTHON.fullmatch(words[0]):
        return
    variables = dict(facts.followed.variables)
    path = variables.get("PATH", "").split(":")
    made = [one for one in facts.followed.environments if one.conda is not None]
    final = {stage.index for stage in chain}
    elsewhere = [one for one in made if one.prefix.rstrip("/") not in ("/opt/conda", "") and one.stage in final]
    if not elsewhere or any(f"{one.prefix}/bin" in path for one in elsewhere):
        return
    if len(elsewhere) != len([one for one in made if one.stage in final]):
        return  # Something is installed into the base environment, too.
    if subject[2] and facts.followed.shell and facts.followed.shell[0].rsplit("/", 1)[-1] in ("conda", "mamba"):
        return  # The shell form runs in the environment of SHELL.
    prefix = elsewhere[-1].prefix
    yield Draft(
        severity=Severity.WARNING,
        subject=words[0],
        message=f"it is looked for on PATH, where {prefix}/bin is not: the environment made on line "
        f"{elsewhere[-1].line} is not used",
        line=subject[0],
        remedies=_edit(f"add ENV PATH={prefix}/bin:$PATH before it"),
    )


def _last_of(facts: DockerFacts, keyword: str) -> tuple[int, tuple[str, ...], bool] | None:
    """Line, words and whether it is the shell form of the instruction that counts in the end."""
    found = None
    for stage in facts.final_chain():
        for one in stage.instructions:
            if one.keyword == keyword:
                words = one.arguments if one.arguments is not None else one.words
                found = (one.first_line, tuple(words), one.arguments is None)
    return None if found is None or not found[1] else found


def unpinned_image(facts: DockerFacts) -> Iterator[Draft]:
    """A base image has no tag, or ``latest``.

    What is built tomorrow is then built upon another image, with another Python and another conda.

    Fix: name a version, best with its digest.
    """
    for stage in facts.stages():
        if stage.parent is not None or stage.base in ("scratch", ""):
            continue
        _, tag, digest = split_reference(stage.base)
        if digest is None and tag in (None, "latest"):
            yield Draft(
                severity=Severity.WARNING,
                subject=stage.base,
                message="the image has no tag" if tag is None else "the tag 'latest' moves",
                line=stage.origin.first_line,
                remedies=_edit("name a version, for example " + _example(stage.base)),
            )


def _example(base: str) -> str:
    repository = split_reference(base)[0]
    replacement = (deprecation(base) or ("", repository))[1]
    versions = {
        "anaconda/miniconda": "26.1.1-1",
        "condaforge/miniforge3": "26.1.0-0",
        "mambaorg/micromamba": "2.6.1",
        "ubuntu": "24.04",
        "debian": "13-slim",
        "python": "3.13-slim",
    }
    return f"{replacement}:{versions.get(replacement, 'VERSION')}"


def deprecated_image(facts: DockerFacts) -> Iterator[Draft]:
    """A base image is no longer made or kept up by its owners.

    It gets no security updates, and its conda is too old for channels of today.

    Fix: use the image that took its place.
    """
    for stage in facts.stages():
        found = deprecation(stage.base) if stage.parent is None else None
        if found is not None:
            yield Draft(
                severity=Severity.WARNING,
                subject=stage.base,
                message=f"the image {found[0]}",
                line=stage.origin.first_line,
                remedies=_edit(f"use {found[1]}", found[1]),
            )


def musl_image(facts: DockerFacts) -> Iterator[Draft]:
    """Conda's Linux packages are put into an image with musl, where they do not run.

    They are linked against glibc. Alpine has musl; its ``gcompat`` runs some programs and not CPython's extensions.

    Fix: use an image with glibc, such as ``debian:13-slim`` or ``mambaorg/micromamba``.
    """
    for base, line in dict.fromkeys((made.base, made.line) for made in facts.conda_commands() if made.musl):
        yield Draft(
            severity=Severity.ERROR,
            subject=base,
            message="the image has musl, and conda's packages for Linux need glibc",
            line=line,
            remedies=_edit("use an image with glibc, such as debian:13-slim or mambaorg/micromamba"),
        )
        return


def terms_of_service(facts: DockerFacts) -> Iterator[Draft]:
    """Anaconda's channels are used with an installer whose conda asks for their terms of service.

    Since Miniconda and Anaconda 25.5 (July 2025) conda comes with ``conda-anaconda-tos``, and without a terminal it
    stops with ``CondaToSNonInteractiveError``. The images of Anaconda have accepted them.

    Fix: install Miniforge, or use ``-c conda-forge --override-channels``; or, if you accept them, ``conda tos accept``.
    """
    for made in facts.conda_commands():
        installer = made.uses_defaults_installer
        if installer is None or made.tos_accepted or not _asks_for_terms(installer[0]) or made.tool != "conda":
            continue
        override = made.conda is not None and made.conda.override_channels
        names = [text for text, _ in made.channels] + ([] if override else [one.text for one in made.configured])
        if not any(_canonical(text) == "defaults" for text in names):
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject="defaults",
            message=f"{installer[0]} (line {installer[1]}) brings a conda that, outside of CI, stops here until "
            "the terms of service of Anaconda's channels are accepted",
            line=made.line,
            remedies=_edit("install Miniforge instead, or run 'conda tos accept' before if you accept them"),
        )
        return


def _asks_for_terms(installer: str) -> bool:
    """Whether an installer is of a version that asks: ``latest``, or 25.5 and later."""
    version = re.search(r"(?:_|-)(\d{2,4})\.(\d+)", installer)
    if version is None:
        return "latest" in installer
    year = int(version[1]) % 2000 if int(version[1]) > 2000 else int(version[1])
    return (year, int(version[2])) >= (25, 5) and year < 100


def used_before_copied(facts: DockerFacts) -> Iterator[Draft]:
    """A command uses a file that is copied only after it.

    Instructions run in their order; at that moment the file is not in the image.

    Fix: move the COPY before the RUN.
    """
    for made in facts.followed.environments:
        for used in made.files:
            if used.fate is FileFate.LATE:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=used.path,
                    message=f"the file is copied on line {used.copied_on}, after it is used",
                    line=used.line,
                    remedies=_edit(f"move line {used.copied_on} before this one"),
                )


def missing_file(facts: DockerFacts) -> Iterator[Draft]:
    """COPY names a file that is not in the build context, or a command one that was not in what COPY brought.

    Paths are relative to the context, which is the folder that ``docker build`` is given, and never lead out of it.

    Fix: correct the path, or name the context with ``--context`` where it is not the Dockerfile's folder.
    """
    missing = [one for one in facts.followed.context_uses if one.fate is FileFate.MISSING]
    # With every file missing, the build is surely meant for another context.
    elsewhere = not facts.context_named and len(missing) == facts.followed.copies
    for one in missing:
        yield Draft(
            severity=Severity.WARNING if elsewhere else Severity.ERROR,
            subject=one.path,
            message="there is no such file in the build context"
            + (", nor any other that is copied: is the context another folder?" if elsewhere else ""),
            line=one.line,
            remedies=_edit("name the context with --context" if elsewhere else "correct the path, or add the file"),
        )
    if elsewhere:
        return
    for made in facts.followed.environments:
        for used in made.files:
            told = {one.line for one in missing}
            if used.fate is FileFate.MISSING and used.copied_on not in told:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=used.path,
                    message=f"line {used.copied_on} would bring it, but it is not in the build context",
                    line=used.line,
                    remedies=_edit("correct the path, or add the file"),
                )


def ignored_file(facts: DockerFacts) -> Iterator[Draft]:
    """A file that is copied or used is kept out of the build context by the ignore file.

    ``COPY`` then fails with "not found", although the file is there.

    Fix: take the pattern out of it, or add a line ``!FILE`` behind it.
    """
    uses = [one for one in facts.followed.context_uses if one.fate is FileFate.IGNORED]
    for one in uses:
        yield Draft(
            severity=Severity.ERROR,
            subject=one.path,
            message=f"{facts.followed.ignore_file} keeps it out of the build context ({one.pattern})",
            line=one.line,
            remedies=_edit(f"add a line !{one.path} behind it"),
        )
    told = {one.line for one in uses}
    for made in facts.followed.environments:
        for used in made.files:
            if used.fate is FileFate.IGNORED and used.copied_on not in told:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=used.path,
                    message=f"{facts.followed.ignore_file} keeps {used.context_path} out of the build context",
                    line=used.line,
                    remedies=_edit(f"add a line !{used.context_path} to it"),
                )


_DRIVE = re.compile(r"(?<![\w/:])[A-Za-z]:\\\\?[\w.]")
_BACKSLASHED = re.compile(r"(?:^|\s)\.?[\w.-]+(?:\\[\w.-]+)+")


def windows_path(facts: DockerFacts) -> Iterator[Draft]:
    """A path is written as on Windows: with backslashes, or with a drive.

    In a Linux image the backslash is an escape character: it is taken away, and with it the folder's end.

    Fix: write ``/``, relative to the build context.
    """
    if facts.dockerfile.escape == "`" or re.search(r"windows|nanoserver", facts.followed.base):
        return
    for one in facts.instructions("ADD", "COPY", "WORKDIR"):
        found = _DRIVE.search(one.value) or _BACKSLASHED.search(one.value)
        if found is not None:
            yield _windows_draft(one.value[found.start() :].split()[0], one.line_at(found.start()))
    for made in facts.followed.environments:
        for used in made.files:
            if "\\" in used.path:
                yield _windows_draft(used.path, used.line)
    for step in facts.followed.steps:
        if step.name in ("conda", "mamba", "micromamba", "pip", "python", "cd"):
            text = step.instruction.value
            for found in _DRIVE.finditer(text):
                if step.instruction.line_at(found.start()) == step.line:
                    yield _windows_draft(text[found.start() :].split()[0], step.line)
                    return


def _windows_draft(path: str, line: int) -> Draft:
    return Draft(
        severity=Severity.ERROR,
        subject=path,
        message="this is a path of Windows; for Linux the backslash is no separator",
        line=line,
        remedies=_edit("write it with / and relative to the build context"),
    )


def encoding(facts: DockerFacts) -> Iterator[Draft]:
    """The Dockerfile is not UTF-8, so that Docker cannot read it.

    PowerShell's ``>`` writes UTF-16; Docker then reports an unknown instruction on the first line.

    Fix: save it as UTF-8.
    """
    name = facts.dockerfile.encoding
    if name.startswith(("utf-16", "utf-32")):
        yield Draft(
            severity=Severity.ERROR,
            subject="encoding",
            message=f"the file is {name.upper()}; Docker reads UTF-8",
            line=1,
            remedies=_edit("save the file as UTF-8"),
        )


def cache_in_layer(facts: DockerFacts) -> Iterator[Draft]:
    """A RUN leaves downloaded packages in the image.

    What another RUN deletes stays in the layer below.

    Fix: ``&& conda clean -afy`` (``micromamba clean --all --yes``) in the same RUN, ``pip install --no-cache-dir``, or
    ``RUN --mount=type=cache``.
    """
    final = {stage.index for stage in facts.final_chain()}
    told: set[tuple[int, str]] = set()
    for made in facts.followed.environments:
        steps = [one for one in facts.followed.steps if one.stage == made.stage]
        here = [one for one in steps if one.instruction.first_line <= made.line <= one.instruction.last_line]
        if made.stage not in final or not here:
            continue
        instruction = here[0].instruction
        cached = any(one.name == "mount" and "type=cache" in one.value for one in instruction.flags)
        cleaned = any("clean" in one.words[1:3] or "rm" in one.words[:1] for one in here if one.line >= made.line)
        tool = "pip" if made.pip is not None else "conda"
        if cached or (instruction.first_line, tool) in told or made.tool == "pixi":
            continue
        variables = dict(made.variables)
        if made.pip is not None:
            if made.pip.no_cache or variables.get("PIP_NO_CACHE_DIR") or made.pip.words[0] == "uv":
                continue
            fix = "add --no-cache-dir"
        else:
            if cleaned:
                continue
            fix = f"add && {'micromamba clean --all --yes' if made.tool == 'micromamba' else 'conda clean -afy'}"
        told.add((instruction.first_line, tool))
        yield Draft(
            severity=Severity.INFO,
            subject=_called(made),
            message="the downloaded packages stay in the image",
            line=made.line,
            remedies=_edit(f"{fix} in the same RUN, or mount a cache (RUN --mount=type=cache,target=…)"),
        )


def lock_for_other_platform(facts: DockerFacts) -> Iterator[Draft]:
    """A lock is installed on a platform that it has nothing for.

    ``FROM --platform=linux/arm64`` with a lock of linux-64 is the usual case; an @EXPLICIT list is for one platform.

    Fix: lock for that platform too (``envcheck lock -p linux-64 -p linux-aarch64``), or change ``--platform``.
    """
    for one in facts.checked:
        source = one.source
        if source is not None and source.lock_platforms and one.platform not in source.lock_platforms:
            yield Draft(
                severity=Severity.ERROR,
                subject=one.path,
                message=f"the lock is for {', '.join(source.lock_platforms)}, and the image is {one.platform}",
                line=one.made.line,
                remedies=_edit(f"lock again with -p {one.platform}, or change --platform"),
            )


def credentials(facts: DockerFacts) -> Iterator[Draft]:
    """The address of a channel or package index carries a password or token.

    It stays readable in the image's history and in conda's configuration, for everybody who has the image.

    Fix: ``RUN --mount=type=secret``, and revoke the credentials.
    """
    mentions = list(_channel_mentions(facts))
    for made in facts.followed.environments:
        if made.pip is not None:
            mentions += [(value, made.line) for _, value in made.pip.options]
    for text, line in dict.fromkeys(mentions):
        if split_secrets(text).has_secrets:
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(text),
                message="its credentials can be read by everybody who has the image",
                line=line,
                remedies=_edit("bring them in with RUN --mount=type=secret, and revoke these"),
            )


def unquoted_greater_than(facts: DockerFacts) -> Iterator[Draft]:
    """A ``>`` of a version constraint is not quoted, so the shell writes a file and the constraint is lost.

    ``conda install numpy>=1.20`` installs any numpy and writes conda's output to a file called ``=1.20``.

    Fix: quote it: ``"numpy>=1.20"``.
    """
    for made in facts.conda_commands():
        for target in made.conda.redirected if made.conda is not None else ():
            yield Draft(
                severity=Severity.ERROR,
                subject=f">{target}",
                message=f"the shell takes '>' for a redirection to a file called '{target}'; the constraint is lost",
                line=made.line,
                remedies=_edit("put the specification in quotes"),
            )


def unknown_image(facts: DockerFacts) -> Iterator[Draft]:
    """Nothing is known of a base image.

    Its C library was taken to be the platform's default, and its conda to know conda-forge and Anaconda's channels.

    Fix: say what it is built upon: ``--image debian:12``, or ``--virtual-package __glibc=2.36``.
    """
    told: set[str] = set()
    for one in facts.checked:
        if not one.image_known and one.made.base not in told:
            told.add(one.made.base)
            stage = facts.dockerfile.stages[one.made.stage]
            yield Draft(
                severity=Severity.INFO,
                subject=one.made.base,
                message="nothing is known of this image: a usual C library and, unless told otherwise, the "
                "channels conda-forge and defaults were taken for granted",
                line=stage.origin.first_line,
                remedies=_edit("say what it is built upon with --image"),
            )


def environment_not_checked(facts: DockerFacts) -> Iterator[Draft]:
    """An environment could not be checked.

    What it is made of is neither in the Dockerfile nor in the build context, or cannot be read; the message says which.

    Fix: name the context with ``--context``, or check the file itself with ``envcheck check``.
    """
    for one in facts.checked:
        if one.verdict is None and not (one.source is not None and one.source.lock_platforms):
            yield Draft(
                severity=Severity.INFO,
                subject=one.path,
                message=f"not checked: {one.reason}",
                line=one.made.line,
            )


def cuda_without_driver(facts: DockerFacts) -> Iterator[Draft]:
    """Packages need ``__cuda``, which conda sees only where a driver is, and a build has none.

    conda asks the machine for its driver. While an image is built there is none, so the solver takes CPU builds or
    stops.

    Fix: ``ENV CONDA_OVERRIDE_CUDA=12.4`` (or before the command).
    """
    for one in facts.checked:
        if one.report is None or "CONDA_OVERRIDE_CUDA" in dict(one.made.variables) or one.made.conda is None:
            continue
        version = next((p.version for p in one.report.target.virtual_packages if p.name == "__cuda"), None)
        needing = [r.name for r in one.report.plan.packages if any(d.split()[0] == "__cuda" for d in r.depends)]
        if version is None or not needing or (one.source is not None and one.source.lock_platforms):
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject=needing[0],
            message=f"it needs __cuda, and no driver is there while the image is built: another build of {needing[0]} "
            "is taken, or none",
            line=one.made.line,
            remedies=_edit(f"set ENV CONDA_OVERRIDE_CUDA={version}"),
        )


def unknown_environment(facts: DockerFacts) -> Iterator[Draft]:
    """An environment is run or activated that nothing in the Dockerfile makes.

    Mostly its name is another one in the environment file.

    Fix: use the name that the file has, or give it with ``-n``.
    """
    if facts.followed.ran_unknown or find_image(facts.followed.base) is None:
        return
    if any(used.fate is not FileFate.READ for made in facts.conda_commands() for used in made.files):
        return
    known = {name.rsplit("/", 1)[-1] for name, _ in facts.followed.prefixes} | {"base", "root", ""}
    for name, line in _environment_mentions(facts):
        if name.rsplit("/", 1)[-1] not in known and "$" not in name:
            made = sorted(known - {"base", "root", ""})
            yield Draft(
                severity=Severity.ERROR,
                subject=name,
                message="no such environment is made" + (f"; there is {', '.join(made)}" if made else ""),
                line=line,
                remedies=_edit(f"write {made[0]}" if len(made) == 1 else "give the environment this name with -n"),
            )


def _environment_mentions(facts: DockerFacts) -> Iterator[tuple[str, int]]:
    """The environments that activations, ``conda run`` and SHELL name."""
    for one in facts.followed.activations:
        if len(one.words) > 2 or one.words[0].endswith("activate"):
            yield one.words[-1], one.line
    for stage in facts.final_chain():
        for instruction in stage.instructions:
            if instruction.keyword in ("CMD", "ENTRYPOINT", "SHELL") and instruction.arguments is not None:
                name = _run_name(instruction.arguments)
                if name is not None:
                    yield name, instruction.first_line


def _run_name(words: Sequence[str]) -> str | None:
    """NAME of ``conda run -n NAME``."""
    if len(words) < 3 or words[0].rsplit("/", 1)[-1] not in ("conda", "mamba", "micromamba") or words[1] != "run":
        return None
    for option, value in itertools.pairwise(words[2:]):
        if option in ("-n", "--name"):
            return value
        if not option.startswith("-"):
            return None
    return None
