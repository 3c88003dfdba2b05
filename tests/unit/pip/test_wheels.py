from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from envcheck.model import DistributionFile, PipAvailability, PipPresence
from envcheck.pip.lookup import IndexUnavailable, ProjectFiles, ProjectUnreadable
from envcheck.pip.releases import wheel_version
from envcheck.pip.tags import supported_tags
from envcheck.pip.wheels import judge


def file(filename: str, *, requires_python: str | None = None, yanked: bool = False) -> DistributionFile:
    return DistributionFile(
        filename=filename,
        url=f"https://files.example/{filename}",
        sha256="0" * 64,
        requires_python=requires_python,
        yanked=yanked,
    )


def project(*files: DistributionFile | str) -> ProjectFiles:
    return ProjectFiles(name="demo", files=tuple(file(one) if isinstance(one, str) else one for one in files))


def check(
    found: ProjectFiles,
    pin: str | None = None,
    *,
    specifier: str = "",
    python: str | None = "3.10",
    platform: str = "linux-64",
    glibc: str | None = "2.28",
) -> PipAvailability:
    return judge("demo", found, pin=pin, specifier=specifier, python=python, platform=platform, glibc=glibc)


LINUX = "demo-1.0-cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
WINDOWS = "demo-1.0-cp310-cp310-win_amd64.whl"


@pytest.mark.parametrize(
    ("filename", "presence"),
    [
        ("demo-1.0-py3-none-any.whl", PipPresence.PURE_WHEEL),
        ("demo-1.0-py2.py3-none-any.whl", PipPresence.PURE_WHEEL),
        (LINUX, PipPresence.WHEEL),
        ("demo-1.0-cp310-cp310-manylinux1_x86_64.whl", PipPresence.WHEEL),
        ("demo-1.0-cp310-cp310-manylinux2010_x86_64.whl", PipPresence.WHEEL),
        ("demo-1.0-cp310-cp310-linux_x86_64.whl", PipPresence.WHEEL),
        ("demo-1.0-cp37-abi3-manylinux_2_28_x86_64.whl", PipPresence.WHEEL),
        ("demo-1.0-py3-none-manylinux_2_5_x86_64.whl", PipPresence.WHEEL),
        ("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", PipPresence.OTHER_PYTHON),
        ("demo-1.0-cp312-abi3-manylinux_2_17_x86_64.whl", PipPresence.OTHER_PYTHON),
        ("demo-1.0-py2-none-any.whl", PipPresence.OTHER_PYTHON),
        ("demo-1.0-cp310-cp310-manylinux_2_34_x86_64.whl", PipPresence.OTHER_PLATFORM),
        ("demo-1.0-cp310-cp310-musllinux_1_2_x86_64.whl", PipPresence.OTHER_PLATFORM),
        ("demo-1.0-cp310-cp310-manylinux_2_17_aarch64.whl", PipPresence.OTHER_PLATFORM),
        (WINDOWS, PipPresence.OTHER_PLATFORM),
        ("demo-1.0-py3-none-win_amd64.whl", PipPresence.OTHER_PLATFORM),
        ("demo-1.0.tar.gz", PipPresence.SOURCE_ONLY),
        ("Demo-1.0.zip", PipPresence.SOURCE_ONLY),
    ],
)
def test_one_file_on_linux_with_python_310(filename: str, presence: PipPresence) -> None:
    answer = check(project(filename), "1.0")
    assert answer.presence is presence
    assert answer.version == "1.0"


@pytest.mark.parametrize(
    ("platform", "tag"),
    [
        ("linux-aarch64", "manylinux_2_17_aarch64"),
        ("osx-64", "macosx_10_9_x86_64"),
        ("osx-64", "macosx_11_0_universal2"),
        ("osx-arm64", "macosx_11_0_arm64"),
        ("win-64", "win_amd64"),
    ],
)
def test_each_platform_accepts_its_own_tags_and_no_other(platform: str, tag: str) -> None:
    found = project(f"demo-1.0-cp310-cp310-{tag}.whl")
    assert check(found, "1.0", platform=platform).presence is PipPresence.WHEEL
    assert check(found, "1.0", platform="linux-64").presence is PipPresence.OTHER_PLATFORM


