"""Template: a new rule. Copy the steps; `docs/contributing/adding.md` explains them."""

from __future__ import annotations

import re

from envcheck.rules.documented import DOCUMENTED_RULES
from tests.templates.workshop import Workshop

# 1. The check: a pure function of facts in the module of its subject, or in a new one. Its docstring is its
#    documentation: what it finds, why that matters, how it is mended. Every text is said, so that it can be translated.
MODULE = '''
"""Findings 1xx: how an environment is called."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import Remedy, RemedyAction, Severity, SourceKind
from envcheck.rules.facts import Draft, Facts

__all__ = ["nameless"]


def nameless(facts: Facts) -> Iterator[Draft]:
    """An environment file has no ``name``.

    ``conda env create`` then asks for one with ``-n``, which build scripts written for another file do not give.

    Fix: add ``name: something`` as the first line.
    """
    if facts.export.kind is SourceKind.ENVIRONMENT_YAML and facts.export.environment_name is None:
        yield Draft(
            severity=Severity.INFO,
            subject="name",
            message=say("{path} does not name its environment", path=facts.export.path),
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("add a name")),),
        )
'''

CODE = "EC199"
"""In earnest the next free number of the subject; a code is never used for something else again."""


def register(workshop: Workshop) -> None:
    workshop.add("envcheck/rules/naming.py", MODULE)
    # 2. The list of rules; the code and the title stand here alone.
    workshop.insert("envcheck/rules/__init__.py", after="hazards,", line="naming,")
    workshop.insert(
        "envcheck/rules/__init__.py",
        after='Rule("EC107", "Exporter\'s prefix", source_file.foreign_prefix),',
        line=f'Rule("{CODE}", "Without a name", naming.nameless),',
    )
    # 3. In earnest: a case in which it fires and one next to it in which it is silent, in tests/unit/rules/cases.py,
    #    and its translation (make messages).


def test_a_new_rule_takes_part(workshop: Workshop) -> None:
    nameless = "channels: [conda-forge]\ndependencies: [python=3.10]\n"
    workshop.write("nameless.yml", nameless)
    workshop.write("named.yml", f"name: work\n{nameless}")
    register(workshop)

    (found,) = (
        finding
        for finding in workshop.run("check", "nameless.yml", "--format", "json").report()["findings"]
        if finding["code"] == CODE
    )
    assert (found["title"], found["severity"], found["subject"]) == ("Without a name", "info", "name")
    assert found["message"] == "nameless.yml does not name its environment"
    assert CODE not in workshop.run("check", "named.yml", "--format", "json").codes()
    # Select and ignore, the documentation of the rules and every report format know it by the list alone.
    assert workshop.run("check", "nameless.yml", "--select", CODE, "--format", "json").codes() == {CODE}
    assert CODE not in workshop.run("check", "nameless.yml", "--ignore", CODE, "--format", "json").codes()
    assert "asks for one with" in workshop.run("rules", CODE).output
    assert f"{CODE} Without a name" in workshop.run("check", "nameless.yml", "--format", "junit").output


def test_the_code_of_the_template_is_free() -> None:
    codes = [rule.code for rule in DOCUMENTED_RULES]

    assert CODE not in codes
    assert len(codes) == len(set(codes))
    assert [code for code in codes if not re.fullmatch(r"EC[1-8]\d\d", code)] == []
