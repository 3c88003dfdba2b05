"""A Dockerfile as data: its stages and their instructions, with lines and with the variables put in.

The format is that of the Dockerfile reference (docs.docker.com/reference/dockerfile). Nothing of it is executed and
nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from envcheck.docker.images import image_variables
from envcheck.docker.instruction_parts import Flag, behind_on_build, exec_form, split_flags
from envcheck.docker.lines import Heredoc, Piece, WrittenInstruction, read_directives, split_instructions
from envcheck.docker.substitution import pairs, substitute, words
from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_DOCKERFILE_BYTES, MAX_DOCKERFILE_INSTRUCTIONS, MAX_DOCKERFILE_LINES

__all__ = ["Dockerfile", "Flag", "Heredoc", "Instruction", "Piece", "Stage", "read_dockerfile"]

_WITH_FLAGS = frozenset({"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"})
_WITH_JSON = frozenset({"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"})
# Where BuildKit puts variables in; in RUN, CMD and ENTRYPOINT the shell of the image does it.
_WITH_VARIABLES = frozenset(
    {"ADD", "COPY", "ENV", "EXPOSE", "FROM", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"}
)
_KEYWORDS = (
    frozenset({"ARG", "CMD", "ENTRYPOINT", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "RUN", "SHELL"}) | _WITH_VARIABLES
)
# What may stand behind ONBUILD (``parseOnBuild`` in BuildKit).
_MAY_WAIT = _KEYWORDS - {"FROM", "MAINTAINER", "ONBUILD"}

_HINT = say("Name a Dockerfile, which begins with FROM; it is plain text in UTF-8.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction of a Dockerfile.

    ``keyword`` is in upper case; ``value`` the text behind keyword and flags as written, continuation lines joined;
    ``arguments`` the strings of the exec (JSON) form, ``None`` for the shell form; ``words`` the value's words with
    quotes removed and variables put in (as written for RUN, CMD and ENTRYPOINT, where the image's shell does that; the
    arguments of the exec form); ``flags`` have variables put in. ``first_line`` and ``last_line`` are 1-based and take
    heredocs in; ``text`` is every line of it as written; ``pieces`` are what each line gives to ``value``, in order
    (their texts joined are the value). ``variables`` are those in force before it, ARG and ENV, by name. ``triggered``
    says that it stands behind ONBUILD in the stage that this one is built upon, where its lines are.
    """

    keyword: str
    value: str
    words: tuple[str, ...]
    arguments: tuple[str, ...] | None = None
    flags: tuple[Flag, ...] = ()
    first_line: int
    last_line: int
    text: str
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    heredocs: tuple[Heredoc, ...] = ()
    variables: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    triggered: bool = False

    def flag(self, name: str) -> str | None:
        """The value of a flag, ``None`` where it is not given; of several the last one."""
        return next((flag.value for flag in reversed(self.flags) if flag.name == name), None)

    def line_at(self, offset: int) -> int:
        """The 1-based line on which a character of ``value`` stands."""
        line = self.first_line
        for piece in self.pieces:
            line = piece.line
            if offset < len(piece.text):
                break
            offset -= len(piece.text)
        return line


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One FROM and what follows.

    ``base`` is the image with variables put in; ``parent`` the index of the earlier stage that it names, ``None`` where
    it is an image; ``name`` what follows AS, in lower case as BuildKit compares it; ``platform`` is ``--platform`` with
    variables put in. ``instructions`` do not hold the FROM, which is ``origin``. ``environment`` are the ENV variables
    at the stage's end, which stages built upon it inherit.
    """

    index: int
    name: str | None
    base: str
    parent: int | None
    platform: str | None
    origin: Instruction
    instructions: tuple[Instruction, ...]
    environment: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dockerfile:
    """A whole Dockerfile.

    ``arguments`` are the ARG instructions before the first FROM; ``directives`` the parser directives by name;
    ``escape`` the escape character that they ask for; ``encoding`` as `envcheck.sources.encoding` names it.
    """

    path: str
    stages: tuple[Stage, ...]
    arguments: tuple[Instruction, ...] = ()
    directives: tuple[tuple[str, str], ...] = ()
    escape: str = "\\"
    encoding: str = "utf-8"

    def stage(self, name: str) -> Stage | None:
        """The stage with a name (in any letter case) or an index as text, as ``--target`` and ``--from`` take it."""
        named = [stage for stage in self.stages if stage.name == name.lower()]
        if named:
            return named[-1]
        is_index = name.isascii() and name.isdigit() and len(name) < 10 and int(name) < len(self.stages)
        return self.stages[int(name)] if is_index else None


def read_dockerfile(
    data: bytes, path: str, build_args: Mapping[str, str] | None = None, *, platform: str = "linux/amd64"
) -> Dockerfile:
    """Read a Dockerfile.

    Args:
        data: Its bytes.
        path: Its name, for messages.
        build_args: What ``--build-arg`` gives.
        platform: The target's platform in Docker's words, for ``TARGETARCH`` and its like.

    Raises:
        SourceError: It is no text, is too large, holds an unknown instruction or one before FROM, or has no FROM.
    """
    text, encoding = _decoded(data, path)
    lines = text.split("\n")
    if len(lines) > MAX_DOCKERFILE_LINES:
        raise SourceError(
            say("the file has {count} lines; no Dockerfile has so many", count=format(len(lines), ",")),
            path=path,
            hint=_HINT,
        )
    directives = read_directives(lines)
    escape = dict(directives).get("escape", "\\")
    if escape not in ("\\", "`"):
        raise SourceError(
            say("the escape character cannot be {escape!r}", escape=escape[:20]),
            path=path,
            line=1,
            hint=say("Write # escape=\\ or # escape=`."),
        )
    written = split_instructions(text, path, escape=escape)
    if len(written) > MAX_DOCKERFILE_INSTRUCTIONS:
        raise SourceError(
            say("the file has {count} instructions; no Dockerfile has so many", count=format(len(written), ",")),
            path=path,
            hint=_HINT,
        )
    reader = _Reader(path=path, escape=escape, build_args=dict(build_args or {}), platform=platform)
    for one in written:
        reader.add(one)
    return Dockerfile(
        path=path,
        stages=reader.finished(),
        arguments=tuple(reader.arguments),
        directives=directives,
        escape=escape,
        encoding=encoding,
    )


def _decoded(data: bytes, path: str) -> tuple[str, str]:
    from envcheck.sources.encoding import decode

    if len(data) > MAX_DOCKERFILE_BYTES:
        raise SourceError(say("the file is larger than 1 MiB; no Dockerfile is"), path=path, hint=_HINT)
    if not data.strip():
        raise SourceError(say("the file is empty"), path=path, hint=_HINT)
    try:
        decoded = decode(data, path)
    except SourceError as error:
        # Its words are about exports.
        raise SourceError(say("the file is no text"), path=path, line=error.line or 1, hint=_HINT) from None
    return decoded.text, decoded.encoding


class _Reader:
    """The state of reading from top to bottom: stages so far, and the variables in force."""

    def __init__(self, *, path: str, escape: str, build_args: dict[str, str], platform: str) -> None:
        self.path = path
        self.escape = escape
        self.build_args = build_args
        self.arguments: list[Instruction] = []
        self._platform = _platform_arguments(platform)
        self._global: dict[str, str] = {**self._platform}
        self._stages: list[Stage] = []
        self._current: list[Instruction] = []
        self._environment: dict[str, str] = {}
        self._stage_arguments: dict[str, str] = {}
        self._variables: tuple[tuple[str, str], ...] = ()
        self._on_build: dict[int, list[WrittenInstruction]] = {}

    def add(self, written: WrittenInstruction, *, triggered: bool = False) -> None:
        """Take the next instruction in."""
        if written.keyword not in _KEYWORDS:
            raise SourceError(
                say("unknown instruction {keyword!r}", keyword=written.keyword[:40]),
                path=self.path,
                line=written.first_line,
                hint=say("Is this a Dockerfile? A line that goes on ends with the escape character."),
            )
        if written.keyword == "FROM":
            self._begin(written)
            return
        if not self._stages:
            if written.keyword != "ARG":
                raise SourceError(
                    say("{keyword} stands before the first FROM", keyword=written.keyword),
                    path=self.path,
                    line=written.first_line,
                    hint=say("Only ARG may stand there."),
                )
            self.arguments.append(self._instruction(written, self._global))
            for name, default in pairs(self.arguments[-1].value, escape=self.escape):
                value = self.build_args.get(name, default)
                self._global[name] = "" if value is None else self._substituted(value, self._global, name)
            return
        instruction = replace(self._instruction(written, dict(self._variables)), triggered=triggered)
        self._current.append(instruction)
        if written.keyword == "ONBUILD" and (later := behind_on_build(written, _MAY_WAIT)) is not None:
            self._on_build.setdefault(len(self._stages) - 1, []).append(later)
        if written.keyword == "ENV":
            before = dict(self._variables)
            for name, text in pairs(instruction.value, escape=self.escape):
                self._environment[name] = substitute(text or "", before, escape=self.escape)
            self._settle()
        elif written.keyword == "ARG":
            for name, default in pairs(instruction.value, escape=self.escape):
                self._declare(name, default)
            self._settle()

    def finished(self) -> tuple[Stage, ...]:
        """Every stage.

        Raises:
            SourceError: There is none.
        """
        if not self._stages:
            raise SourceError(say("there is no FROM in the file"), path=self.path, line=1, hint=_HINT)
        self._close()
        return tuple(self._stages)

    def _begin(self, written: WrittenInstruction) -> None:
        if self._stages:
            self._close()
        origin = self._instruction(written, self._global)
        named = len(origin.words) == 3 and origin.words[1].lower() == "as"
        if not origin.words or (len(origin.words) != 1 and not named):
            raise SourceError(
                say("FROM takes an image, and AS and a name after it"),
                path=self.path,
                line=written.first_line,
                hint=say("Write FROM IMAGE or FROM IMAGE AS NAME."),
            )
        base = origin.words[0]
        parent = next((one for one in reversed(self._stages) if one.name == base.lower()), None)
        self._stages.append(
            Stage(
                index=len(self._stages),
                name=origin.words[2].lower() if named else None,
                base=base,
                parent=None if parent is None else parent.index,
                platform=origin.flag("platform") or (None if parent is None else parent.platform),
                origin=origin,
                instructions=(),
            )
        )
        self._current = []
        self._stage_arguments = {}
        self._environment = dict(image_variables(base) if parent is None else parent.environment)
        self._settle()
        for later in self._on_build.get(parent.index, ()) if parent is not None else ():
            self.add(later, triggered=True)

    def _close(self) -> None:
        self._stages[-1] = replace(
            self._stages[-1], instructions=tuple(self._current), environment=tuple(self._environment.items())
        )

    def _declare(self, name: str, default: str | None) -> None:
        """ARG in a stage: the command line's value, else its own default, else the one from before FROM."""
        if name in self.build_args:
            self._stage_arguments[name] = self.build_args[name]
        elif default is not None:
            self._stage_arguments[name] = substitute(default, dict(self._variables), escape=self.escape)
        elif name in self._global:
            self._stage_arguments[name] = self._global[name]

    def _settle(self) -> None:
        """ENV wins over an ARG of the same name."""
        self._variables = tuple({**self._stage_arguments, **self._environment}.items())

    def _substituted(self, value: str, variables: Mapping[str, str], name: str) -> str:
        return value if name in self.build_args else substitute(value, variables, escape=self.escape)

    def _instruction(self, written: WrittenInstruction, variables: Mapping[str, str]) -> Instruction:
        pieces, flags = split_flags(written) if written.keyword in _WITH_FLAGS else (written.pieces, ())
        value = "".join(piece.text for piece in pieces)
        arguments = exec_form(value) if written.keyword in _WITH_JSON else None
        replaces = written.keyword in _WITH_VARIABLES
        if arguments is not None:
            found = tuple(substitute(one, variables, escape="") for one in arguments) if replaces else arguments
        elif replaces:
            found = words(value, variables, escape=self.escape)
        else:
            found = tuple(value.split())
        return Instruction(
            keyword=written.keyword,
            value=value,
            words=found,
            arguments=arguments,
            flags=tuple(
                Flag(name=one.name, value=substitute(one.value, variables, escape=self.escape)) for one in flags
            ),
            first_line=written.first_line,
            last_line=written.last_line,
            text=written.text,
            pieces=pieces,
            heredocs=written.heredocs,
            variables=self._variables,
        )


def _platform_arguments(platform: str) -> dict[str, str]:
    """The ARGs that BuildKit gives by itself ("Automatic platform ARGs in the global scope")."""
    parts: Sequence[str] = [*platform.split("/"), "", ""]
    found: dict[str, str] = {}
    for prefix in ("TARGET", "BUILD"):
        found |= {
            f"{prefix}PLATFORM": platform,
            f"{prefix}OS": parts[0],
            f"{prefix}ARCH": parts[1],
            f"{prefix}VARIANT": parts[2],
        }
    return found
