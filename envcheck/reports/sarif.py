"""SARIF 2.1.0 for code scanning: one run, a result for each finding, a rule for each code that was found.

Written by the OASIS standard (Static Analysis Results Interchange Format 2.1.0, errata 01) and GitHub's notes on what
of it code scanning reads ("SARIF support for code scanning"). What was decided where they leave a choice:

- Columns are left out: findings know their line. A finding about a whole file has no region: so SARIF says it.
- Standard input has no URI: its artifact has the role ``standardStream`` and results refer to it by index. GitHub wants
  a URI for every result, so a file that is to be uploaded there should be checked by its name.
- ``partialFingerprints`` has envcheck's own (`envcheck.reports.fingerprint`) and ``primaryLocationLineHash``, which is
  the one that GitHub reads; it ends in the how-manieth result of the run it is, as one file may be checked for several
  platforms.
- A rule's default level is the worst that it was found with, since a rule may judge each case for itself.
- Remedies are told in the message and, with their proofs, in the result's properties. ``fixes`` would have to name
  exact edits, and a remedy is about the environment, not about the letters of a line.
- What a baseline accepts is counted and left out. ``suppressions`` could name it, but GitHub shows such results as open
  alerts unless a further action closes them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any
from urllib.parse import quote

from envcheck import __version__
from envcheck.model import Finding, Severity
from envcheck.reports.account import Account
from envcheck.reports.fingerprint import fingerprints, normalized_path
from envcheck.reports.groups import remedy_words, shown
from envcheck.reports.report_json import document_text
from envcheck.rules.documented import find_rule

__all__ = ["MOST_RESULTS", "render"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

MOST_RESULTS = 25_000
"""GitHub refuses a run with more results; the worst ones are kept."""

# A message with its remedies; longer ones are cut.
_MOST_CHARACTERS = 2_000
_SUBJECTS = {
    "1": "file", "2": "specification", "3": "channel", "4": "platform", "5": "availability", "6": "pip",
    "7": "reproducibility", "8": "docker",
}  # fmt: skip
_LINE_END = re.compile(r"\r\n|\r|\n")
_DRIVE = re.compile(r"[A-Za-z]:/")


def render(accounts: Sequence[Account]) -> str:
    """The accounts as one SARIF log with one run, with a final newline."""
    told = [
        _Told(account=account, finding=finding, fingerprint=name)
        for account in accounts
        for finding, name in zip(account.findings, fingerprints(account.path, account.findings), strict=True)
    ]
    kept = told
    if len(told) > MOST_RESULTS:
        levels = list(_LEVELS)
        kept = sorted(told, key=lambda one: levels.index(one.finding.severity))[:MOST_RESULTS]
    artifacts = {path: index for index, path in enumerate(dict.fromkeys(_path(one) for one in accounts))}
    rules = _rules(one.finding for one in kept)
    run = {
        "tool": {"driver": {"name": "envcheck", "version": __version__, "rules": list(rules.values())}},
        "invocations": [_invocation(accounts, left_out=len(told) - len(kept))],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "The directory that envcheck was run in."}}},
        "artifacts": [_artifact(path) for path in artifacts],
        "results": _results(kept, {code: index for index, code in enumerate(rules)}, artifacts),
        "properties": {"verdicts": [_verdict(account) for account in accounts]},
    }
    return document_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A finding with the account that tells it and its fingerprint."""

    account: Account
    finding: Finding
    fingerprint: str


def _path(account: Account) -> str:
    return normalized_path(account.path)


# ---------------------------------------------------------------------------------------------------------------------
# Rules
# ---------------------------------------------------------------------------------------------------------------------


def _rules(findings: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    """The rules of some findings, by code."""
    worst: dict[str, Finding] = {}
    order = list(_LEVELS)
    for finding in findings:
        known = worst.setdefault(finding.code, finding)
        if order.index(finding.severity) < order.index(known.severity):
            worst[finding.code] = finding
    return {code: _rule(worst[code]) for code in sorted(worst)}


def _rule(finding: Finding) -> dict[str, Any]:
    rule = find_rule(finding.code)
    documentation = cleandoc(rule.documentation) if rule is not None else finding.title
    first = documentation.partition("\n\n")[0]
    return {
        "id": finding.code,
        "name": "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", finding.title)),
        "shortDescription": {"text": shown(finding.title)},
        "fullDescription": {"text": shown(first.replace("``", "'"))},
        "help": {
            "text": "\n\n".join(shown(part.replace("``", "'")) for part in documentation.split("\n\n")),
            # The docstrings are ours: prose, and names in reStructuredText's double backticks.
            "markdown": f"# {finding.code} {shown(finding.title)}\n\n{documentation.replace('``', '`')}\n",
        },
        "defaultConfiguration": {"level": _LEVELS[finding.severity]},
        "properties": {"tags": ["conda", *_tags(finding.code)]},
    }


