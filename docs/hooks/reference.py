"""The reference pages, made from the code when the documentation is built: no text of theirs is kept.

`reference_pages` needs nothing but envcheck; `on_files` is the hook that MkDocs calls (https://www.mkdocs.org/user-guide/
configuration/#hooks).
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import envcheck
from envcheck import errors
from envcheck.cli import cli
from envcheck.cli_settings import settable_options
from envcheck.rules.documented import DOCUMENTED_RULES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

__all__ = ["on_files", "reference_pages"]

SUBJECTS = {
    "1": "The file",
    "2": "Specifications",
    "3": "Channels",
    "4": "Platform",
    "5": "Availability and conflicts",
    "6": "pip",
    "7": "Reproducibility and locks",
    "8": "Docker",
}
"""What the first digit of a finding's code says."""

SCHEMAS = {
    "schema_1.json": "One check, verification, Dockerfile or explanation",
    "schema_fleet_1.json": "A fleet: `envcheck audit`",
}
"""The JSON Schemas of the package and what they describe."""

VARIABLES = {
    "ENVCHECK_CONFIG": "the settings file, as `--config` does",
    "ENVCHECK_LARGEST_REPODATA": "how large the repodata of a channel may be, unpacked, such as `2GB`; 1 GB otherwise",
    "NO_COLOR": "no colour in a terminal, whatever its value (https://no-color.org)",
    "LC_ALL, LC_MESSAGES, LANG, LANGUAGE": "the language, in gettext's order, where `--lang` does not say it",
    "SOURCE_DATE_EPOCH": "the date of a bill of materials (`--sbom`), which has none otherwise",
    "CONDA_CHANNELS, CONDA_CHANNEL_PRIORITY and the like": "what `.condarc` says under the same key in small letters",
    "CONDARC, MAMBARC": "a configuration file of conda's or mamba's beside the usual ones",
    "CONDA_PREFIX, CONDA_ROOT, CONDA_EXE, MAMBA_ROOT_PREFIX": "where an installation has its configuration files",
    "CONDA_OVERRIDE_CUDA, CONDA_OVERRIDE_GLIBC, CONDA_OVERRIDE_ARCHSPEC and the like": "the version of a "
    "virtual package, as in conda; `--virtual-package` goes before",
    "any that a configuration file names": "what stands for `${NAME}` in `.condarc`, as in conda: the place for tokens",
    "RATTLER_CACHE_DIR, XDG_CACHE_HOME, LOCALAPPDATA": "where repodata and envcheck's own cache are; "
    "`--cache-dir` goes before",
    "PIP_INDEX_URL, PIP_CONFIG_FILE, VIRTUAL_ENV": "the Python package index, and where pip has a configuration file",
    "UV_DEFAULT_INDEX, UV_INDEX, UV_INDEX_URL, UV_EXTRA_INDEX_URL, UV_INDEX_STRATEGY, UV_FIND_LINKS": "the package "
    "indexes of uv",
    "UV_CONFIG_FILE, UV_NO_CONFIG": "uv's configuration file, and that there is none",
    "UV_CACHE_DIR": "where uv keeps what it has fetched",
    "XDG_CONFIG_HOME, XDG_CONFIG_DIRS, HOME, USERPROFILE, APPDATA, PROGRAMDATA": "where configuration files are "
    "looked for",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR": "proxies and certificates, as the libraries "
    "take them that fetch",
}
"""The environment variables that have a say, and what that is."""

_EXAMPLES = Path(__file__).with_name("findings.json")
"""An example of each finding, as `tests/docs/test_findings_examples.py` writes it."""

