"""The texts of envcheck that are translated: found in its source, and kept in the catalogues of ``envcheck/locale``.

``python -m tests.support.messages`` (``make messages``) brings the template and the catalogues up to date and compiles
them. What is new is then to be translated in ``envcheck/locale/zh/LC_MESSAGES/envcheck.po``, and the command given
again. Compiled catalogues are in the repository, so that an installation from any form of it needs no more than Python.

Texts are, in Python: the templates of `say`, `tell` and the like; titles of rules, and their documentation; help of
commands and options. In templates of pages: what stands in ``_("…")``. And what click itself says (`CLICK`).
"""

from __future__ import annotations

import ast
import io
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from envcheck.cli_commands import COMMANDS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "envcheck"
TEMPLATE = PACKAGE / "locale" / "envcheck.pot"
CATALOGUES = {"zh": PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "envcheck.po"}

SINGLE = frozenset({"say", "tell"})
PLURAL = frozenset({"plural", "tell_plural"})

CLICK: tuple[tuple[str, str | None], ...] = (
    ("Usage:", None),
    ("Options", None),
    ("Commands", None),
    ("Usage: {usage}", None),
    ("[OPTIONS]", None),
    ("Show this message and exit.", None),
    ("Show the version and exit.", None),
    ("%(prog)s, version %(version)s", None),
    ("Try '{command} {option}' for help.", None),
    ("Error: {message}", None),
    ("Error", None),
    ("default: {default}", None),
    ("env var: {var}", None),
    ("required", None),
    ("(dynamic)", None),
    ("Missing command.", None),
    ("No such command {name!r}.", None),
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("No such option {name!r}.", None),
    ("No such option: {name}", None),
    ("Argument {name!r} takes {nargs} values.", None),
    ("Could not open file {filename!r}: {message}", None),
    ("Aborted!", None),
    ("Invalid value: {message}", None),
    ("Invalid value for {param_hint}: {message}", None),
    ("Missing argument", None),
    ("Missing option", None),
    ("Missing parameter", None),
    ("Missing {param_type}", None),
    ("Missing parameter: {param_name}", None),
    ("Option {name!r} requires an argument.", None),
    ("Option {name!r} does not take a value.", None),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    ("{value!r} is not a valid {number_type}.", None),
    ("{value} is not in the range {range}.", None),
    ("{name} {filename!r} is a directory.", None),
    ("{name} {filename!r} is a file.", None),
    ("{name} {filename!r} does not exist.", None),
    ("{name} {filename!r} is not writable.", None),
    ("{name} {filename!r} is not readable.", None),
)
"""What click says on pages of help and in complaints, as it stands in click's own source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text to translate, with where it stands; ``given`` are the names of its arguments, if it is a template."""

    path: str
    line: int
    one: str
    many: str | None = None
    given: frozenset[str] | None = None