def test_an_unknown_platform_gets_pure_wheels_only() -> None:
    assert check(project("demo-1.0-py3-none-any.whl"), platform="plan9-64").presence is PipPresence.PURE_WHEEL
    assert check(project(LINUX), platform="plan9-64").presence is PipPresence.OTHER_PLATFORM


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ([WINDOWS, "demo-1.0-cp310-cp310-win32.whl"], "wheels only for win32, win_amd64"),
        (["demo-1.0.tar.gz"], "source distribution only"),
        (
            [
                "demo-1.0.tar.gz",
                WINDOWS,
                "demo-1.0-cp39-cp39-manylinux1_x86_64.whl",
                "demo-1.0-pp39-pypy39_pp73-manylinux1_x86_64.whl",
            ],
            "source distribution; wheels only for CPython 3.9, PyPy 3.9",
        ),
        (["demo-1.0.tar.gz", WINDOWS], "source distribution; wheels only for win_amd64"),
        (["demo-1.0-cp310-cp310-manylinux_2_34_x86_64.whl"], "wheels need glibc 2.34 or newer"),
        (
            ["demo-1.0-cp39-cp39-manylinux1_x86_64.whl", "demo-1.0-cp38-cp38-manylinux1_x86_64.whl"],
            "wheels only for CPython 3.8, 3.9",
        ),
        ([file("demo-1.0-py3-none-any.whl", requires_python=">=3.11")], "needs Python >=3.11"),
    ],
)
def test_the_detail_says_why_not(files: list[DistributionFile | str], detail: str) -> None:
    assert check(project(*files), "1.0").detail == detail


@pytest.mark.parametrize(
    ("requires", "python", "accepted"),
    [
        (">=3.10", "3.10", True),
        (">=3.10.4", "3.10", True),
        (">=3.10.4", "3.10.2", False),
        ("<3.10", "3.10", False),
        ("!=3.10.*", "3.10", False),
        ("<4", "3.10", True),
        ("not a specifier", "3.10", True),
        (">=3.11", None, True),
    ],
)
def test_requires_python(requires: str, python: str | None, accepted: bool) -> None:
    found = project(file("demo-1.0-py3-none-any.whl", requires_python=requires))
    expected = PipPresence.PURE_WHEEL if accepted else PipPresence.OTHER_PYTHON
    assert check(found, "1.0", python=python).presence is expected


def test_without_python_only_the_platform_counts() -> None:
    found = project("demo-1.0-cp36-cp36m-manylinux1_x86_64.whl")
    assert check(found, "1.0", python=None).presence is PipPresence.WHEEL
    assert check(project(WINDOWS), "1.0", python=None).presence is PipPresence.OTHER_PLATFORM


def test_the_platform_wheel_is_preferred_to_the_pure_one_and_the_higher_build_number_wins() -> None:
    found = project("demo-1.0-py3-none-any.whl", LINUX, LINUX.replace("-cp310-cp310", "-2-cp310-cp310"))
    answer = check(found, "1.0")
    assert answer.file is not None
    assert answer.file.filename.startswith("demo-1.0-2-cp310")


def test_without_a_pin_the_newest_release_with_a_wheel_is_judged_and_prereleases_wait() -> None:
    found = project(
        "demo-3.0rc1-py3-none-any.whl", "demo-2.0.tar.gz", "demo-1.5-py3-none-any.whl", "demo-1.0-py3-none-any.whl"
    )
    assert check(found).version == "1.5"
    assert check(found, specifier="<1.2").version == "1.0"
    assert check(found, "3.0rc1").version == "3.0rc1"


