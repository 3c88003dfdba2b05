"""From what a source says to what is asked of the target."""

from __future__ import annotations

from envcheck.model import Environment, Export, PipRequirementKind
from envcheck.normalize import is_full_export, normalize, platform_differs
from envcheck.sources import read_source

WINDOWS = "# platform: win-64\n"
LINUX = "# platform: linux-64\n"


def export(text: str) -> Export:
    return read_source(text.encode(), "given")


def environment(text: str, *, keep_variants: bool = False) -> Environment:
    return normalize(export(text), "linux-64", keep_variants=keep_variants)


def yaml(*dependencies: str, head: str = "") -> str:
    return head + "dependencies:\n" + "".join(f"  - {one}\n" for one in dependencies)


def asked(found: Environment) -> list[tuple[str, str | None, str | None]]:
    return [(one.name, one.version, one.build) for one in found.requirements]


# ---------------------------------------------------------------------------------------------------------------------
# Builds
# ---------------------------------------------------------------------------------------------------------------------


def test_builds_of_another_platform_are_dropped_and_told() -> None:
    found = environment(WINDOWS + "numpy=1.26.2=py310hf667824_0\nzlib=1.2.13=hcfcfb64_5\n")

    assert asked(found) == [("numpy", "==1.26.2", None), ("zlib", "==1.2.13", None)]
    assert [(edit.subject, edit.before, edit.after, edit.reason, edit.line) for edit in found.edits] == [
        ("numpy", "1.26.2=py310hf667824_0", "1.26.2", "the build belongs to win-64", 2),
        ("zlib", "1.2.13=hcfcfb64_5", "1.2.13", "the build belongs to win-64", 3),
    ]


def test_builds_of_the_target_are_kept() -> None:
    found = environment(LINUX + "numpy=1.26.2=py310hb13e2d6_0\n")

    assert asked(found) == [("numpy", "==1.26.2", "py310hb13e2d6_0")]
    assert found.edits == ()


def test_builds_are_kept_where_nothing_tells_the_platform() -> None:
    assert asked(environment("numpy=1.26.2=0\nscipy=1.0=1\n")) == [("numpy", "==1.26.2", "0"), ("scipy", "==1.0", "1")]


def test_globs_are_wishes_and_stay() -> None:
    found = environment(yaml("pytorch=2.1=*cuda*", "blas=*=*mkl", head="prefix: C:\\envs\\x\n"))

    assert asked(found) == [("pytorch", "==2.1", "*cuda*"), ("blas", "*", "*mkl")]


def test_variants_become_constraints_on_request_only() -> None:
    text = WINDOWS + "pytorch=2.1.0=cuda118py310h1234567_0\nlibblas=3.9.0=20_win64_mkl\nnumpy=1.26=py310hf667824_0\n"

    assert [build for _, _, build in asked(environment(text))] == [None, None, None]
    found = environment(text, keep_variants=True)
    assert [build for _, _, build in asked(found)] == ["*cuda*", "*mkl*", None]
    assert found.edits[0].after == "2.1.0=*cuda*"


def test_urls_and_hashes_of_another_platform_are_dropped() -> None:
    url = "https://conda.anaconda.org/conda-forge/{}/zlib-1.2.13-{}.conda#" + "0" * 32
    (windows,) = environment("@EXPLICIT\n" + url.format("win-64", "hcfcfb64_5") + "\n").requirements
    (linux,) = environment("@EXPLICIT\n" + url.format("linux-64", "hd590300_5") + "\n").requirements

    assert (windows.url, windows.md5, windows.subdir, windows.build) == (None, None, None, None)
    assert linux.url is not None
    assert (linux.md5, linux.subdir, linux.build) == ("0" * 32, "linux-64", "hd590300_5")


# ---------------------------------------------------------------------------------------------------------------------
# Duplicates
# ---------------------------------------------------------------------------------------------------------------------


def test_duplicates_become_one_and_are_told() -> None:
    found = environment(yaml("numpy", "scipy", "numpy=1.26"))

    assert asked(found) == [("numpy", "1.26.*", None), ("scipy", None, None)]
    assert [(edit.subject, edit.before, edit.after, edit.reason) for edit in found.edits] == [
        ("numpy", "numpy and numpy=1.26", "numpy 1.26.*", "listed twice, on lines 2 and 4")
    ]


def test_of_two_pins_the_first_counts() -> None:
    assert asked(environment(yaml("numpy=1.26", "numpy=1.25"))) == [("numpy", "1.26.*", None)]