def texts() -> Iterator[Text]:
    """Every text of the package, in the order of its files."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from _in_python(path)
    for path in sorted(PACKAGE.rglob("*.html")):
        yield from _in_page(path)
    for _, sentence in COMMANDS.values():
        yield Text(path="envcheck/cli_commands.py", line=0, one=sentence)
    for one, many in CLICK:
        yield Text(path="click", line=0, one=one, many=many)


def _in_python(path: Path) -> Iterator[Text]:
    shown = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    is_rules = "rules" in path.parts
    is_command_line = path.name.startswith("cli")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for one, many, given in _of_call(node):
                yield Text(path=shown, line=node.lineno, one=one, many=many, given=given)
            for keyword in node.keywords:
                if is_command_line and keyword.arg in ("help", "short_help") and (found := _literal(keyword.value)):
                    yield Text(path=shown, line=node.lineno, one=cleandoc(found))
        elif isinstance(node, ast.FunctionDef) and (found := ast.get_docstring(node, clean=False)):
            if is_rules and _returns_drafts(node) and "Fix: " in found:
                yield Text(path=shown, line=node.lineno, one=cleandoc(found))
            if is_command_line and any(_is_command(one) for one in node.decorator_list):
                for paragraph in cleandoc(found).split("\n\n"):
                    # Of examples the heading alone is for translators.
                    examples = paragraph.startswith("\b\n")
                    heading = paragraph.removeprefix("\b\n").partition("\n")[0]
                    yield Text(path=shown, line=node.lineno, one=heading if examples else " ".join(paragraph.split()))


def _returns_drafts(node: ast.FunctionDef) -> bool:
    return node.returns is not None and ast.unparse(node.returns) == "Iterator[Draft]" and not node.name.startswith("_")


def _is_command(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and ast.unparse(decorator.func) in ("click.command", "click.group")


def _of_call(node: ast.Call) -> Iterator[tuple[str, str | None, frozenset[str] | None]]:
    function = node.func
    name = function.id if isinstance(function, ast.Name) else ""
    given = frozenset(keyword.arg or "**" for keyword in node.keywords)
    if name in SINGLE and node.args:
        for one in _literals(node.args[0]):
            yield one, None, given
    elif name in PLURAL and len(node.args) == 3:
        for one, many in zip(_literals(node.args[1]), _literals(node.args[2]), strict=True):
            yield one, many, given | {"count"}
    elif name == "joined" and node.args and (separator := _literal(node.args[0])):
        yield separator, None, None
    elif name == "Rule" and len(node.args) > 1 and (title := _literal(node.args[1])):
        yield title, None, None


def _literals(node: ast.expr) -> list[str]:
    """The texts that an argument may be: one, or those of a choice."""
    if isinstance(node, ast.IfExp):
        return [*_literals(node.body), *_literals(node.orelse)]
    found = _literal(node)
    return [] if found is None else [found]


def _literal(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# {{ _("…") }} and {{ _n(count, "…", "…") }} of Jinja, with what stands in the places behind them.
_IN_PAGE = re.compile(r"""\b_(?:n\([^"]*)?\(?"(?P<one>[^"]*)"(?:, "(?P<many>[^"]*)")?\s*[,)]""")


def _in_page(path: Path) -> Iterator[Text]:
    content = path.read_text(encoding="utf-8")
    for found in _IN_PAGE.finditer(content):
        line = content.count("\n", 0, found.start()) + 1
        yield Text(path=path.relative_to(ROOT).as_posix(), line=line, one=found["one"], many=found["many"])


def places(template: str) -> frozenset[str]:
    """The places of a template: ``{name}`` of Python, and click's ``%(prog)s``."""
    named = frozenset(f"{name}!{conversion}" if conversion else name
                      for _, name, _, conversion in string.Formatter().parse(template) if name is not None)  # fmt: skip
    return named | frozenset(re.findall(r"%\(\w+\)s", template))


def template() -> Catalog:
    """The catalogue of everything that is to be translated, without a translation."""
    catalog = _empty(None)
    for text in texts():
        key = text.one if text.many is None else (text.one, text.many)
        # Lines are left out: a catalogue changes with its texts alone.
        catalog.add(key, locations=[(text.path, None)])  # type: ignore[list-item]
    return catalog


def _empty(locale: str | None) -> Catalog:
    import datetime as dt

    # A fixed date: the same texts give the same bytes.
    day = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)
    return Catalog(
        locale=locale,
        project="envcheck",
        version="0",
        fuzzy=False,
        charset="utf-8",
        creation_date=day,
        revision_date=day,
        copyright_holder="the authors of envcheck",
        header_comment="# The texts of envcheck; `make messages` writes this file.",
    )


def catalogue(language: str) -> Catalog:
    """The catalogue of a language as it stands in the repository."""
    path = CATALOGUES[language]
    if not path.exists():
        return _empty(language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def updated(language: str) -> Catalog:
    """The catalogue of a language with every text that there is now, and no other."""
    old = catalogue(language)
    new = _empty(language)
    for message in template():
        if not message.id:
            continue
        known = old.get(message.id if isinstance(message.id, str) else message.id[0])
        kept = known.string if known is not None and known.id == message.id else None
        new.add(message.id, kept, locations=message.locations)
    return new


def po_bytes(catalog: Catalog) -> bytes:
    """A catalogue as translators have it."""
    page = io.BytesIO()
    write_po(page, catalog, width=120, sort_by_file=False, ignore_obsolete=True)
    return page.getvalue()


def mo_bytes(catalog: Catalog) -> bytes:
    """A catalogue as gettext has it."""
    page = io.BytesIO()
    write_mo(page, catalog)
    return page.getvalue()


def main() -> None:
    """Bring the files of ``envcheck/locale`` up to date."""
    TEMPLATE.write_bytes(po_bytes(template()))
    for language, path in CATALOGUES.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        found = updated(language)
        path.write_bytes(po_bytes(found))
        path.with_suffix(".mo").write_bytes(mo_bytes(found))
        missing = [message.id for message in found if message.id and not any(_strings(message.string))]
        print(f"{language}: {len(found)} texts, {len(missing)} without a translation")  # noqa: T201


def _strings(translation: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (translation,) if isinstance(translation, str) else tuple(translation or ())


if __name__ == "__main__":
    main()
