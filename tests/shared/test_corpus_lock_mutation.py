"""An entry of every real lock is changed for each way to change one, and ``verify`` tells of each by its name.

``ENVCHECK_SHARED`` names the folder that holds ``corpus/`` and ``channels/``. An entry is changed only where the
channel has its file, so that there is something to compare; what the channel lacks is told in any case.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from envcheck.errors import SourceError
from envcheck.lock_file import read_lock
from envcheck.locks.contents import LockedPackage
from envcheck.rules.lock_facts import Place
from tests.shared.test_corpus_locks import LOCKS, _verified

pytestmark = pytest.mark.shared

# Nothing is there: a channel that no lock of the corpus takes packages of, and of which there is no snapshot.
_AWAY = "gurobi"


def _other_digit(text: str) -> str:
    return ("1" if text[0] == "0" else "0") + text[1:]


def _word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")


def _line_edit(text: str, url: str, edit: Callable[[str], str]) -> str:
    """The text with an edit in the first line that holds a URL."""
    lines = text.split("\n")
    number = next(number for number, line in enumerate(lines) if url in line)
    return "\n".join([*lines[:number], edit(lines[number]), *lines[number + 1 :]])


def _changes(text: str, package: LockedPackage) -> dict[str, str]:
    """Changed texts of a lock by what was changed of an entry."""
    filename = package.url.rpartition("/")[2]
    changes = {
        "file": _line_edit(text, package.url, lambda line: line.replace(filename, "-x".join(filename.rsplit("-", 1)))),
        "subdir": _line_edit(text, package.url, lambda line: line.replace("/linux-64/", "/win-64/")),
        "channel": _line_edit(
            text,
            package.url,
            lambda line: line.replace(package.url, f"https://conda.anaconda.org/{_AWAY}/linux-64/{filename}"),
        ),
    }
    if "@EXPLICIT" in text:  # elsewhere a line that stands twice is a key of a mapping, the same as once
        changes["twice"] = _line_edit(text, package.url, lambda line: f"{line}\n{line}")
    for kind in ("md5", "sha256"):
        value = getattr(package, kind)
        if value is not None:
            changes[kind] = text.replace(value, _other_digit(value), 1)
    return {kind: changed for kind, changed in changes.items() if changed != text}


@pytest.mark.parametrize("key", sorted(LOCKS))
def test_a_change_of_any_entry_is_told(key: str, real_channels: Path) -> None:
    data = LOCKS[key].read_bytes()
    if data.lstrip().startswith(b"FROM ") or b"\x00" in data:
        pytest.skip("a Dockerfile that holds a list, or UTF-16")
    text = data.decode("utf-8").replace("\r\n", "\n")
    reports = _verified(read_lock(data, "a.lock"), data, real_channels)
    found = [one for report in reports for one in report.entries if one.place is Place.FOUND]
    if not found:
        pytest.skip("the channels have nothing of this lock")
    known = {(one.code, one.subject, one.message) for report in reports for one in report.findings}
    names: dict[str, str] = {}
    # Each entry is changed in one way, and all of them at once: to load the channels takes longest.
    for entry in random.Random(key).sample(found, len(found)):  # noqa: S311  # no secret
        of_entry = _changes(text, entry.package)
        kind = next((kind for kind in of_entry if kind not in names), None)
        if kind is None or entry.package.name in names.values():
            continue
        names[kind] = entry.package.name
        with suppress(SourceError):  # refused as a whole
            read_lock(of_entry[kind].encode(), "a.lock")
            text = of_entry[kind]
    after = _verified(read_lock(text.encode(), "a.lock"), text.encode(), real_channels)
    new = [one for report in after for one in report.findings if (one.code, one.subject, one.message) not in known]
    told = [f"{one.subject} {one.message}" for one in new]
    silent = {kind: name for kind, name in names.items() if not any(map(_word(name).search, told))}
    assert silent == {}