def _tags(code: str) -> list[str]:
    found = _SUBJECTS.get(code[2:3])
    return [found] if found is not None else []


# ---------------------------------------------------------------------------------------------------------------------
# Results
# ---------------------------------------------------------------------------------------------------------------------


def _results(told: Sequence[_Told], codes: Mapping[str, int], artifacts: Mapping[str, int]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    lines: dict[int, list[str]] = {}
    found = []
    for one in told:
        seen[one.fingerprint] += 1
        text = one.account.text
        if text is not None and id(text) not in lines:
            lines[id(text)] = _LINE_END.split(text)
        found.append(
            {
                "ruleId": one.finding.code,
                "ruleIndex": codes[one.finding.code],
                "level": _LEVELS[one.finding.severity],
                "message": {"text": _message(one.finding)},
                "locations": [_location(one, artifacts, lines.get(id(text), []))],
                "partialFingerprints": {
                    "envcheck/v1": one.fingerprint,
                    "primaryLocationLineHash": f"{one.fingerprint}:{seen[one.fingerprint]}",
                },
                "properties": _properties(one),
            }
        )
    return found


def _message(finding: Finding) -> str:
    words = f"{finding.subject}: {finding.message}"
    if finding.remedies:
        words = f"{words.rstrip('.')}. Fix: {', or '.join(remedy_words(one) for one in finding.remedies)}."
    # Neither an embedded link nor a placeholder (sections 3.11.5 and 3.11.6) is ever meant.
    return re.sub(r"\{(\d+)\}", r"{{\1}}", shown(words, _MOST_CHARACTERS).replace("](", "] ("))


def _location(one: _Told, artifacts: Mapping[str, int], lines: Sequence[str]) -> dict[str, Any]:
    path = _path(one.account)
    physical: dict[str, Any] = {"artifactLocation": {**_place(path), "index": artifacts[path]}}
    if (line := one.finding.line) is not None:
        physical["region"] = {"startLine": line}
        if line <= len(lines):
            physical["region"]["snippet"] = {"text": shown(lines[line - 1])}
    return {"physicalLocation": physical}


def _properties(one: _Told) -> dict[str, Any]:
    return {
        "subject": one.finding.subject,
        "platform": one.account.platform,
        "remedies": [
            {"action": remedy.action.value, "summary": remedy.summary, "spec": remedy.spec, "verified": remedy.verified}
            for remedy in one.finding.remedies
        ],
    }


# ---------------------------------------------------------------------------------------------------------------------
# The run
# ---------------------------------------------------------------------------------------------------------------------


def _artifact(path: str) -> dict[str, Any]:
    if path == "-":
        return {"description": {"text": "standard input"}, "roles": ["analysisTarget", "standardStream"]}
    return {"location": _place(path), "roles": ["analysisTarget"]}


def _place(path: str) -> dict[str, str]:
    """The URI of a file: under the source root where its path is relative, nothing for standard input."""
    if path == "-":
        return {}
    try:
        data = path.encode("utf-8", "surrogateescape")  # a name that is no UTF-8, in its own bytes
    except UnicodeEncodeError:
        data = path.encode("utf-8", "replace")
    if path.startswith("/"):
        return {"uri": f"file://{quote(data)}"}
    if _DRIVE.match(path):
        return {"uri": f"file:///{path[0]}:{quote(data[2:])}"}
    return {"uri": quote(data), "uriBaseId": "%SRCROOT%"}


def _verdict(account: Account) -> dict[str, Any]:
    return {
        "path": account.path,
        "kind": account.kind,
        "platform": account.platform,
        "verdict": account.verdict,
        "sentence": account.sentence,
        "complete": account.complete,
        "accepted": len(account.accepted),
    }


def _invocation(accounts: Sequence[Account], *, left_out: int) -> dict[str, Any]:
    silent = [account for account in accounts if not account.complete]
    notifications = [
        {"level": "error", "message": {"text": shown(f"{account.path}: {account.sentence}")}} for account in silent
    ]
    if left_out:
        words = f"{left_out} results are left out: code hosts take {MOST_RESULTS} in a run. The worst are here."
        notifications.append({"level": "warning", "message": {"text": words}})
    invocation: dict[str, Any] = {"executionSuccessful": not silent}
    if silent:
        invocation |= {"exitCode": 3, "exitCodeDescription": "not every channel answered"}
    if notifications:
        invocation["toolExecutionNotifications"] = notifications
    return invocation
