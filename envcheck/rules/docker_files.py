"""Findings about the files that a Dockerfile copies and its commands read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.docker.followed import FileFate
from envcheck.docker.preflight import conda_platform
from envcheck.language import say
from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, called, edit
from envcheck.rules.facts import Draft

__all__ = [
    "activation_scripts",
    "encoding",
    "environment_not_checked",
    "file_kind",
    "ignored_file",
    "lock_for_other_platform",
    "missing_file",
    "missing_start",
    "moved_to_other_platform",
    "used_before_copied",
    "windows_path",
]


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
            fix = say("give it an environment.yml, or use 'conda create -n NAME --file {path}'", path=used.path)
            if ending[1].lower() != "txt":
                message = say("{called} takes .yml, .yaml and .txt files only", called=called(made))
            elif re.search(r"^dependencies:", text, re.MULTILINE):
                message = say("the file holds YAML, but for its name it is read as a list of specifications")
            elif not named:
                message = say("{called} needs -n NAME with a .txt file", called=called(made))
            elif (row := re.search(r"^[^#\s]\S*=pypi_\d+\s*$", text, re.MULTILINE)) is not None:
                message = say(
                    "it is read as a list of conda specifications, and no channel has {row}", row=row[0].strip()
                )
                fix = say(
                    "give it an environment.yml with pip's rows below 'pip:' (envcheck normalize {path})",
                    path=used.path,
                )
            else:
                severity = Severity.WARNING
                message = say("a .txt file is read as a list of conda specifications; rows that pip installed fail")
            yield Draft(
                severity=severity,
                subject=used.path,
                message=message,
                line=used.line,
                remedies=edit(fix),
            )


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
                    message=say("the file is copied on line {line}, after it is used", line=used.copied_on),
                    line=used.line,
                    remedies=edit(say("move line {line} before this one", line=used.copied_on)),
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
            message=say("there is no such file in the build context")
            + (say(", nor any other that is copied: is the context another folder?") if elsewhere else ""),
            line=one.line,
            remedies=edit(
                say("name the context with --context") if elsewhere else say("correct the path, or add the file")
            ),
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
                    message=say("line {line} would bring it, but it is not in the build context", line=used.copied_on),
                    line=used.line,
                    remedies=edit(say("correct the path, or add the file")),
                )


def missing_start(facts: DockerFacts) -> Iterator[Draft]:
    """CMD or ENTRYPOINT starts a script that nothing brings into the image.

    The build goes well, and the container stops at once with "No such file or directory", unless the script is mounted.

    Fix: copy it: ``COPY . /app``.
    """
    for one in facts.followed.missing_starts:
        folder = one.folder_line is not None
        yield Draft(
            severity=Severity.WARNING,
            subject=one.path,
            message=say("line {line} would bring it, but it is not in the build context", line=one.folder_line)
            if folder
            else say("nothing copies it into the image, which starts with it"),
            line=one.line,
            remedies=edit(
                say("correct the path, or add the file") if folder else say("add COPY for {path}", path=one.path)
            ),
        )


def activation_scripts(facts: DockerFacts) -> Iterator[Draft]:
    """Scripts for activation are copied into an environment that nothing activates.

    conda runs the scripts in ``etc/conda/activate.d`` of the environment that is activated, and no others: those of the
    base environment are not run for one that was made with ``-n NAME``. On Linux they end in ``.sh``; ``.bat`` is for
    Windows.

    Fix: copy them to ``/opt/conda/envs/NAME/etc/conda/activate.d``, or set what they set with ENV.
    """
    made = {one.prefix.rstrip("/") for one in facts.conda_commands()}
    for one in facts.instructions("ADD", "COPY"):
        match = re.match(r"(/.+?)/etc/conda/(?:de)?activate\.d(?:/|$)", one.words[-1]) if one.words else None
        if match is None or not made or match[1] in made:
            continue
        last = max(made)
        yield Draft(
            severity=Severity.WARNING,
            subject=one.words[-1],
            message=say("these scripts run where {match} is activated, and not with {last}", match=match[1], last=last),
            line=one.first_line,
            remedies=edit(
                say(
                    "copy them below {last}/etc/conda, or set with ENV what they set; Windows' .bat do nothing",
                    last=last,
                )
            ),
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
            message=say(
                "{ignore_file} keeps it out of the build context ({pattern})",
                ignore_file=facts.followed.ignore_file,
                pattern=one.pattern,
            ),
            line=one.line,
            remedies=edit(say("add a line !{path} behind it", path=one.path)),
        )
    told = {one.line for one in uses}
    for made in facts.followed.environments:
        for used in made.files:
            if used.fate is FileFate.IGNORED and used.copied_on not in told:
                yield Draft(
                    severity=Severity.ERROR,
                    subject=used.path,
                    message=say(
                        "{ignore_file} keeps {path} out of the build context",
                        ignore_file=facts.followed.ignore_file,
                        path=used.context_path,
                    ),
                    line=used.line,
                    remedies=edit(say("add a line !{path} to it", path=used.context_path)),
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
        message=say("this is a path of Windows; for Linux the backslash is no separator"),
        line=line,
        remedies=edit(say("write it with / and relative to the build context")),
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
            message=say("the file is {name}; Docker reads UTF-8", name=name.upper()),
            line=1,
            remedies=edit(say("save the file as UTF-8")),
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
                message=say(
                    "the lock is for {lock_platforms}, and the image is {platform}",
                    lock_platforms=", ".join(source.lock_platforms),
                    platform=one.platform,
                ),
                line=one.made.line,
                remedies=edit(say("lock again with -p {platform}, or change --platform", platform=one.platform)),
            )


def moved_to_other_platform(facts: DockerFacts) -> Iterator[Draft]:
    """An environment is made for one platform and copied into an image of another.

    ``FROM --platform=$BUILDPLATFORM`` makes what runs where the build runs; its programs do not start in an image for
    ``linux/arm64``.

    Fix: leave ``--platform`` out of the stage that makes the environment, or create it with ``--platform`` (conda,
    micromamba) for the other one.
    """
    told: set[int] = set()
    for one in facts.checked:
        for moved in facts.followed.moved:
            wanted = conda_platform(moved.platform) if moved.platform else None
            same = (moved.stage, moved.prefix) == (one.made.stage, one.made.prefix)
            if not same or wanted in (None, one.platform) or not one.made.platform or moved.line in told:
                continue
            told.add(moved.line)
            yield Draft(
                severity=Severity.ERROR,
                subject=moved.prefix,
                message=say(
                    "it is made for {platform} (line {line}), and this image is {wanted}",
                    platform=one.platform,
                    line=one.made.line,
                    wanted=wanted,
                ),
                line=moved.line,
                remedies=edit(
                    say("make it for {wanted}, or take --platform out of the stage that makes it", wanted=wanted)
                ),
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
                message=say("not checked: {reason}", reason=one.reason),
                line=one.made.line,
            )
    if not any(True for _ in facts.conda_commands()):
        for name, line in facts.followed.unread_scripts:
            yield Draft(
                severity=Severity.INFO,
                subject=name,
                message=say("not followed: nothing tells what the script does, and it may make environments"),
                line=line,
            )
    for made in facts.conda_commands():
        if made.conda is not None and made.conda.unknown and made.specs:
            yield Draft(
                severity=Severity.INFO,
                subject=called(made),
                message=say("checked without the words that are known only while it runs"),
                line=made.line,
            )