def test_a_pin_counts_more_than_a_range() -> None:
    assert asked(environment(yaml("numpy>=1", "numpy=1.26"))) == [("numpy", "1.26.*", None)]
    assert asked(environment(yaml("numpy=1.26", "numpy>=1"))) == [("numpy", "1.26.*", None)]


def test_ranges_are_joined() -> None:
    assert asked(environment(yaml("numpy>=1", "numpy<2"))) == [("numpy", ">=1,<2", None)]


def test_alternatives_stay_together_when_they_are_joined() -> None:
    # "," binds more tightly than "|": without parentheses this would allow 1.25 and everything from 2 on.
    assert asked(environment(yaml("numpy <1.26|>=2", "numpy <3"))) == [("numpy", "(<1.26|>=2),<3", None)]


def test_a_build_stays_with_its_version() -> None:
    assert asked(environment(yaml("numpy==1.25", "numpy=1.26=py39_0"))) == [("numpy", "==1.25", None)]
    assert asked(environment(yaml("numpy==1.26", "numpy=1.26=py39_0"))) == [("numpy", "==1.26", "py39_0")]
    assert asked(environment(yaml("numpy", "numpy=1.26=py39_0"))) == [("numpy", "==1.26", "py39_0")]


def test_the_channel_of_a_duplicate_is_kept() -> None:
    (one,) = environment(yaml("conda-forge::numpy", "numpy=1.26")).requirements

    assert (one.channel, one.version, one.line) == ("conda-forge", "1.26.*", 2)


def test_names_that_differ_by_their_separator_are_two_packages() -> None:
    found = environment(WINDOWS + "typing-extensions=4.9.0=hd8ed1ab_0\ntyping_extensions=4.9.0=pyha770c72_0\n")

    assert [one.name for one in found.requirements] == ["typing-extensions", "typing_extensions"]


# ---------------------------------------------------------------------------------------------------------------------
# Python
# ---------------------------------------------------------------------------------------------------------------------


def test_python_from_its_row() -> None:
    found = environment(WINDOWS + "numpy=1.26.2=py310hf667824_0\npython=3.11.4=h1234567_0_cpython\n")

    assert found.python == "3.11.*"
    assert found.python_reason == "line 3: python=3.11.4=h1234567_0_cpython"


def test_python_from_a_range() -> None:
    assert environment(yaml("python>=3.9,<3.12")).python == ">=3.9,<3.12"


def test_python_from_most_builds() -> None:
    rows = "a=1=py310h1234567_0\nb=1=py39h1234567_0\nc=1=py310h1234567_1\nd=1=pyhd8ed1ab_0\n"
    found = environment(WINDOWS + rows)

    assert (found.python, found.python_reason) == ("3.10.*", "2 builds are bound to Python 3.10")


def test_python_of_a_bare_row_is_told_by_the_builds() -> None:
    assert environment(yaml("python", "numpy=1.21=py39h1234567_0")).python == "3.9.*"


def test_no_python() -> None:
    found = environment(yaml("zlib=1.2"))

    assert (found.python, found.python_reason) == (None, None)


# ---------------------------------------------------------------------------------------------------------------------
# Channels
# ---------------------------------------------------------------------------------------------------------------------


def channels(text: str) -> list[str]:
    return [one.text for one in environment(text).channels]


def test_channels_are_the_sources_in_order() -> None:
    assert channels(yaml("numpy", head="channels: [pytorch, conda-forge, nodefaults]\n")) == [
        "pytorch",
        "conda-forge",
        "nodefaults",
    ]


def test_channels_of_rows_where_there_is_no_list() -> None:
    base = "https://conda.anaconda.org"
    files = ("bioconda/win-64/a-1-0.conda", "forge/noarch/b-1-0.conda", "forge/win-64/c-1-0.conda")
    found = environment("@EXPLICIT\n" + "".join(f"{base}/{file}\n" for file in files))

    assert [one.text for one in found.channels] == [f"{base}/bioconda", f"{base}/forge"]
    assert [one.channel for one in found.requirements] == [None, None, None]


def test_of_the_channels_of_requirements_the_most_used_comes_first() -> None:
    assert channels(yaml("bioconda::a", "conda-forge::b", "conda-forge::c")) == ["conda-forge", "bioconda"]


