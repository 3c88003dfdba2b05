"""A name for a finding that stays the same from run to run, for baselines and for what a code host shows once.

A fingerprint is made of the finding's code and subject, and of the file's path. Neither its line nor its message goes
in: rows move, and messages name versions that change with every day of a channel. Where the subject is a number of
things (``219 builds``) the number is left out, as it changes with every row. Findings of one file that share code and
subject are told apart by their ordinal, the how-manieth they are from the top; so of three alike, mending the first
leaves the fingerprints of the first two.

The target's platform does not go in either: what is known of a file and accepted is accepted wherever it is built.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from envcheck.model import Finding
from envcheck.secrets import mask

__all__ = ["fingerprint", "fingerprints", "normalized_path", "stable_subject"]

# Goes up when anything about the making of a fingerprint changes; baselines of before then no longer fit.
_VERSION = 1

# What a subject that is a number of things says in English; no name of a package or channel has a space.
_COUNTED = re.compile(r"\d+ ([A-Za-z][A-Za-z ]*?)s?")


def fingerprint(path: str, finding: Finding, *, ordinal: int = 0) -> str:
    """The fingerprint of one finding.

    Args:
        path: The file, as the user named it; relative paths give fingerprints that hold on other machines.
        finding: The finding.
        ordinal: How many findings of the file with its code and subject stand before it; `fingerprints` counts.

    Returns:
        32 hexadecimal digits, the same on every machine, system and Python.
    """
    # A token that is renewed makes no new finding, and nobody gets to try passwords on what is published.
    parts = [_VERSION, normalized_path(path), finding.code, stable_subject(finding.subject), ordinal]
    # Its escapes are ASCII, so that lone surrogates (file names that are no UTF-8) are no trouble.
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).hexdigest()[:32]


def fingerprints(path: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The fingerprints of all findings of one file for one target, in their order and no two the same.

    Args:
        path: The file, as the user named it.
        findings: All of its findings: those left out by ``--select`` and ``--ignore`` must be as absent the next time.
    """
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for finding in findings:
        alike = (finding.code, stable_subject(finding.subject))
        found.append(fingerprint(path, finding, ordinal=seen[alike]))
        seen[alike] += 1
    return tuple(found)


def stable_subject(subject: str) -> str:
    """A subject without its secrets; where it is a number of things, what they are: ``build`` of ``219 builds``."""
    counted = _COUNTED.fullmatch(subject)
    return counted[1] if counted is not None else mask(subject)


def normalized_path(path: str) -> str:
    """A path as every system and every way to name the same file has it: ``./a//b.yml`` is ``a/b.yml``.

    Made from the text alone, without a look at the disk. An absolute path stays one: its last part would be the same
    for many files.
    """
    if path == "-":
        return path
    path = unicodedata.normalize("NFC", mask(path)).replace("\\", "/")
    # POSIX lets two leading slashes mean something; no system that envcheck runs on does.
    return posixpath.normpath(f"/{path.lstrip('/')}" if path.startswith("/") else path)
