"""Whatever is changed in a lock is noticed by ``verify``, in every field of every format; what is not is said here.

Not looked at, by design:

- conda-lock.yml: ``category`` and ``optional`` (which rows an installer's ``--dev`` or ``--extras`` takes is what its
  author decided), the value of ``content_hash`` and ``sources`` (they are about the specification);
- pixi.lock: ``purls`` (what pip is told of conda packages; channels say nothing of it);
- both: what is left out of a row's hashes where another hash stays, ``build``, ``size`` and ``timestamp`` (the URL and
  a hash name the file), what pip packages need (they are installed without a look at it), the channels where none is
  named (then those of the URLs count, as in a list) and the indexes (each pip package has its URL);
- a row that nothing else needs may be taken out of any lock: no format says what was asked for;
- what stands in comments, but for the platform of an ``@EXPLICIT`` list.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml

from envcheck.errors import ConfigurationError, SourceError
from envcheck.locks import conda_lock_v1, explicit, pixi_lock_v7
from envcheck.locks.contents import PlatformLock
from envcheck.model import Channel, DistributionFile, LockedDistribution, Record
from envcheck.pip.lookup import Lookup, ProjectFiles
from envcheck.verify import LockReport
from tests.support.channels import channel
from tests.support.locks import GOOD, Verifier

WHEEL = LockedDistribution(
    name="idna",
    version="3.7",
    filename="idna-3.7-py3-none-any.whl",
    url="https://files.pythonhosted.org/packages/ab/cd/idna-3.7-py3-none-any.whl",
    sha256="a" * 64,
    requires=("six>=1.0",),
)
SOURCE = LockedDistribution(
    name="six",
    version="1.16.0",
    filename="six-1.16.0.tar.gz",
    url="https://files.pythonhosted.org/packages/ef/six-1.16.0.tar.gz",
    sha256="b" * 64,
)
INDEX: Mapping[str, Lookup] = {
    one.name: ProjectFiles(
        name=one.name,
        files=(
            DistributionFile(
                filename=one.url.rpartition("/")[2], url=one.url, sha256=one.sha256, requires_python=None, yanked=False
            ),
        ),
    )
    for one in (WHEEL, SOURCE)
}
LAB = Channel(name="lab", url="https://conda.anaconda.org/lab", locations=())


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return Verifier(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[Record, ...]:
    """What the channel says of the packages of a good lock."""
    from envcheck.engines import LoadOptions
    from envcheck.engines.rattler import RattlerEngine
    from tests.support.channels import LINUX

    directory = tmp_path_factory.mktemp("records")
    Verifier(directory)
    options = LoadOptions(cache_directory=str(directory / "cache"), offline=True)
    index = RattlerEngine().load([channel(directory / "lab", "lab")], "linux-64", LINUX, options=options)
    return tuple(index.records(one.name)[0] for one in GOOD)


# ---------------------------------------------------------------------------------------------------------------------
# Every place of a document, and what may be changed there
# ---------------------------------------------------------------------------------------------------------------------

Place = tuple[str | int, ...]


def steps(document: Any) -> list[tuple[str | int, Any]]:
    if isinstance(document, dict):
        return list(document.items())
    return list(enumerate(document)) if isinstance(document, list) else []


def leaves(document: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every scalar with where it stands."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, inner in steps:
        yield from leaves(inner, (*place, step))
    if not isinstance(document, (dict, list)):
        yield place, document


def rows(document: Any, place: Place = ()) -> Iterator[Place]:
    """Every element of a list."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, inner in steps:
        if isinstance(document, list):
            yield (*place, step)
        yield from rows(inner, (*place, step))


def at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def edited(document: Any, place: Place, edit: Callable[[Any, Any], None]) -> str:
    changed = copy.deepcopy(document)
    edit(at(changed, place[:-1]), place[-1])
    return yaml.safe_dump(changed, sort_keys=False)