def test_nearest_versions_same_minor_first_then_closest() -> None:
    installable = ["1.19.5", "1.20.3", "1.21.0", "1.21.6", "1.22.0", "2.0.0"]
    found = project(*(f"demo-{version}-py3-none-any.whl" for version in installable), "demo-1.21.2-py2-none-any.whl")
    answer = check(found, "1.21.2")
    assert answer.presence is PipPresence.OTHER_PYTHON
    assert answer.nearest == ("1.21.6", "1.21.0", "1.22.0", "1.20.3", "2.0.0")


def test_a_range_that_nothing_meets_offers_the_versions_next_to_it() -> None:
    found = project("demo-1.0-py3-none-any.whl", "demo-1.9-py3-none-any.whl")
    answer = check(found, specifier=">=2.0,<3")
    assert answer.presence is PipPresence.NO_VERSION
    assert answer.nearest == ("1.9", "1.0")


def test_a_local_version_that_the_index_lacks_names_the_public_one() -> None:
    found = project("demo-1.13.0-py3-none-any.whl", "demo-1.13.1-py3-none-any.whl")
    answer = check(found, "1.13.0+cu118")
    assert answer.presence is PipPresence.NO_VERSION
    assert answer.nearest == ("1.13.0", "1.13.1")
    assert answer.detail == "the index has 1.13.0 without the local label +cu118"


def test_a_public_pin_is_met_by_a_local_version() -> None:
    assert check(project("demo-1.13.0+cpu-py3-none-any.whl"), "1.13.0").version == "1.13.0+cpu"


@pytest.mark.parametrize("pin", ["custom", "1.0=py39", ""])
def test_a_pin_that_is_no_version_is_told_apart_from_a_missing_one(pin: str) -> None:
    answer = check(project("demo-1.0-py3-none-any.whl"), pin)
    assert answer.presence is PipPresence.NO_VERSION
    assert "is not a version" in answer.detail


def test_a_pinned_yanked_version_still_installs_and_says_so() -> None:
    found = project(file("demo-1.0-py3-none-any.whl", yanked=True), "demo-1.1-py3-none-any.whl")
    answer = check(found, "1.0")
    assert answer.presence is PipPresence.YANKED
    assert answer.file is not None
    assert answer.nearest == ("1.1",)


def test_an_unpinned_requirement_never_gets_a_yanked_file() -> None:
    yanked = file("demo-1.0-py3-none-any.whl", yanked=True)
    answer = check(project(yanked))
    assert answer.presence is PipPresence.YANKED
    assert answer.file is None
    partly = check(project(yanked, "demo-1.0.tar.gz"))
    assert partly.presence is PipPresence.SOURCE_ONLY


def test_what_was_not_answered_was_not_checked() -> None:
    unavailable = judge("a", IndexUnavailable(reason="connection refused"), python=None, platform="linux-64")
    unreadable = judge("a", ProjectUnreadable(name="a", reason="no JSON"), python=None, platform="linux-64")
    assert unavailable.presence is unreadable.presence is PipPresence.NOT_CHECKED
    assert (unavailable.detail, unreadable.detail) == ("connection refused", "no JSON")
    assert judge("No.Such", None, python=None, platform="linux-64") == PipAvailability(
        name="no-such", pin=None, presence=PipPresence.NO_PROJECT, detail="no such project"
    )


def test_unreadable_file_names_are_passed_over() -> None:
    found = project("demo-1.0.egg", "demo-1.0-py3.whl", "other-1.0.tar.gz", "demo-x.tar.gz", "demo.exe", ".whl")
    assert check(found).detail == "the project has no files"


PLATFORMS = ["linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"]
PLATFORM_TAGS = [
    "any",
    "manylinux1_x86_64",
    "manylinux2014_aarch64",
    "manylinux_2_17_x86_64.manylinux2014_x86_64",
    "manylinux_2_35_x86_64",
    "musllinux_1_1_x86_64",
    "linux_x86_64",
    "macosx_10_9_universal2",
    "macosx_14_0_arm64",
    "win_amd64",
    "win32",
]
WHEELS = st.builds(
    "demo-{}-{}-{}.whl".format,
    st.sampled_from(["1.0", "1.1", "2.0", "2.0rc1", "2.0+cpu"]),
    st.sampled_from(["py3-none", "py2.py3-none", "cp37-abi3", "cp39-cp39", "cp310-cp310", "cp310-none", "pp310-pypy"]),
    st.sampled_from(PLATFORM_TAGS),
)