_CODE = re.compile(r"(`+)(.+?)\1", re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the reference to the files of the documentation.

    Args:
        files: Those that MkDocs found below ``docs``.
        config: MkDocs' configuration.

    Returns:
        The same collection, with the reference in it.
    """
    from mkdocs.structure.files import File

    for path, content in reference_pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def reference_pages() -> dict[str, str]:
    """Every file of the reference: its path below ``docs``, and its content."""
    schemas = {name: (Path(envcheck.__file__).parent / "reports" / name).read_text("utf-8") for name in SCHEMAS}
    return {
        "reference/commands.md": _commands(),
        "reference/findings.md": _findings(),
        "reference/settings.md": _settings(),
        "reference/exit-statuses.md": _exit_statuses(),
        "reference/json-reports.md": _json_reports({name: json.loads(text) for name, text in schemas.items()}),
        **{f"reference/{name}": text for name, text in schemas.items()},
    }


# ---------------------------------------------------------------------------------------------------------------------
# Text
# ---------------------------------------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """Text as Markdown that shows it: code in backticks stays code, angle brackets and the like are no markup."""
    pieces: list[str] = []
    end = 0
    for code in _CODE.finditer(text):
        pieces += [_plain(text[end : code.start()]), f"`{' '.join(code.group(2).split())}`"]
        end = code.end()
    return "".join([*pieces, _plain(text[end:])])


def _plain(text: str) -> str:
    return re.sub(r"([\\*_\[\]#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _table(*rows: tuple[str, ...]) -> str:
    """A table of Markdown; the first row is its head."""
    head, *body = rows
    lines = [head, tuple("---" for _ in head), *body]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _paragraphs(text: str) -> str:
    """A help text or docstring: paragraphs as such, those that keep their lines as blocks of code."""
    blocks: list[str] = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        lines = paragraph.splitlines()
        if lines and lines[0].strip() == "\b":
            title, *rest = lines[1:]
            blocks += [_escaped(title), "\n".join(["```shell", *(line.strip() for line in rest), "```"])]
        else:
            blocks.append(_escaped(paragraph))
    return "\n\n".join(blocks) + "\n"


# ---------------------------------------------------------------------------------------------------------------------
# Commands and settings
# ---------------------------------------------------------------------------------------------------------------------


def _commands() -> str:
    page = [
        "# Commands\n",
        "Made from the command line's own definitions; `envcheck COMMAND --help` shows the same.\n",
        "## envcheck { #envcheck }\n",
        _options(cli, "envcheck"),
    ]
    for name, command in sorted(cli.commands.items()):
        page += [f"## envcheck {name} {{ #{name} }}\n", _usage(command, name), _paragraphs(command.help or "")]
        page.append(_options(command, name))
    return "\n".join(page)


def _context(command: click.Command, name: str) -> click.Context:
    if command is cli:
        return click.Context(command, info_name="envcheck")
    parent = click.Context(cli, info_name="envcheck")
    return click.Context(command, info_name=name, parent=parent)


def _usage(command: click.Command, name: str) -> str:
    context = _context(command, name)
    return f"```text\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"


def _options(command: click.Command, name: str) -> str:
    context = _context(command, name)
    records = [
        parameter.get_help_record(context) for parameter in command.get_params(context) if not _is_argument(parameter)
    ]
    rows = [(f"`{record[0]}`", _escaped(record[1])) for record in records if record is not None]
    return _table(("Option", "Meaning"), *rows)


def _is_argument(parameter: click.Parameter) -> bool:
    return isinstance(parameter, click.Argument)


def _settings() -> str:
    keys: dict[str, dict[str, click.Option]] = {}
    never: dict[str, list[str]] = {}
    for name, command in sorted(cli.commands.items()):
        settable = settable_options(command)
        for key, option in settable.items():
            keys.setdefault(key, {})[name] = option
        for key in _long_names(command):
            if key not in settable:
                never.setdefault(key, []).append(name)
    rows = [
        (f"`{key}`", _value_of(having.values()), ", ".join(f"[{name}](commands.md#{name})" for name in having))
        for key, having in sorted(keys.items())
    ]
    refused = [(f"`--{key}`", ", ".join(names)) for key, names in sorted(never.items())]
    return "\n".join(
        [
            "# Settings\n",
            "Keys of `[tool.envcheck]` in `pyproject.toml`, or, without that prefix, of `envcheck.toml`. A key is the",
            "long name of an option without its dashes. At the top it holds for every command that has the option; in",
            "a table of the command's name, such as `[tool.envcheck.check]`, for that command alone (`select` can",
            "stand there only). The command line wins; a list given there takes the place of the file's. Paths are",
            "relative to the file.\n",
            "```toml",
            "[tool.envcheck]",
            'channel = ["conda-forge"]',
            'platform = ["linux-64", "linux-aarch64"]',
            "",
            "[tool.envcheck.check]",
            'fail-on = "warning"',
            "```\n",
            "The file is looked for from the working directory upwards, up to the root of the repository or the home",
            "directory. `envcheck --config FILE COMMAND` names another one, `envcheck --no-config COMMAND` uses none.",
            "",
            "## Keys\n",
            _table(("Key", "Value", "Commands"), *rows),
            "## Options that no file can set { #never }\n",
            "They say what is written, what is asked, or whom to trust; that is said where the command is given.\n",
            _table(("Option", "Commands"), *refused),
            "## Environment variables { #variables }\n",
            "The first two are envcheck's own, the others are of the programs whose configuration it reads, and of",
            "the system.\n",
            _table(("Variable", "What it says"), *((f"`{name}`", words) for name, words in VARIABLES.items())),
        ]
    )


def _long_names(command: click.Command) -> list[str]:
    return [
        flag.removeprefix("--")
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("--")
    ]


def _value_of(options: Collection[click.Option]) -> str:
    """What a settings file holds for an option, which commands may have with different words."""
    option = next(iter(options))
    if option.is_flag:
        return "`true` or `false`"
    if option.count or isinstance(option.type, click.types.IntParamType | click.types.FloatParamType):
        return "a number"
    words = dict.fromkeys(
        f"`{word}`" for one in options if isinstance(one.type, click.Choice) for word in one.type.choices
    )
    if any(one.multiple for one in options):
        return "a list of texts"
    return f"one of {', '.join(words)}" if words else "a text"


# ---------------------------------------------------------------------------------------------------------------------
# Findings and exit statuses
# ---------------------------------------------------------------------------------------------------------------------


def _findings() -> str:
    page = [
        "# Findings\n",
        "What envcheck can find, by code. `envcheck rules CODE` shows the same text. A code is never used again for",
        "something else; its first digit says what it is about. `--select` and `--ignore` take codes and their",
        "beginnings. Below each stands what a run prints of a small file that has it; a test makes these examples.\n",
    ]
    examples = json.loads(_EXAMPLES.read_text("utf-8"))
    for digit, subject in SUBJECTS.items():
        rules = [rule for rule in DOCUMENTED_RULES if rule.code[2] == digit]
        page.append(f"## {subject}\n")
        page.append(
            _table(("Code", "Title"), *((f"[{one.code}](#{one.code.lower()})", _escaped(one.title)) for one in rules))
        )
        for rule in rules:
            page += [
                f"### {rule.code}: {_escaped(rule.title)} {{ #{rule.code.lower()} }}\n",
                _paragraphs(rule.documentation),
                _example(examples.get(rule.code)),
            ]
    return "\n".join(page)


def _example(example: Mapping[str, str] | None) -> str:
    """A finding as a run prints it, below the file that has it, where that is short enough to be read."""
    if example is None:
        return "(There is no example: it takes more than a small file.)\n"
    parts = []
    if example["source"]:
        parts += [f'```text title="{example["name"]}"', example["source"], "```\n"]
    return "\n".join([*parts, "```text", example["output"], "```\n"])


def _exit_statuses() -> str:
    kinds = sorted(
        (kind for name in errors.__all__ if (kind := getattr(errors, name)) is not errors.EnvcheckError),
        key=lambda kind: (kind.exit_status, kind.__name__),
    )
    rows = [
        (str(kind.exit_status), _escaped(inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0])) for kind in kinds
    ]
    return "\n".join(
        [
            "# Exit statuses\n",
            _table(
                ("Status", "When"),
                ("0", "There is nothing at or above the threshold of `--fail-on` (`error`, unless set)."),
                ("1", "There are findings at or above it. For `explain`: the package is not there, or is kept out."),
                ("2", "The command line is wrong (an unknown option, a missing file)."),
                *rows,
                ("128 and its number", "A signal ended it (130 after Ctrl-C); no file is left half-written."),
            ),
            "\nWith status 2 or 3 there is a message on standard error, most often with a hint, and nothing is known",
            "of the environment: a pipeline should not take them for findings.\n",
        ]
    )


# ---------------------------------------------------------------------------------------------------------------------
# JSON Schemas
# ---------------------------------------------------------------------------------------------------------------------


def _json_reports(schemas: Mapping[str, Mapping[str, Any]]) -> str:
    page = ["# JSON reports\n", "What `--format json` writes, as its JSON Schemas describe it.\n"]
    for name, content in schemas.items():
        schema = _Schema(name=name, content=content)
        page += [f"## {SCHEMAS[name]}\n", f"The schema: [{name}]({name}).\n"]
        if "description" in content:
            page.append(_escaped(content["description"]) + "\n")
        if "properties" in content:
            page.append(schema.keys(content))
        for definition, part in content.get("$defs", {}).items():
            page.append(f"### `{definition}` {{ #{schema.anchor(definition)} }}\n")
            if "description" in part:
                page.append(_escaped(part["description"]) + "\n")
            page.append(schema.keys(part) if list(schema.rows(part)) else schema.kind(part) + "\n")
    return "\n".join(page)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Schema:
    """A JSON Schema, as tables of its keys."""

    name: str
    content: Mapping[str, Any]

    def anchor(self, definition: str) -> str:
        """The anchor of a definition's section."""
        return f"{self.name.removesuffix('.json')}-{definition}".replace("_", "-")

    def keys(self, part: Mapping[str, Any]) -> str:
        """The table of the keys of an object."""
        return _table(("Key", "Type", "Meaning"), *self.rows(part))

    def rows(self, part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
        """The keys of an object; those of objects within it after a dot, of members of lists after ``[]``."""
        for piece in part.get("allOf", ()):
            yield from self.rows(piece, prefix)
        for key, content in part.get("properties", {}).items():
            optional = "" if key in part.get("required", ()) else " (may be absent)"
            yield f"`{prefix}{key}`", self.kind(content) + optional, _escaped(content.get("description", ""))
            yield from self.rows(content, f"{prefix}{key}.")
            if isinstance(content.get("items"), dict):
                yield from self.rows(content["items"], f"{prefix}{key}[].")

    def kind(self, part: Mapping[str, Any]) -> str:
        """The type of a value, with a link where it has a definition of its own."""
        if "$ref" in part:
            return self._referenced(part["$ref"])
        for combined in ("anyOf", "oneOf", "allOf"):
            if combined in part:
                return " or ".join(self.kind(one) for one in part[combined])
        if "const" in part:
            return f"`{json.dumps(part['const'])}`"
        if "enum" in part:
            return ", ".join(f"`{json.dumps(one)}`" for one in part["enum"])
        kinds = part.get("type", "any value")
        text = " or ".join(kinds) if isinstance(kinds, list) else kinds
        return f"{text} of {self.kind(part['items'])}" if isinstance(part.get("items"), dict) else text

    def _referenced(self, reference: str) -> str:
        """What stands elsewhere in the schema: a link to a definition, of anything else the type."""
        _, *steps = reference.split("/")
        if steps[0] == "$defs" and len(steps) == 2:
            return f"[{steps[1]}](#{self.anchor(steps[1])})"
        part: Any = self.content
        for step in steps:
            part = part[step]
        return self.kind(part)
