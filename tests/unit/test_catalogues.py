"""The translations: every text is there and complete, and nothing else; and no finding is made past them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message as Entry

from tests.support.messages import CATALOGUES, PACKAGE, TEMPLATE, catalogue, mo_bytes, places, po_bytes, template, texts

LANGUAGES = pytest.mark.parametrize("language", sorted(CATALOGUES))
RENEW = "make messages brings it up to date"

MADE_FOR_PEOPLE = frozenset({"message", "summary", "reason", "hint", "trouble", "explanation"})
"""Keywords of the types whose texts people read."""

FIRST_FOR_PEOPLE = frozenset(
    {
        *("EnvcheckError", "SourceError", "ConfigurationError", "OutputError", "ChannelError", "EngineError"),
        *("LockError", "NothingToWriteError", "GivenUpError", "UnboundedYamlError", "UsageError", "BadParameter"),
    }
)
"""Exceptions whose words people read; they come first."""

ENGLISH_EVERYWHERE = frozenset(
    {
        "Will this conda environment build on Linux? Every reason at once, and the closest one that does.",
        'conda install -c conda-forge "libmambapy>=2"',
    }
)
"""What stands in another program's own English page, conda's list of its commands; and what is typed.

What is written into files is English too, whoever reads it (comments of Dockerfiles, heads of locks): the same input
gives the same bytes in every language. None of it is made by what is looked at here.
"""


def _entries(language: str) -> Iterator[tuple[Entry, tuple[str, ...]]]:
    for entry in catalogue(language):
        if entry.id:
            yield entry, (entry.string,) if isinstance(entry.string, str) else tuple(entry.string or ("",))


def _keys(entries: Iterator[object]) -> set[object]:
    return {entry.id if isinstance(entry.id, str) else tuple(entry.id) for entry in entries if entry.id}  # type: ignore[attr-defined]


def test_the_template_is_that_of_the_source() -> None:
    assert TEMPLATE.read_bytes() == po_bytes(template()), RENEW


@LANGUAGES
def test_every_text_is_in_the_catalogue_and_nothing_else(language: str) -> None:
    there, wanted = _keys(iter(catalogue(language))), _keys(iter(template()))
    assert sorted(map(str, wanted - there)) == [], RENEW
    assert sorted(map(str, there - wanted)) == [], RENEW
    assert not catalogue(language).obsolete


@LANGUAGES
def test_every_text_is_translated(language: str) -> None:
    assert [entry.id for entry, found in _entries(language) if not all(found)] == []
    assert [entry.id for entry, _ in _entries(language) if entry.fuzzy] == []


@LANGUAGES
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for entry, found in _entries(language):
        of_source = [places(one) for one in ((entry.id,) if isinstance(entry.id, str) else entry.id)]
        assert all(places(one) in of_source for one in found), entry.id


@LANGUAGES
def test_the_compiled_catalogue_is_that_of_the_source(language: str) -> None:
    assert CATALOGUES[language].with_suffix(".mo").read_bytes() == mo_bytes(catalogue(language)), RENEW


def test_every_place_of_a_template_is_filled() -> None:
    for text in texts():
        if text.given is not None and "**" not in text.given:
            wanted = {place.partition("!")[0] for one in (text.one, text.many) if one for place in places(one)}
            assert wanted <= text.given <= wanted | {"count"}, f"{text.path}:{text.line}"


def _bare(path: Path) -> Iterator[str]:
    """Texts for people that are made without `say`: f-strings, and sentences as they are."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        one.id: node.value for node in tree.body if isinstance(node, ast.Assign) for one in node.targets
        if isinstance(one, ast.Name)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            made = [one.value for one in node.keywords if one.arg in MADE_FOR_PEOPLE]
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in FIRST_FOR_PEOPLE:
                made += node.args[:1]
            if name == "Note":
                made += [one.value for one in node.keywords if one.arg == "text"]
            made = [constants.get(one.id, one) if isinstance(one, ast.Name) else one for one in made]
            yield from (f"{path.name}:{part.lineno}" for one in made for part in _bare_parts(one))


def _bare_parts(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.IfExp():
            yield from (*_bare_parts(node.body), *_bare_parts(node.orelse))
        case ast.BoolOp():
            yield from (one for value in node.values for one in _bare_parts(value))
        case ast.BinOp():
            yield from (*_bare_parts(node.left), *_bare_parts(node.right))
        case ast.JoinedStr():
            yield node
        case ast.Constant() if isinstance(node.value, str) and " " in node.value:
            if node.value not in ENGLISH_EVERYWHERE:
                yield node


def test_no_text_for_people_is_made_past_the_translations() -> None:
    assert [place for path in sorted(PACKAGE.rglob("*.py")) for place in _bare(path)] == []
