"""JUnit XML: what CI systems without annotations of their own show (GitLab, Jenkins, Azure Pipelines, CircleCI).

Viewers count test cases, follow each by its class and name from run to run, and tell which began to fail and which were
mended. So there is a suite for each file and platform, and in it

- the case ``verdict``, which fails where the file does not install as it stands and a baseline does not accept all
  reasons. It is there when nothing else is: Jenkins takes a suite without cases for a broken run;
- one case for every requirement of the file, which passes until an error is found: a mended one is seen to pass, and
  "18 of 200 failed" is what the file is like. Cases are called after the requirement alone, as its line and version
  move;
- one for everything else that something was found in (a channel, a key, an instruction), or for the rule where that is
  a number of things (``219 builds``), which changes.

A case has one failure with all of its errors, as GitLab shows the first only. JUnit has no word for a warning:
``skipped`` would say that nobody looked. Warnings and notes are the ``system-out`` of their case, and so is what a
baseline accepts. ``error``, which is "the test could not be run", is the verdict's where a channel did not answer.

Elements and attributes are those of Jenkins' schema (``junit-10.xsd`` of its xUnit plugin), which has no ``file`` for a
case. Class names are ``envcheck.PLATFORM.FILE``, where the file's dots are underscores: viewers cut them at their dots.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence

from envcheck import __version__
from envcheck.model import Finding, Severity
from envcheck.reports.account import Account
from envcheck.reports.fingerprint import normalized_path, stable_subject
from envcheck.reports.groups import SEVERITY_WORDS, remedy_words, shown
from envcheck.secrets import mask

__all__ = ["render"]

_FAILING = ("fixable", "blocked", "unsound", "unreadable", "failed")


def render(accounts: Sequence[Account]) -> str:
    """The accounts as JUnit XML, with a final newline."""
    root = ET.Element("testsuites", {"name": "envcheck"})
    seen: Counter[tuple[str, str | None]] = Counter()
    for account in accounts:
        key = (normalized_path(account.path), account.platform)
        seen[key] += 1
        root.append(_suite(account, seen[key]))
    for counter in ("tests", "failures", "errors"):
        root.set(counter, str(sum(int(suite.get(counter, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(account: Account, number: int) -> ET.Element:
    """One account's suite; ``number`` is above 1 for further environments that one Dockerfile makes for a platform."""
    path = "standard input" if account.path == "-" else normalized_path(account.path)
    platform = f" ({account.platform})" if account.platform else ""
    again = f" {number}" if number > 1 else ""
    suite = ET.Element("testsuite", {"name": _shown(f"{path}{platform}{again}")})
    if account.path != "-":
        suite.set("file", _shown(path))
    properties = ET.SubElement(suite, "properties")
    for name, value in (
        ("envcheck", __version__),
        ("kind", account.kind),
        ("platform", account.platform or ""),
        ("verdict", account.verdict),
    ):
        ET.SubElement(properties, "property", {"name": name, "value": _shown(value)})
    classname = _shown(f"envcheck.{account.platform or 'any'}.{path.replace('.', '_')}{again}")
    cases = [_verdict(account, classname)]
    cases += [_case(name, classname, findings, account.accepted) for name, findings in _subjects(account).items()]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(1 for case in cases if case.find("failure") is not None)))
    suite.set("errors", str(sum(1 for case in cases if case.find("error") is not None)))
    suite.set("skipped", "0")
    return suite


def _subjects(account: Account) -> dict[str, list[Finding]]:
    """Every requirement and every subject of a finding by the name it is shown with, the file's rows first."""
    subjects: dict[str, list[Finding]] = {}
    if account.report is not None:
        rows = account.report.export
        names: Iterable[str] = (*(one.name for one in rows.requirements), *(one.name or "" for one in rows.pip))
        subjects = {_shown(name): [] for name in names if name}
    for finding in (*account.findings, *account.accepted):
        is_count = stable_subject(finding.subject) != mask(finding.subject)
        name = f"{finding.code} {finding.title}" if is_count else finding.subject
        subjects.setdefault(_shown(name), []).append(finding)
    # Two cases of one name would be one to a viewer.
    if (own := subjects.pop("verdict", None)) is not None:
        subjects["verdict (package)"] = own
    return subjects


def _verdict(account: Account, classname: str) -> ET.Element:
    case = ET.Element("testcase", {"name": "verdict", "classname": classname})
    sentence = _shown(account.sentence)
    if not account.complete:
        _tell(ET.SubElement(case, "error", {"message": sentence, "type": "incomplete"}), [sentence])
    elif account.verdict in _FAILING and not _is_accepted(account):
        _tell(ET.SubElement(case, "failure", {"message": sentence, "type": _shown(account.verdict)}), [sentence])
    else:
        _tell(ET.SubElement(case, "system-out"), [sentence])
    return case


def _is_accepted(account: Account) -> bool:
    return bool(account.accepted) and not any(one.severity is Severity.ERROR for one in account.findings)


def _case(name: str, classname: str, findings: Sequence[Finding], accepted: Sequence[Finding]) -> ET.Element:
    case = ET.Element("testcase", {"name": name, "classname": classname})
    errors = [one for one in findings if one.severity is Severity.ERROR and one not in accepted]
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        message = f"{_shown(f'{first.code} {first.title}: {first.message}')}{more}"
        failure = ET.SubElement(case, "failure", {"message": message, "type": _shown(first.code)})
        _tell(failure, [line for one in errors for line in _lines(one)])
    if len(errors) < len(findings):
        rest = [one for one in findings if one not in errors]
        lines = [
            f"accepted by the baseline: {line}" if one in accepted else line for one in rest for line in _lines(one)
        ]
        _tell(ET.SubElement(case, "system-out"), lines)
    return case


def _lines(finding: Finding) -> list[str]:
    where = f" (line {finding.line})" if finding.line is not None else ""
    head = f"{SEVERITY_WORDS[finding.severity]} {finding.code} {finding.title}"
    found = [_shown(f"{head}: {finding.subject}{where}: {finding.message}")]
    if finding.remedies:
        found.append(_shown(f"fix: {', or '.join(remedy_words(one) for one in finding.remedies)}"))
    return found


def _tell(element: ET.Element, lines: Sequence[str]) -> None:
    element.text = "\n".join(lines)


def _shown(text: str) -> str:
    """A text as `shown` has it, without what XML 1.0 cannot hold (section 2.2: Char)."""
    return shown(text).replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