def other(value: Any) -> Any:
    """Another value of the same shape."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if re.fullmatch(r"[0-9a-f]{32,64}", value):
        return ("1" if value[0] == "0" else "0") + value[1:]
    if value == "linux-64":
        return "osx-64"
    if value.startswith("http"):
        return f"{value[:-8]}7{value[-8:]}"
    if re.search(r"[<>=]", value):
        return re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), value, count=1)
    return f"{value}1"


def replace_value(holder: Any, step: Any) -> None:
    holder[step] = other(holder[step])


def remove(holder: Any, step: Any) -> None:
    del holder[step]


def repeat(holder: Any, step: Any) -> None:
    holder.insert(step, copy.deepcopy(holder[step]))


LOUDNESS = ("silent", "info", "warning", "error")


def loudness(verifier: Verifier, text: str) -> str:
    """How loud verify is; ``error`` stands for any exit status other than 0."""
    return told(verifier, text)[0]


def told(verifier: Verifier, text: str) -> tuple[str, str]:
    """How loud verify is, and all that it says."""
    try:
        reports: tuple[LockReport, ...] = verifier(text, index=INDEX)
    except (SourceError, ConfigurationError) as error:
        return "error", str(error)
    words = "; ".join(
        f"{one.subject} (line {one.line}): {one.message}" for report in reports for one in report.findings
    )
    severities = {one.severity.value for report in reports for one in report.findings}
    severities |= {"error"} if not all(report.complete for report in reports) else {"silent"}
    return max(severities, key=LOUDNESS.index), words


def is_named(document: Any, place: Place, words: str) -> bool:
    """Whether words are about the entry that a place is in: by its name, or by its place where it is refused."""
    if place[0] not in ("package", "packages") or len(place) < 2:
        return True
    row = document[place[0]][place[1]]
    url = row.get("conda") or row.get("pypi") or row["url"]
    name = row.get("name") or url.rpartition("/")[2].rsplit("-", 2)[0]
    return re.search(rf"(?<![\w-])(?:{re.escape(name)}|{place[0]}\.{place[1]}\.)", words) is not None


def written(records: tuple[Record, ...], form: str) -> str:
    lock = PlatformLock(platform="linux-64", packages=records, distributions=(WHEEL, SOURCE))
    if form == "conda-lock":
        return conda_lock_v1.render_platforms([lock], channels=[LAB], sources=["environment.yml"])
    return pixi_lock_v7.render([lock], channels=[LAB])


# Keys of which a change is told more quietly than by an error, and how: a pattern of the place, and what is expected.
# What stands for nothing that is installed is silent by design; see the module's words.
QUIET: tuple[tuple[str, str, str], ...] = (
    ("change", r"metadata/(content_hash|sources)/.*", "silent"),
    ("change", r"package/[0-9]+/(category|optional)", "silent"),
    ("change", r"package/[45]/dependencies/.*|packages/[0-9]/(requires_dist|constrains)/.*", "silent"),
    ("change", r"packages/[0-9]/timestamp|environments/default/indexes/0", "silent"),
    ("remove", r"metadata/(channels/0|sources/.*)|package/[0-9]+/(category|build)", "silent"),
    ("remove", r"package/[0-3]/hash/sha256|packages/[0-3]/(sha256|md5|size|timestamp|constrains/0)", "silent"),
    ("remove", r"package/[45]/hash/sha256|packages/[45]/sha256", "warning"),
    ("remove", r"package/[0-3]/dependencies/.*|packages/[0-3]/depends/.*", "info"),
    ("remove", r"package/[45]/dependencies/.*|packages/[45]/(requires_dist/0|version)", "silent"),
    ("remove", r"platforms/0(/name)?|environments/default/(indexes/0|channels/0(/url)?)", "silent"),
    # app, idna and six are needed by nothing else of conda.
    ("remove", r"package/[045]", "silent"),
    # The same said twice is the same.
    (
        "repeat",
        r"metadata/(channels|platforms|sources)/0|platforms/0|environments/default/(channels|indexes)/0",
        "silent",
    ),
    ("repeat", r"packages/[0-9]/(depends|constrains|requires_dist)/[0-9]", "silent"),
)


def mutations(document: Any) -> Iterator[tuple[str, Place, str]]:
    for place, _ in leaves(document):
        yield "change", place, edited(document, place, replace_value)
        yield "remove", place, edited(document, place, remove)
    for place in rows(document):
        yield "remove", place, edited(document, place, remove)
        yield "repeat", place, edited(document, place, repeat)


@pytest.mark.parametrize("form", ["conda-lock", "pixi"])
def test_every_field_of_a_lock_is_looked_at(verifier: Verifier, records: tuple[Record, ...], form: str) -> None:
    text = written(records, form)
    assert loudness(verifier, text) == "silent"
    wrong: list[str] = []
    count = 0
    document = yaml.safe_load(text)
    for kind, place, changed in mutations(document):
        path = "/".join(map(str, place))
        expected = next((how for what, pattern, how in QUIET if what == kind and re.fullmatch(pattern, path)), "error")
        found, words = told(verifier, changed)
        count += 1
        if found != "silent" and not is_named(document, place, words):
            wrong.append(f"{kind} {path}: of another entry: {words}")
        if found != expected:
            wrong.append(f"{kind} {path}: {found}, not {expected}")
    assert wrong == []
    assert count > 100


def test_every_line_of_a_list_is_looked_at(verifier: Verifier, records: tuple[Record, ...]) -> None:
    text = explicit.render(records, platform="linux-64")
    lines = text.splitlines()
    assert loudness(verifier, text) == "silent"
    for number, line in enumerate(lines):
        if not line.startswith("https://"):
            continue
        name = line.rpartition("/")[2].partition("-")[0]
        without = [*lines[:number], *lines[number + 1 :]]
        # app is needed by nothing else.
        assert loudness(verifier, "\n".join(without)) == ("silent" if name == "app" else "error"), line
        found, words = told(verifier, "\n".join([*lines, line]))
        assert found == "error", line
        assert name in words
        for place in range(len("https://"), len(line)):
            character = "b" if line[place] == "a" else "a"
            changed = f"{line[:place]}{character}{line[place + 1 :]}"
            # Another channel is asked where the URL of a list names another one; here there is none.
            assert loudness(verifier, "\n".join([*lines[:number], changed, *lines[number + 1 :]])) != "silent", changed


def test_another_platform_of_a_list_is_noticed(verifier: Verifier, records: tuple[Record, ...]) -> None:
    text = explicit.render(records, platform="linux-64").replace("# platform: linux-64", "# platform: win-64")
    assert loudness(verifier, text) == "error"
