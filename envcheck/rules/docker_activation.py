"""Findings about activation in a Dockerfile, and about which environment runs."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from envcheck.docker.followed import Activation, FileFate
from envcheck.docker.images import find_image
from envcheck.docker.substitution import pairs
from envcheck.language import say
from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, edit
from envcheck.rules.facts import Draft

__all__ = [
    "activation_is_lost",
    "entry_misses_environment",
    "output_held_back",
    "unknown_environment",
]


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
            severity, message = Severity.ERROR, say("'{words}' fails in a RUN: {why}", words=words, why=why)
        elif not one.used:
            severity, message = (
                Severity.WARNING,
                say("'{words}' ends with its RUN: the next one starts a new shell", words=words),
            )
        else:
            continue
        name = one.words[-1] if one.words[-1] not in ("activate", "base") else ""
        folder = f"/opt/conda/envs/{name}/bin" if name else "/opt/conda/bin"
        yield Draft(
            severity=severity,
            subject=one.words[0],
            message=message,
            line=one.line,
            remedies=edit(
                say(
                    "write ENV PATH={folder}:$PATH instead, or start commands with '{tool} run -n {name}'",
                    folder=folder,
                    tool=one.words[0] if one.words[0] in ("mamba", "micromamba") else "conda",
                    name=name or "base",
                )
            ),
        )


# Where /bin/sh is bash, which knows ``source``.
_SH_IS_BASH = re.compile(r"centos|rocky|alma|fedora|amazonlinux|oraclelinux|redhat|ubi\d|linux-anvil")


def _why_it_fails(one: Activation, facts: DockerFacts) -> str:
    """Why an activation stops the build, empty where it does not."""
    if one.hooked:
        return ""
    if one.words[0].rsplit("/", 1)[-1] in ("conda", "mamba", "micromamba"):
        return say("the shell has not been told of it by 'conda init' or a hook")
    if one.words[0] == "source" and one.shell == "sh" and not _SH_IS_BASH.search(facts.followed.base):
        stage = facts.dockerfile.stages[one.stage]
        known = find_image(stage.base) is not None or re.search(r"debian|ubuntu|python|cuda", stage.base)
        return say("/bin/sh of this image does not know 'source'") if known else ""
    return ""


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
    entry = facts.last_of("ENTRYPOINT")
    command = facts.last_of("CMD")
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
        message=say(
            "it is looked for on PATH, where {prefix}/bin is not: the environment made on line {line} is not used",
            prefix=prefix,
            line=elsewhere[-1].line,
        ),
        line=subject[0],
        remedies=edit(say("add ENV PATH={prefix}/bin:$PATH before it", prefix=prefix)),
    )


def unknown_environment(facts: DockerFacts) -> Iterator[Draft]:
    """An environment is run, activated or named by its path that nothing in the Dockerfile makes.

    Mostly its name is another one in the environment file. ``conda run`` and a program by its path then fail; a folder
    on ``PATH`` that is not there is passed over, and another Python is found behind it.

    Fix: use the name that the file has, or give it with ``-n``.
    """
    if facts.followed.ran_unknown or find_image(facts.followed.base) is None:
        return
    if any(used.fate is not FileFate.READ for made in facts.conda_commands() for used in made.files):
        return
    known = {name.rsplit("/", 1)[-1] for name, _ in facts.followed.prefixes} | {"base", "root", ""}
    told: set[str] = set()
    for name, line, severity in _environment_mentions(facts):
        if name.rsplit("/", 1)[-1] not in known and "$" not in name and name not in told:
            told.add(name)
            made = sorted(known - {"base", "root", ""})
            yield Draft(
                severity=severity,
                subject=name,
                message=say("no such environment is made")
                + (say("; there is {made}", made=", ".join(made)) if made else ""),
                line=line,
                remedies=edit(
                    say("write {spec}", spec=made[0])
                    if len(made) == 1
                    else say("give the environment this name with -n")
                ),
            )


_PATH_OF_ENVIRONMENT = re.compile(r"/opt/conda/envs/([^/:]+)/bin(?:/[^/]+)?/?")


def _environment_mentions(facts: DockerFacts) -> Iterator[tuple[str, int, Severity]]:
    """The environments that activations, ``conda run``, SHELL, paths of programs and PATH name."""
    for one in facts.followed.activations:
        if len(one.words) > 2 or one.words[0].endswith("activate"):
            yield one.words[-1], one.line, Severity.ERROR
    ending = {found[0] for keyword in ("CMD", "ENTRYPOINT") if (found := facts.last_of(keyword)) is not None}
    for stage in facts.final_chain():
        for instruction in stage.instructions:
            if instruction.keyword == "ENV":
                for variable, value in pairs(instruction.value, escape=facts.dockerfile.escape):
                    parts = (value or "").strip("\"'").split(":") if variable == "PATH" else []
                    for match in filter(None, map(_PATH_OF_ENVIRONMENT.fullmatch, parts)):
                        yield match[1], instruction.first_line, Severity.WARNING
            if instruction.keyword in ("CMD", "ENTRYPOINT", "SHELL") and instruction.arguments:
                name = _run_name(instruction.arguments)
                if name is not None:
                    yield name, instruction.first_line, Severity.ERROR
                program = _PATH_OF_ENVIRONMENT.fullmatch(instruction.arguments[0])
                if program is not None and (instruction.keyword == "SHELL" or instruction.first_line in ending):
                    yield program[1], instruction.first_line, Severity.ERROR


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


def output_held_back(facts: DockerFacts) -> Iterator[Draft]:
    """The image starts with ``conda run``, which keeps what the program prints until it ends.

    ``docker logs`` stays empty for as long as a server runs, and what it printed is lost when the container is killed.

    Fix: ``conda run --no-capture-output``, or put the environment on ``PATH`` and start the program itself.
    """
    for keyword in ("ENTRYPOINT", "CMD"):
        found = facts.last_of(keyword)
        words = () if found is None else found[1]
        if found is None or words[0].rpartition("/")[2] != "conda" or words[1:2] != ("run",):
            continue
        if not {"-s", "--no-capture-output", "--live-stream"} & set(words):
            yield Draft(
                severity=Severity.INFO,
                subject=say("conda run"),
                message=say("it keeps what the program prints until the program ends"),
                line=found[0],
                remedies=edit(say("write conda run --no-capture-output")),
            )
