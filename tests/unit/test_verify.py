"""A good lock is sound in every format; whatever is changed in it is noticed, and told with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envcheck.errors import ConfigurationError, SourceError
from envcheck.lock_file import read_lock
from envcheck.lock_wheels import wheel_fit
from envcheck.model import DistributionFile, Severity
from envcheck.pip.index import UnavailableIndex
from envcheck.pip.lookup import Lookup, ProjectFiles, ProjectUnreadable
from envcheck.rules.about_locks import LOCK_RULES
from envcheck.rules.lock_facts import WheelFit
from envcheck.verify import LockReport, LockVerdict
from tests.support.channels import record
from tests.support.locks import GOOD, Locked, Verifier, conda_lock, explicit, locked, pip_locked, pixi_lock

Writer = Callable[[Sequence[Locked]], str]
WRITERS: tuple[Writer, ...] = (conda_lock, explicit, pixi_lock)

CODES = [rule.code for rule in LOCK_RULES]


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return Verifier(tmp_path_factory.mktemp("lab"))


def errors(*reports: LockReport) -> set[str]:
    return {one.code for report in reports for one in report.findings if one.severity is Severity.ERROR}


def project(name: str, *, filename: str, sha256: str = "a" * 64, yanked: bool = False) -> ProjectFiles:
    file = DistributionFile(
        filename=filename,
        url=f"https://files.pythonhosted.org/packages/{filename}",
        sha256=sha256,
        requires_python=None,
        yanked=yanked,
    )
    return ProjectFiles(name=name, files=(file,))


IDNA = {"idna": project("idna", filename="idna-3.7-py3-none-any.whl")}


# ---------------------------------------------------------------------------------------------------------------------
# A good lock
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", WRITERS)
def test_a_good_lock_is_sound(verifier: Verifier, write: Writer) -> None:
    (report,) = verifier(write(GOOD), drift=True, index={})
    assert report.findings == ()
    assert report.verdict is LockVerdict.SOUND
    assert report.complete


@pytest.mark.parametrize("write", [conda_lock, pixi_lock])
def test_a_good_lock_with_pip_is_sound(verifier: Verifier, write: Writer) -> None:
    (report,) = verifier(write([*GOOD, pip_locked()]), index=IDNA)
    assert report.findings == ()
    assert report.verdict is LockVerdict.SOUND


def test_every_platform_is_verified(verifier: Verifier) -> None:
    windows = [locked("python", platform="win-64"), locked("ucrt", platform="win-64")]
    text = conda_lock([*GOOD, *windows], platforms=("linux-64", "win-64"))
    reports = verifier(text)
    assert [report.target.platform for report in reports] == ["linux-64", "win-64"]
    assert {report.verdict for report in reports} == {LockVerdict.SOUND}
    (restricted,) = verifier(text, platforms=("win-64",))
    assert [entry.package.name for entry in restricted.entries] == ["python", "ucrt"]


def test_the_environments_of_a_pixi_lock_are_told_once(verifier: Verifier) -> None:
    entries = [*GOOD[:-1], replace(GOOD[-1], sha256="0" * 64)]
    (report,) = verifier(pixi_lock(entries, environments=("default", "test")))
    assert [finding.code for finding in report.findings] == ["EC716"]


def test_a_mirror_and_a_token_stand_for_their_channel(verifier: Verifier) -> None:
    tokened = [replace(one, url=one.url.replace("org/lab", "org/t/aa-11-bb/lab")) for one in GOOD]
    (report,) = verifier(explicit(tokened))
    assert {finding.code for finding in report.findings} == {"EC711"}
    assert not any("aa-11-bb" in repr(finding) for finding in report.findings)
    mirror = "mirrors.bfsu.edu.cn/anaconda/cloud"
    (mirrored,) = verifier(explicit([replace(one, url=one.url.replace("conda.anaconda.org", mirror)) for one in GOOD]))
    assert mirrored.verdict is LockVerdict.SOUND
    assert errors(mirrored) == set()


def test_a_hash_of_upper_case_letters_is_the_same_hash(verifier: Verifier) -> None:
    (report,) = verifier(explicit([replace(one, md5=(one.md5 or "").upper()) for one in GOOD]))
    assert "EC716" not in {finding.code for finding in report.findings}


# ---------------------------------------------------------------------------------------------------------------------
# Whatever is changed is noticed
# ---------------------------------------------------------------------------------------------------------------------


def _flip(text: str | None) -> str:
    assert text is not None
    return ("1" if text[0] == "0" else "0") + text[1:]


CHANGES: dict[str, tuple[Callable[[Locked], Locked], set[str]]] = {
    "md5": (lambda one: replace(one, md5=_flip(one.md5)), {"EC716"}),
    "sha256": (lambda one: replace(one, sha256=_flip(one.sha256)), {"EC716"}),
    "version": (lambda one: replace(one, version=f"{one.version}.1"), {"EC710"}),
    "build": (lambda one: replace(one, build=f"{one.build}1"), {"EC710"}),
    "name": (lambda one: replace(one, name=f"{one.name}x"), {"EC710"}),
    "file in the url": (lambda one: replace(one, url=one.url.replace(".conda", "1.conda")), {"EC710", "EC715"}),
    "url of another": (lambda one: replace(one, url=locked("oldie").url), {"EC710", "EC716"}),
    "subdir in the url": (lambda one: replace(one, url=one.url.replace(one.subdir, "win-64")), {"EC713"}),
    "platform": (lambda one: replace(one, platform="win-64"), {"EC710"}),
    "a hash that is none": (lambda one: replace(one, md5="xyz"), {"EC710"}),
}


@pytest.mark.parametrize("position", range(len(GOOD)), ids=[one.name for one in GOOD])
@pytest.mark.parametrize("change", CHANGES)
def test_any_change_of_an_entry_is_noticed(verifier: Verifier, change: str, position: int) -> None:
    edit, expected = CHANGES[change]
    entries = [edit(one) if place == position else one for place, one in enumerate(GOOD)]
    assert expected <= errors(*verifier(conda_lock(entries)))


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("name", ["libz", "numpy", "python"])
def test_a_package_that_is_missing_is_noticed(verifier: Verifier, write: Writer, name: str) -> None:
    (report,) = verifier(write([one for one in GOOD if one.name != name]))
    assert errors(report) == {"EC720"}
    assert report.verdict is LockVerdict.UNSOUND
    assert f"needs {name}" in report.findings[0].message


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("position", range(len(GOOD)))
def test_a_changed_hash_is_told_with_its_line(verifier: Verifier, write: Writer, position: int) -> None:
    entries = list(GOOD)
    entries[position] = replace(GOOD[position], md5=_flip(GOOD[position].md5))
    text = write(entries)
    (report,) = verifier(text)
    (finding,) = report.findings
    assert (finding.code, finding.subject) == ("EC716", GOOD[position].name)
    assert finding.line is not None
    assert GOOD[position].url in text.splitlines()[finding.line - 1]


# ---------------------------------------------------------------------------------------------------------------------
# Each rule
# ---------------------------------------------------------------------------------------------------------------------

PRIVATE = locked("oldie", name="private", url="https://example.org/priv/linux-64/private-1.0-h5_0.conda")

FIRES: dict[str, tuple[str, dict[str, Any]]] = {
    "EC710": (conda_lock([*GOOD, GOOD[0]]), {}),
    "EC711": (explicit([replace(GOOD[1], url=GOOD[1].url.replace("org/", "org/t/secret/"))]), {}),
    "EC712": (explicit([replace(one, md5=None) for one in GOOD]), {}),
    "EC713": (explicit([*GOOD, locked("ucrt", platform="win-64")], head="# platform: linux-64"), {}),
    "EC714": (conda_lock([*GOOD, pip_locked("fast-1.0-cp310-cp310-manylinux2014_x86_64.whl")]), {}),
    "EC715": (explicit([replace(GOOD[1], url=GOOD[1].url.replace("h2_0", "h2_7"))]), {}),
    "EC716": (explicit([replace(GOOD[1], md5="f" * 32)]), {}),
    "EC717": (explicit([replace(GOOD[1], url=GOOD[1].url.replace(".conda", ".tar.bz2"))]), {}),
    "EC718": (conda_lock([*GOOD, PRIVATE]), {}),
    "EC719": (conda_lock(GOOD, channels=("lab",)), {"configuration": "unreachable"}),
    "EC720": (explicit([GOOD[2]]), {}),
    "EC721": (explicit([*GOOD, locked("oldie")]), {}),
    "EC722": (explicit([locked("cudaish")]), {}),
    "EC723": (explicit([GOOD[1]]), {"drift": True, "newer": True}),
    "EC724": (explicit([GOOD[1]]), {"drift": True, "newer": True}),
    "EC725": (conda_lock([*GOOD, pip_locked()]), {"index": {"idna": project("idna", filename="idna-3.8.tar.gz")}}),
    "EC726": (
        conda_lock([*GOOD, pip_locked(sha256="b" * 64)]),
        {"index": IDNA},
    ),
    "EC727": (
        conda_lock([*GOOD, pip_locked()]),
        {"index": {"idna": project("idna", filename="idna-3.7-py3-none-any.whl", yanked=True)}},
    ),
    "EC728": (conda_lock([*GOOD, pip_locked(url="https://example.org/idna-3.7-py3-none-any.whl")]), {"index": {}}),
    "EC729": (conda_lock([*GOOD[:-1], locked("python", depends=())]), {}),
}


@pytest.mark.parametrize("code", CODES)
def test_the_rule_fires(verifier: Verifier, tmp_path: Path, code: str) -> None:
    text, options = FIRES[code]
    options = dict(options)
    asked = verifier
    if options.pop("configuration", None):
        asked = Verifier(tmp_path)
        asked.configuration = replace(asked.configuration, mirrored_channels=(("lab", ("http://127.0.0.1:9/lab",)),))
    if options.pop("newer", None):
        newer = [record("libz", "1.3", "h2_1", 1), record("libz", "1.4", "h2_0"), record("libz", "1.2", "h2_9", 9)]
        asked = Verifier(tmp_path, {"linux-64": newer})
    findings = [one for report in asked(text, **options) for one in report.findings if one.code == code]
    assert findings
    for finding in findings:
        assert finding.subject
        assert not finding.message.endswith(".")
        assert finding.line is None or 1 <= finding.line <= text.count("\n")
        assert "secret" not in repr(finding)


def test_every_rule_has_a_case() -> None:
    assert list(FIRES) == CODES


# ---------------------------------------------------------------------------------------------------------------------
# What they say
# ---------------------------------------------------------------------------------------------------------------------


def test_a_requirement_that_was_narrowed_later_is_a_warning(verifier: Verifier) -> None:
    narrowed = locked("narrowed", depends=(("libz", ">=1.2,<2"),))
    (report,) = verifier(conda_lock([*GOOD, narrowed]))
    (finding,) = report.findings
    assert (finding.code, finding.severity) == ("EC720", Severity.WARNING)
    (unstated,) = verifier(explicit([*GOOD, narrowed]))
    assert errors(unstated) == {"EC720"}


def test_a_noarch_package_for_windows_is_an_error_on_linux(verifier: Verifier) -> None:
    (report,) = verifier(explicit([locked("winner")]))
    assert errors(report) == {"EC722"}


def test_what_the_machine_has_can_be_said(verifier: Verifier) -> None:
    (report,) = verifier(explicit([locked("cudaish")]), virtual_packages=("__cuda=12.4",))
    assert report.findings == ()


def test_drift_keeps_to_the_python_of_the_lock(tmp_path: Path) -> None:
    newer = [
        record("numpy", "2.0.0", "py312h1_0", depends=["python >=3.12,<3.13.0a0"]),
        record("numpy", "1.26.5", "py311h1_0", depends=["python >=3.11,<3.12.0a0"]),
        record("python", "3.12.1", "h1_0_cpython"),
    ]
    (report,) = Verifier(tmp_path, {"linux-64": newer})(conda_lock(GOOD), drift=True)
    assert [(one.code, one.subject, one.message) for one in report.findings] == [
        ("EC724", "numpy", "1.26.5 is there, locked is 1.26.4")
    ]


def test_another_build_is_offered_for_the_same_python_only(tmp_path: Path) -> None:
    builds = [
        record("fast", "1.0", "py312_0", depends=["python 3.12.*"]),
        record("fast", "1.0", "py311_1", 1, depends=["python 3.11.*"]),
    ]
    old = replace(GOOD[1], name="fast", version="1.0", url=GOOD[1].url.replace("libz-1.3-h2_0", "fast-1.0-py311_0"))
    (report,) = Verifier(tmp_path, {"linux-64": builds})(explicit([*GOOD, old]))
    (finding,) = report.findings
    assert [remedy.spec for remedy in finding.remedies] == ["fast ==1.0 py311_1"]


def test_a_channel_that_is_not_there_is_told_once(verifier: Verifier) -> None:
    away = [replace(one, url=one.url.replace("/lab/", "/gone/")) for one in GOOD]
    (report,) = verifier(explicit([*away, locked("oldie")]))
    assert [(one.code, one.subject) for one in report.findings if one.code == "EC715"] == [("EC715", "gone")]


def test_a_platform_that_the_channel_lacks_is_told_once(verifier: Verifier) -> None:
    mac = [
        replace(one, platform="osx-64", url=one.url.replace("linux-64", "osx-64")) if one.subdir != "noarch" else one
        for one in GOOD
    ]
    (report,) = verifier(explicit(mac))
    assert [(one.subject, one.line) for one in report.findings if one.code == "EC715"] == [("lab", 3)]


def test_no_address_is_asked_because_a_package_points_at_it(verifier: Verifier) -> None:
    text, _ = FIRES["EC718"]
    (report,) = verifier(text)
    assert [channel.name for channel in report.target.channels] == ["lab"]
    assert report.verdict is LockVerdict.UNPROVEN
    (named,) = verifier(text, channels=("https://example.org/priv",))
    assert "EC718" not in {one.code for one in named.findings}
    assert not named.complete  # offline


def test_the_rest_is_verified_although_a_channel_does_not_answer(verifier: Verifier) -> None:
    wrong = replace(GOOD[0], md5="f" * 32)
    text = conda_lock([*GOOD[1:], wrong, PRIVATE], channels=("lab", "https://example.org/priv"))
    (report,) = verifier(text)
    assert not report.complete
    assert {"EC716", "EC719"} <= {one.code for one in report.findings}


def test_without_any_channel_the_lock_is_still_judged_by_itself(tmp_path: Path) -> None:
    verifier = Verifier(tmp_path)
    verifier.configuration = replace(verifier.configuration, mirrored_channels=(("lab", ("http://127.0.0.1:9/lab",)),))
    (report,) = verifier(conda_lock([one for one in GOOD if one.name != "libz"]))
    assert not report.complete
    assert errors(report) == {"EC720"}


def test_select_and_ignore_leave_the_verdict_alone(verifier: Verifier) -> None:
    (report,) = verifier(FIRES["EC716"][0], ignore=("EC716",))
    assert report.findings == ()
    assert report.verdict is LockVerdict.UNSOUND


# ---------------------------------------------------------------------------------------------------------------------
# Explicit lists and platforms
# ---------------------------------------------------------------------------------------------------------------------


def test_a_windows_list_is_verified_for_windows_and_on_request_for_linux(verifier: Verifier) -> None:
    text = explicit([locked("python", platform="win-64"), locked("ucrt", platform="win-64")])
    (windows,) = verifier(text)
    assert windows.verdict is LockVerdict.SOUND
    (linux,) = verifier(text, platforms=("linux-64",))
    assert errors(linux) == {"EC713"}
    assert len(linux.findings) == 2


def test_one_windows_file_in_a_linux_list_is_the_stray(verifier: Verifier) -> None:
    (report,) = verifier(explicit([*GOOD, locked("ucrt", platform="win-64")]))
    assert [(one.code, one.subject) for one in report.findings] == [("EC713", "ucrt")]
    assert report.target.platform == "linux-64"


def test_a_platform_that_the_lock_lacks_is_an_error_of_usage(verifier: Verifier) -> None:
    with pytest.raises(ConfigurationError, match="nothing for osx-64"):
        verifier(conda_lock(GOOD), platforms=("osx-64",))


# ---------------------------------------------------------------------------------------------------------------------
# pip packages
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filename", "platform", "python", "glibc", "fit"),
    [
        ("idna-3.7-py3-none-any.whl", "linux-64", "3.11.7", "2.28", WheelFit.FITS),
        ("x-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "linux-64", "3.11", "2.28", WheelFit.FITS),
        ("x-1-cp38-abi3-manylinux2014_x86_64.whl", "linux-64", "3.11.7", "2.28", WheelFit.FITS),
        ("x-1-cp311-cp311-win_amd64.whl", "linux-64", "3.11.7", "2.28", WheelFit.OTHER_PLATFORM),
        ("x-1-cp311-cp311-musllinux_1_1_x86_64.whl", "linux-64", "3.11.7", "2.28", WheelFit.OTHER_PLATFORM),
        ("x-1-cp311-cp311-manylinux2014_aarch64.whl", "linux-64", "3.11.7", "2.28", WheelFit.OTHER_PLATFORM),
        ("x-1-cp311-cp311-manylinux2014_aarch64.whl", "linux-aarch64", "3.11.7", "2.28", WheelFit.FITS),
        ("x-1-cp310-cp310-manylinux2014_x86_64.whl", "linux-64", "3.11.7", "2.28", WheelFit.OTHER_PYTHON),
        ("x-1-cp310-cp310-manylinux2014_x86_64.whl", "linux-64", None, "2.28", WheelFit.FITS),
        ("x-1-cp311-cp311-manylinux_2_34_x86_64.whl", "linux-64", "3.11.7", "2.28", WheelFit.NEWER_GLIBC),
        ("x-1-cp311-cp311-macosx_14_0_arm64.whl", "osx-arm64", "3.11.7", None, WheelFit.FITS),
        ("x-1-cp311-cp311-macosx_10_9_universal2.whl", "osx-64", "3.11.7", None, WheelFit.FITS),
        ("x-1-cp311-cp311-macosx_14_0_arm64.whl", "osx-64", "3.11.7", None, WheelFit.OTHER_PLATFORM),
        ("x-1-cp311-cp311-win_amd64.whl", "win-64", "3.11.7", None, WheelFit.FITS),
        ("x-1.tar.gz", "linux-64", "3.11.7", "2.28", WheelFit.FITS),
        ("odd.whl", "linux-64", "3.11.7", "2.28", WheelFit.FITS),
    ],
)
def test_wheels_are_judged_by_their_names(
    filename: str, platform: str, python: str | None, glibc: str | None, fit: WheelFit
) -> None:
    assert wheel_fit(filename, platform, python, glibc)[0] is fit


def test_a_windows_wheel_in_a_linux_lock_is_an_error(verifier: Verifier) -> None:
    (report,) = verifier(conda_lock([*GOOD, pip_locked("x-1-cp311-cp311-win_amd64.whl")]))
    assert errors(report) == {"EC713"}


def test_pip_packages_need_a_python(verifier: Verifier) -> None:
    (report,) = verifier(conda_lock([locked("libz"), pip_locked()]))
    assert errors(report) == {"EC714"}


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ({}, "EC725"),  # the project is gone
        ({"idna": ProjectUnreadable(name="idna", reason="too large")}, "EC728"),
    ],
)
def test_what_the_package_index_cannot_say(verifier: Verifier, index: Mapping[str, Lookup], told: str) -> None:
    (report,) = verifier(conda_lock([*GOOD, pip_locked()]), index=index)
    assert [one.code for one in report.findings] == [told]


ELSEWHERE = "https://example.org/files"


@pytest.mark.parametrize(
    ("filename", "changes", "told"),
    [
        ("idna-3.7-py3-none-any.whl", {}, []),  # a mirror
        ("idna-3.7-1mirror-py3-none-any.whl", {}, []),  # with a name of its own
        ("idna-3.7-py3-none-any.whl", {"sha256": "b" * 64}, [("EC726", Severity.ERROR)]),
        ("idna-3.7-cp311-cp311-linux_x86_64.whl", {"sha256": "b" * 64}, [("EC726", Severity.ERROR)]),
        # Nothing to compare with: the lock has no hash, the index not the version, or not the project.
        ("idna-3.7-py3-none-any.whl", {"sha256": None}, [("EC712", Severity.WARNING), ("EC728", Severity.WARNING)]),
        ("idna-3.8-py3-none-any.whl", {"version": "3.8"}, [("EC728", Severity.WARNING)]),
        ("private-1.0-py3-none-any.whl", {}, [("EC728", Severity.WARNING)]),
    ],
)
def test_a_file_of_another_host_is_held_against_the_hashes_of_the_index(
    verifier: Verifier, filename: str, changes: dict[str, Any], told: list[tuple[str, Severity]]
) -> None:
    wheel = pip_locked(filename, **{"url": f"{ELSEWHERE}/{filename}", **changes})
    (report,) = verifier(conda_lock([*GOOD, wheel]), index=IDNA)
    assert [(one.code, one.severity) for one in report.findings] == told
    assert all(wheel.name in f"{one.subject} {one.message}" for one in report.findings)


def test_another_host_may_have_what_was_withdrawn(verifier: Verifier) -> None:
    index = {"idna": project("idna", filename="idna-3.7-py3-none-any.whl", yanked=True)}
    wheel = pip_locked(url=f"{ELSEWHERE}/idna-3.7-py3-none-any.whl")
    (report,) = verifier(conda_lock([*GOOD, wheel]), index=index)
    assert [one.code for one in report.findings] == ["EC727"]


def test_a_package_index_that_does_not_answer_leaves_the_rest(verifier: Verifier) -> None:
    (report,) = verifier(conda_lock([*GOOD, pip_locked()]), index=UnavailableIndex("offline"))
    assert [one.code for one in report.findings] == ["EC728"]
    assert not report.complete


def test_version_control_is_not_asked_of_the_index(verifier: Verifier) -> None:
    vcs = pip_locked(url=f"git+https://example.org/idna.git@{'d' * 40}", sha256=None)
    (report,) = verifier(conda_lock([*GOOD, vcs]), index={})
    assert [one.code for one in report.findings if one.code.startswith("EC72")] == []


# ---------------------------------------------------------------------------------------------------------------------
# Wrong input
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("name: x\ndependencies: [python]\n", "no lock of a known format", None),
        ("@EXPLICIT\n", "holds no packages", None),
        ("@EXPLICIT\nhttps://example.org/linux-64/x-1-0.conda\nnonsense\n", "not the URL", 3),
        ("version: 1\nmetadata: {}\npackage: [\n", "not readable as YAML", 4),
        ("version: 2\nmetadata: {}\npackage: []\n", "version 1", None),
        ("version: 99\nenvironments: {}\npackages: []\n", "pixi.lock", None),
        ("version: 1\nmetadata: 3\npackage: []\n", "metadata", None),
    ],
)
def test_what_is_no_lock_is_refused_with_its_place(text: str, message: str, line: int | None) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        read_lock(text.encode(), "a.lock")
    assert (caught.value.path, caught.value.line) == ("a.lock", line)


def test_a_list_in_utf_16_is_read(verifier: Verifier) -> None:
    lock = read_lock(explicit(GOOD).encode("utf-16"), "a.lock")
    assert lock.encoding.startswith("utf-16")
    assert [one.line for one in lock.packages] == [2, 3, 4, 5]
