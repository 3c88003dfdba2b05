"""Template: a new lock format. Copy the steps; `docs/contributing/adding.md` explains them."""

from __future__ import annotations

from envcheck.locks import CHOICES, FORMATS, load_format
from tests.templates.workshop import Workshop

# 1. The format, envcheck/locks/urls_v1.py: what it is called, how a draft is written, how it is read again, and what is
#    wrong with one as far as it tells itself. Nothing here opens a file or asks a channel.
MODULE = '''
"""A list of URLs with their sha256, for all platforms: what ``aria2c`` and mirrors are fed with."""

from __future__ import annotations

import re

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.locks.contents import (
    LockContents,
    LockDraft,
    LockedPackage,
    LockProblem,
    check_packages,
    package_from_url,
    require_lockable,
)

__all__ = ["DEFAULT_FILENAME", "FORMAT", "read", "render_lock", "verify"]

FORMAT = "urls-v1"
DEFAULT_FILENAME = "packages.urls"

_HEAD = "# urls-v1"
_ROW = re.compile(r"(?P<platform>[\\w-]+) (?P<sha256>[0-9a-f]{64}) (?P<url>\\S+)")


def render_lock(draft: LockDraft) -> str:
    """A draft as text; the same bytes for the same draft.

    Raises:
        LockError: A package has no URL, no sha256, or a URL with credentials.
    """
    rows = []
    for lock in draft.platforms:
        require_lockable(lock.packages, hashes=("sha256",))
        rows += [f"{lock.platform} {one.sha256} {one.url}" for one in lock.packages]
    return "\\n".join([_HEAD, *sorted(rows)]) + "\\n"


def read(text: str, *, path: str | None = None) -> LockContents:
    """Read such a list.

    Raises:
        SourceError: A line is none of its.
    """
    packages = []
    for number, line in enumerate(text.splitlines()[1:], start=2):
        row = _ROW.fullmatch(line)
        told = None if row is None else package_from_url(row["url"])
        if row is None or told is None:
            raise SourceError(say("This line is no platform, sha256 and URL."), path=path, line=number)
        name, version, build, _ = told
        packages.append(
            LockedPackage(
                name=name,
                version=version,
                build=build,
                platform=row["platform"],
                url=row["url"],
                sha256=row["sha256"],
            )
        )
    return LockContents(platforms=tuple(dict.fromkeys(one.platform for one in packages)), packages=tuple(packages))


def verify(text: str, *, path: str | None = None) -> tuple[LockProblem, ...]:
    """What is wrong with a list as far as it tells itself.

    Raises:
        SourceError: The text is no such list.
    """
    return check_packages(read(text, path=path).packages)
'''

SOURCE = "name: work\nchannels: [conda-forge]\ndependencies: [python=3.10, numpy]\n"


def register(workshop: Workshop) -> None:
    workshop.add("envcheck/locks/urls_v1.py", MODULE)
    # 2. The table of formats, and what --lock-format offers, with the name that such a lock has by default.
    workshop.insert(
        "envcheck/locks/__init__.py",
        after='"explicit": "envcheck.locks.explicit",',
        line='"urls-v1": "envcheck.locks.urls_v1",',
    )
    workshop.insert(
        "envcheck/locks/__init__.py",
        after='"explicit": LockChoice("explicit", "conda-{platform}.lock"),',
        line='"urls": LockChoice("urls-v1", "packages.urls"),',
    )
    # 3. What `envcheck verify` knows it by.
    workshop.insert(
        "envcheck/lock_file.py", after="_MARKS = (", line='    ("urls-v1", re.compile(r"\\A# urls-v1$", re.MULTILINE)),'
    )


def test_a_new_lock_format_takes_part(workshop: Workshop) -> None:
    workshop.write("work.yml", SOURCE)
    assert workshop.run("lock", "work.yml", "--lock-format", "urls").status == 2
    register(workshop)

    run = workshop.run("lock", "work.yml", "--lock-format", "urls", "-p", "linux-64", "-p", "win-64")

    assert run.status == 0
    head, *rows = workshop.read("packages.urls").splitlines()
    assert head == "# urls-v1"
    assert {row.partition(" ")[0] for row in rows} == {"linux-64", "win-64"}
    # A lock is verified against the channels, and kept to by the next one.
    verified = workshop.run("verify", "packages.urls", "--format", "json")
    assert (verified.status, verified.output.count('"format": "urls-v1"')) == (0, 2)
    again = workshop.run(
        "lock",
        "work.yml",
        "--lock",
        "again.urls",
        "--lock-format",
        "urls",
        "--from-lock",
        "packages.urls",
        "-p",
        "linux-64",
    )
    assert again.status == 0, again.errors
    workshop.write("packages.urls", workshop.read("packages.urls").replace(rows[0].split()[1], "0" * 64))
    assert workshop.run("verify", "packages.urls").status == 1


def test_every_format_has_what_it_is_asked_for() -> None:
    for name in FORMATS:
        module = load_format(name)
        assert name == module.FORMAT
        assert hasattr(module, "read") == hasattr(module, "verify")
    for choice in CHOICES.values():
        module = load_format(choice.format)
        assert hasattr(module, "read")
        assert hasattr(module, "render_lock") or choice.format == "explicit"