def test_a_channel_that_only_a_requirement_names_is_added_behind_the_others() -> None:
    text = yaml("numpy", "pytorch::torchvision", "conda-forge::xarray", head="channels: [conda-forge]\n")
    found = environment(text)

    assert [one.text for one in found.channels] == ["conda-forge", "pytorch"]
    assert [one.channel for one in found.requirements] == [None, "pytorch", "conda-forge"]


def test_the_platform_of_a_requirements_channel_is_dropped() -> None:
    found = environment(yaml("conda-forge/win-64::numpy", head="channels: [defaults]\n"))

    assert [one.text for one in found.channels] == ["defaults", "conda-forge"]
    assert found.requirements[0].channel == "conda-forge"


def test_defaults_is_several_channels_and_cannot_be_demanded_of_one_package() -> None:
    found = environment(yaml("defaults::numpy", head="channels: [conda-forge]\n"))

    assert [one.text for one in found.channels] == ["conda-forge", "defaults"]
    assert found.requirements[0].channel is None


# ---------------------------------------------------------------------------------------------------------------------
# The pip section
# ---------------------------------------------------------------------------------------------------------------------


def test_rows_that_pip_installed_move_to_the_pip_section_by_their_normalized_names() -> None:
    found = environment(WINDOWS + "Flask_Login=0.6.3=pypi_0\nnumpy=1.26.2=py310hf667824_0\n")

    assert [one.name for one in found.requirements] == ["numpy"]
    assert [(one.kind, one.name, one.pin, one.origin) for one in found.pip] == [
        (PipRequirementKind.NAMED, "flask-login", "0.6.3", "pypi row")
    ]


def test_a_project_stands_in_the_pip_section_once() -> None:
    text = yaml("pip", "pip:\n    - requests==2.31\n    - Requests==2.30\n    - requests ; python_version < '3'")
    found = environment(text)

    assert [(one.name, one.pin) for one in found.pip] == [("requests", "2.31"), ("requests", None)]
    assert [(edit.subject, edit.after) for edit in found.edits] == [("requests", "requests==2.31")]


def test_a_pip_section_implies_pip() -> None:
    assert environment(yaml("numpy", "pip:\n    - requests")).implied == ("pip",)
    assert environment(yaml("pip", "pip:\n    - requests")).implied == ()
    assert environment(yaml("numpy", "pip:\n    - --pre")).implied == ()
    assert environment(yaml("numpy")).implied == ()


# ---------------------------------------------------------------------------------------------------------------------
# About sources
# ---------------------------------------------------------------------------------------------------------------------


def test_the_name_is_kept_and_the_prefix_is_not() -> None:
    assert environment(yaml("numpy", head="name: geo\nprefix: C:\\envs\\geo\n")).name == "geo"
    assert environment(yaml("numpy")).name == "environment"


def test_platform_differs() -> None:
    assert platform_differs(export(WINDOWS + "a=1=0\n"), "linux-64")
    assert not platform_differs(export(LINUX + "a=1=0\n"), "linux-64")
    assert not platform_differs(export("a=1=0\nb=1=0\n"), "linux-64")


def test_full_exports() -> None:
    with_builds = yaml("a=1=h1234567_0", "b=1=h1234567_1", "c")
    pinned = yaml(*(f"p{number}=1.{number}" for number in range(12)), head="prefix: C:\\x\n")

    assert is_full_export(export(WINDOWS + "a=1=0\n"))
    assert is_full_export(export(with_builds))
    assert is_full_export(export(pinned))


def test_what_people_wrote_is_no_full_export() -> None:
    assert not is_full_export(export(yaml("numpy", "pandas=2", "python=3.10", head="prefix: C:\\x\n")))
    assert not is_full_export(export(yaml("a=1=*cuda*", "b=1=*mkl*")))
    assert not is_full_export(export(yaml(*(f"p{number}=1.{number}" for number in range(12)))))


def listing_without_builds(names: list[str], *, head: str = "") -> Environment:
    text = head + "dependencies:\n" + "".join(f"  - {name}=1.2\n" for name in names)
    return normalize(read_source(text.encode(), "environment.yml"), "linux-64")


def test_an_export_without_builds_means_its_versions_exactly() -> None:
    names = [f"package-{number:02}" for number in range(12)]

    assert {row.version for row in listing_without_builds(names).requirements} == {"==1.2"}
    assert {row.version for row in listing_without_builds(names[::-1]).requirements} == {"1.2.*"}
    assert {row.version for row in listing_without_builds(names[::-1], head="prefix: /x\n").requirements} == {"==1.2"}
    assert {row.version for row in listing_without_builds(names[:5]).requirements} == {"1.2.*"}