@given(
    st.lists(WHEELS, max_size=12),
    st.sampled_from([None, "1.0", "2.0"]),
    st.sampled_from(["3.8", "3.10", "3.13"]),
    st.sampled_from(PLATFORMS),
    st.sampled_from([None, "2.17", "2.28"]),
)
def test_a_proposed_wheel_always_has_a_supported_tag(
    filenames: list[str], pin: str | None, python: str, platform: str, glibc: str | None
) -> None:
    found = project(*filenames)
    answer = check(found, pin, python=python, platform=platform, glibc=glibc)
    supported = supported_tags(python, platform, glibc)
    if answer.file is not None:
        assert parse_tag("-".join(answer.file.filename.removesuffix(".whl").split("-")[-3:])) & supported.keys()
    # Whatever is offered as near installs when it is asked for.
    for version in answer.nearest:
        again = check(found, version, python=python, platform=platform, glibc=glibc)
        assert again.presence in (PipPresence.WHEEL, PipPresence.PURE_WHEEL)
    # The order in which the index lists its files changes nothing.
    assert check(project(*reversed(filenames)), pin, python=python, platform=platform, glibc=glibc) == answer


PARTS = st.sampled_from(
    [
        *("demo", "Demo_x", "de__mo", "dé", "a b", ""),
        *("1.0", "1.0.0", "1.0_1", "2.0rc1", "1.0+cu118", "x", "1.0.post1", "v1.0"),
        *("1", "2b", "b1", "1-2"),
        *("py3", "py2.py3", "cp310", "none", "abi3", "any", "manylinux1_x86_64.manylinux2014_x86_64"),
    ]
)


@given(st.lists(PARTS, min_size=1, max_size=7).map("-".join))
def test_the_version_in_a_wheels_name_is_what_packaging_reads(stem: str) -> None:
    try:
        expected = parse_wheel_filename(f"{stem}.whl")[1]
    except (InvalidWheelFilename, InvalidVersion):
        assert wheel_version(f"{stem}.whl") is None
    else:
        assert wheel_version(f"{stem}.whl") == expected


@given(
    versions=st.sets(st.from_regex(r"[0-3]\.[0-3]\.[0-2](rc1|\+cu1)?", fullmatch=True), min_size=1, max_size=12),
    installable=st.randoms(use_true_random=False),
    pin=st.from_regex(r"[0-3]\.[0-3]\.[0-2](rc1|\+cu1)?", fullmatch=True),
)
def test_the_nearest_are_those_that_a_look_at_every_release_finds(
    versions: set[str], installable: random.Random, pin: str
) -> None:
    tags = {version: installable.choice(["py3-none-any", "cp310-cp310-win_amd64"]) for version in sorted(versions)}
    files = [file(f"demo-{version}-{tag}.whl") for version, tag in tags.items()]

    found = check(project(*files), pin).nearest

    wanted = Version(pin)
    good = sorted(
        {version for text, tag in tags.items() if "any" in tag for version in [Version(text)]}
        - {
            version
            for version in map(Version, versions)
            if SpecifierSet(f"=={pin}").contains(version, prereleases=True)
        }
    )
    good = [version for version in good if wanted.is_prerelease or not version.is_prerelease]
    older = sum(version <= wanted for version in good)

    def order(item: tuple[int, Version]) -> tuple[bool, bool, int, bool]:
        position, version = item
        steps = position - older + 1 if position >= older else older - position
        return version.public != wanted.public, version.release[:2] != wanted.release[:2], steps, position < older

    if found:
        assert list(found) == [str(version) for _, version in sorted(enumerate(good), key=order)][:5]
