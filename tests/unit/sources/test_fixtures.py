"""What is read from the miniature exports: exact requirements, lines, pip rows, damage and platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.model import DamageKind, Export, PipRequirementKind, SourceKind
from envcheck.sources import read_source

EXPORTS = Path(__file__).parents[3] / "fixtures" / "exports"


def read(name: str) -> Export:
    return read_source((EXPORTS / name).read_bytes(), name)


def rows(export: Export) -> list[tuple[int, str, str | None, str | None]]:
    return [(item.line, item.name, item.version, item.build) for item in export.requirements]


def pip_rows(export: Export) -> list[tuple[int, str, str | None, str]]:
    return [(item.line, item.kind.value, item.name, item.specifier) for item in export.pip]


def damage(export: Export) -> list[tuple[int, str, str, str | None]]:
    return [(item.line, item.kind.value, item.subject, item.read_as) for item in export.damage]


KINDS = {
    "conda-lock": SourceKind.CONDA_LOCK,
    "environment": SourceKind.ENVIRONMENT_YAML,
    "explicit": SourceKind.EXPLICIT,
    "list-export": SourceKind.LIST_EXPORT,
    "list-table": SourceKind.LIST_TABLE,
    "list": SourceKind.LIST_JSON,
    "pip-freeze": SourceKind.PIP_FREEZE,
    "pip-list": SourceKind.PIP_FREEZE,
    "pixi-lock": SourceKind.PIXI_LOCK,
}


FILES = sorted(path for path in EXPORTS.iterdir() if path.suffix in {".txt", ".yml", ".json"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_kind_is_found_from_the_content(path: Path) -> None:
    expected = KINDS[path.name.partition(".")[0].partition("_")[0]]

    assert read_source(path.read_bytes(), "no-name").kind is expected


def test_list_export_rows_are_exact_and_pypi_rows_are_pip() -> None:
    export = read("list-export.txt")

    assert rows(export)[:4] == [
        (4, "blas", "==1.0", "mkl"),
        (5, "ca-certificates", "==2023.08.22", "haa95532_0"),
        (6, "console_shortcut", "==0.1.1", "4"),
        (7, "numpy", "==1.24.3", "py310hdc03b94_0"),
    ]
    assert len(export.requirements) == 10
    assert pip_rows(export) == [(10, "named", "requests", "==2.31.0"), (11, "named", "torch", "==2.0.1+cu118")]
    assert {item.origin for item in export.pip} == {"pypi row"}
    assert export.damage == ()
    assert export.platform == "win-64"
    assert export.evidence[0].reason == "the header says platform: win-64"
    assert export.evidence[0].line == 3


def test_without_header_the_platform_follows_from_builds_and_names() -> None:
    export = read("list-export.no-header.txt")

    assert export.platform == "win-64"
    assert [(item.platform, item.line) for item in export.evidence] == [("win-64", 2), ("win", 3)]


def test_damaged_rows_are_read_where_their_meaning_is_certain() -> None:
    export = read("list-export.damaged.txt")

    assert rows(export) == [
        (4, "anaconda", None, None),
        (5, "jedi", "==0.18.1", None),
        (6, "numpy", "==1.21.2", "py38hfca59bb_0"),
        (7, "pandas", "==1.3.4", "py38h6214cd6_0"),
        (8, "scipy", None, None),
        (9, "libffi", "==3.4.2", None),
        (12, "libpysal", "==1!4.7.0", "py39_0"),
    ]
    assert pip_rows(export) == [
        (10, "named", "thop", "==0.1.1-2209072238"),
        (11, "editable", "mylib", "==0.3.0"),
        (13, "editable", "tools", ""),
    ]
    assert damage(export) == [
        (4, "no-version", "anaconda", "anaconda"),
        (5, "trailing-equals", "jedi", "jedi=0.18.1"),
        (6, "build-in-version", "numpy", "numpy=1.21.2=py38hfca59bb_0"),
        (7, "build-in-version", "pandas", "pandas=1.3.4=py38h6214cd6_0"),
        (8, "trailing-equals", "scipy", "scipy"),
        (13, "pip-spec-under-conda", "tools", "-e git+https://example.org/tools.git#egg=tools"),
        (14, "unreadable-line", "***", None),
    ]


def test_environment_with_builds() -> None:
    export = read("environment.builds.yml")

    assert export.environment_name == "forecast"
    assert export.prefix == "C:\\Users\\lee\\anaconda3\\envs\\forecast"
    assert [(item.text, item.line) for item in export.channels] == [
        ("conda-forge", 3),
        ("https://mirrors.tuna.tsinghua.edu.cn/anaconda/pkgs/main/win-64", 4),
        ("defaults", 5),
    ]
    assert rows(export)[0] == (7, "ca-certificates", "==2023.08.22", "haa95532_0")
    assert pip_rows(export) == [(14, "named", "requests", "==2.31.0"), (15, "named", "torch", "==2.0.1+cu118")]
    assert export.platform == "win-64"
    assert export.damage == ()


def test_environment_without_builds_is_fuzzy_and_keeps_the_version_as_written() -> None:
    export = read("environment.no-builds.yml")

    assert [(item.name, item.version, item.pin) for item in export.requirements][:2] == [
        ("ca-certificates", "2023.08.22.*", "2023.08.22"),
        ("numpy", "1.24.3.*", "1.24.3"),
    ]
    assert export.platform == "win-64"


def test_environment_from_history() -> None:
    export = read("environment.from-history.yml")

    assert rows(export) == [(5, "python", "3.10.*", None), (6, "numpy", None, None), (7, "pandas", None, None)]
    assert export.platform == "win-64"


def test_a_name_that_says_windows_does_not_make_a_linux_export_one() -> None:
    export = read("environment_windows.yml")

    assert export.name_claims == "win"
    assert export.platform == "linux-64"


def test_hand_written_environment() -> None:
    export = read("environment.hand-written.yml")

    assert rows(export) == [
        (11, "python", ">=3.9,<3.12", None),
        (12, "libblas", "*", "*openblas"),
        (13, "pytorch", "2.0.*", None),
        (14, "numpy", ">=1.20", None),
        (15, "pandas", "~=2.0", None),
        (16, "pip", None, None),
    ]
    assert export.requirements[2].channel == "pytorch"
    assert pip_rows(export) == [
        (18, "option", None, ""),
        (19, "requirements-file", None, ""),
        (20, "constraints-file", None, ""),
        (21, "editable", None, ""),
        (22, "editable", None, ""),
        (23, "vcs", "requests", ""),
        (24, "named", "flask", ">=2.0"),
        (25, "named", "scikit-learn", "==1.3.*"),
        (26, "url", "mesa", ""),
        (27, "local-path", "widget", ""),
        (28, "named", "typing-extensions", "==4.7.1"),
    ]
    assert export.pip[6].extras == ("async",)
    assert export.pip[6].marker == 'python_version < "3.12"'
    assert export.pip[7].pin is None
    assert export.platform is None
    assert export.damage == ()


def test_damaged_environment() -> None:
    export = read("environment.damaged.yml")

    assert export.environment_name is None
    assert [item.text for item in export.channels] == ["conda-forge"]
    assert rows(export) == [
        (6, "python", "3.8.*", None),
        (7, "anaconda", None, None),
        (8, "jedi", "==0.18.1", None),
        (9, "scipy", "==1.7.1", "py38hbe87c03_2"),
        (13, "pywin32", None, None),
        (15, "ptyprocess", None, None),
        (16, "flask", None, None),
        (27, "six", None, None),
    ]
    assert pip_rows(export) == [
        (10, "named", "numpy", "==1.0"),
        (11, "editable", None, ""),
        (12, "named", "requests", "==2.31.0"),
        (19, "named", "numpy", "==1.21"),
        (20, "named", "idna", "==3.4"),
        (21, "named", "click", "==8.1.3"),
        (22, "unreadable", None, ""),
        (25, "named", "nested", "==1.0"),
    ]
    assert damage(export) == [
        (4, "non-channel", "pypi", None),
        (6, "unreadable-line", "python", "python=3.8"),
        (7, "no-version", "anaconda", "anaconda"),
        (8, "trailing-equals", "jedi", "jedi=0.18.1"),
        (9, "build-in-version", "scipy", "scipy=1.7.1=py38hbe87c03_2"),
        (10, "pip-spec-under-conda", "numpy", 'numpy==1.0; python_version < "3"'),
        (11, "pip-spec-under-conda", "-e .", "-e ."),
        (13, "selector", "pywin32", "pywin32"),
        (14, "selector", "pywinpty", None),
        (15, "selector", "ptyprocess", "ptyprocess"),
        (16, "unreadable-line", "flask", "flask"),
        (17, "unreadable-line", "not a spec at all (", None),
        (18, "pip-section-without-pip", "pip", "pip"),
        (19, "conda-spec-under-pip", "numpy", "numpy==1.21"),
        (20, "conda-spec-under-pip", "idna", "idna==3.4"),
        (21, "trailing-equals", "click", "click==8.1.3"),
        (22, "unreadable-line", "%%%", None),
        (26, "duplicate-key", "dependencies", "both are read"),
        (28, "unknown-key", "owner", None),
    ]
    assert export.platform is None  # a selector is how a file for all platforms names a Windows package


def test_explicit() -> None:
    export = read("explicit.txt")

    assert rows(export) == [
        (5, "vc", "==14.2", "h21ff451_1"),
        (6, "tzdata", "==2023c", "h04d1e81_0"),
        (7, "tools", "==1!2.0", "py310_0"),
        (8, "msys2-conda-epoch", "==20160418", "1"),
    ]
    vc, tzdata, tools, _ = export.requirements
    assert (vc.subdir, vc.channel, vc.md5, vc.sha256) == ("win-64", "https://repo.anaconda.com/pkgs/main", None, None)
    assert vc.url == "https://repo.anaconda.com/pkgs/main/win-64/vc-14.2-h21ff451_1.conda"
    assert (tzdata.subdir, tzdata.md5) == ("noarch", "29db02adf8808f7c64642cead3e28acd")
    assert tools.channel == "https://conda.anaconda.org/t/ab-0123-4567/private"
    assert tools.sha256 == "0d3fcb7a4e24a1d6a5f5c9d6e1ab1ea5b1a2ed5a19d1b2b3c4d5e6f708192a3b"
    assert pip_rows(export) == [(10, "url", "idna", "")]
    assert damage(export) == [(9, "unreadable-line", "not-a-url", None)]
    assert export.platform == "win-64"


def test_table() -> None:
    export = read("list-table.txt")

    assert rows(export) == [
        (4, "anaconda", None, None),
        (5, "numpy", "==1.24.3", "py310hdc03b94_0"),
        (6, "python", "==3.10.12", "he1021f5_0"),
        (7, "python_abi", "==3.10", "2_cp310"),
    ]
    assert export.requirements[3].channel == "conda-forge"
    assert pip_rows(export) == [(8, "named", "requests", "==2.31.0"), (9, "editable", "mylib", "==0.3.0")]
    assert export.prefix == "D:\\Anaconda3\\envs\\forecast"
    assert [item.text for item in export.channels] == ["defaults", "conda-forge"]


def test_table_pasted_from_a_console_with_wrapped_rows() -> None:
    export = read("list-table.console.txt")

    assert rows(export) == [
        (7, "a-package-with-a-name-so-long-that-it-wraps", "==1.0.0", "py_0"),
        (9, "numpy", "==1.24.3", "py310hdc03b94_0"),
        (11, "python", "==3.10.12", "he1021f5_0"),
    ]
    assert [item.channel for item in export.requirements] == ["conda-forge", None, "conda-forge"]
    assert damage(export) == [
        (1, "console-paste", "console prompt", "list-table"),
        (13, "unreadable-line", "something", None),
    ]
    assert export.platform == "win-64"


def test_table_of_micromamba() -> None:
    export = read("list-table.micromamba.txt")

    assert [item.name for item in export.requirements] == ["_libgcc_mutex", "numpy", "python"]
    assert export.prefix == "/opt/conda"
    assert export.platform == "linux-64"


def test_json() -> None:
    export = read("list.json")

    assert rows(export) == [(2, "numpy", "==1.24.3", "py310hdc03b94_0")]
    assert (export.requirements[0].channel, export.requirements[0].subdir) == ("pkgs/main", "win-64")
    assert pip_rows(export) == [(12, "named", "requests", "==2.31.0")]
    assert damage(export) == [(22, "unreadable-line", "?", None)]
    assert export.platform == "win-64"


def test_pip_freeze() -> None:
    export = read("pip-freeze.txt")

    assert export.requirements == ()
    assert pip_rows(export) == [
        (1, "local-path", "absl-py", ""),
        (2, "local-path", "asttokens", ""),
        (4, "editable", "forecast", "==0.1.0"),
        (5, "named", "numpy", "==1.24.3"),
        (6, "named", "scikit-learn", "==1.3.0"),
        (9, "named", "thop", "==0.1.1-2209072238"),
        (10, "named", "torch", "==2.0.1+cu118"),
        (11, "named", "pywin32", "==306"),
    ]
    assert export.platform == "win-64"


def test_unix_paths_in_a_freeze_prove_no_unix_machine() -> None:
    lines = b"attrs @ file:///home/conda/feedstock_root/x/work\ncertifi @ file:///croot/certifi_16/work/certifi\n"

    assert read_source(lines, "requirements.txt").platform is None


def test_pip_list() -> None:
    export = read("pip-list.txt")

    assert pip_rows(export) == [
        (3, "editable", "forecast", "==0.1.0"),
        (4, "named", "numpy", "==1.24.3"),
        (5, "named", "pyyaml", "==6.0.1"),
    ]


def test_lock_of_windows_alone() -> None:
    export = read("conda-lock.win.yml")

    assert rows(export) == [(15, "tzdata", "==2024a", "h0c530f3_0"), (26, "ucrt", "==10.0.22621.0", "h57928b3_0")]
    assert export.requirements[0].sha256 == "7b2b69c54ec62a243eb6fba2391b5e443421608c3ae5dbff938ad33ca8db5122"
    assert [(item.name, item.pin, item.kind) for item in export.pip] == [("idna", "3.4", PipRequirementKind.NAMED)]
    assert export.platform == "win-64"
    assert [item.text for item in export.channels] == ["conda-forge"]


def test_lock_of_two_platforms_is_read_for_linux() -> None:
    export = read("conda-lock.both.yml")

    assert rows(export) == [(46, "tzdata", "==2024a", "h0c530f3_0")]
    assert export.platform == "linux-64"
    assert "not read: those for win-64" in export.evidence[0].reason


@pytest.mark.parametrize(
    ("name", "encoding", "unusual"),
    [
        ("list-export.bom.txt", "utf-8-bom", False),
        ("list-export.utf16le.txt", "utf-16-le-bom", True),
        ("list-export.utf16be.txt", "utf-16-be-bom", True),
        ("list-export.gb18030.txt", "gb18030", True),
        ("list-export.cp1252.txt", "cp1252", True),
    ],
)
def test_the_same_rows_in_another_encoding(name: str, encoding: str, unusual: bool) -> None:
    plain, other = read("list-export.txt"), read(name)

    assert other.encoding == encoding
    assert [item.kind for item in other.damage] == ([DamageKind.UNUSUAL_ENCODING] if unusual else [])
    assert [(item.name, item.pin, item.build) for item in other.requirements] == [
        (item.name, item.pin, item.build) for item in plain.requirements
    ]
    assert [(item.name, item.pin) for item in other.pip] == [(item.name, item.pin) for item in plain.pip]
    assert other.platform == "win-64"


def test_the_same_environment_in_two_formats() -> None:
    listed, exported = read("list-export.txt"), read("environment.builds.yml")
    pins = {(item.name, item.pin) for item in listed.requirements}

    assert {(item.name, item.pin) for item in exported.requirements} <= pins
    assert {(item.name, item.pin) for item in exported.pip} == {(item.name, item.pin) for item in listed.pip}


def test_pixi_lock_reads_one_environment_and_platform_and_says_so() -> None:
    export = read("pixi-lock.win.yml")

    assert rows(export) == [
        (24, "tzdata", "==2024a", "h0c530f3_0"),
        (25, "ucrt", "==10.0.22621.0", "h57928b3_0"),
    ]
    tzdata = export.requirements[0]
    assert (tzdata.md5, tzdata.url) == (
        "161081fc7cec0bfda0d86d7cb595f8d8",
        "https://conda.anaconda.org/conda-forge/noarch/tzdata-2024a-h0c530f3_0.conda",
    )
    assert pip_rows(export) == [
        (27, "local-path", "tools", ""),
        (28, "vcs", "mike", ""),
        (29, "named", "idna", "==3.4"),
    ]
    commit = "2d4ad799442f4592db8ad53b179bfb33db8c69ac"
    assert export.pip[1].url == f"git+https://github.com/example/mike@{commit}#subdirectory=src"
    assert damage(export) == [(26, "unreadable-line", "workbench", None)]
    assert [channel.text for channel in export.channels] == ["https://conda.anaconda.org/conda-forge"]
    assert (export.platform, export.environment_name) == ("win-64", None)
    (told,) = (one.reason for one in export.evidence if one.reason.startswith("the lock holds"))
    assert told == "the lock holds 6 rows for workstation; not read: those for osx-arm64, environment docs"


def test_pixi_lock_of_an_older_version_prefers_linux() -> None:
    export = read("pixi-lock.linux.yml")

    assert rows(export) == [(10, "zlib", "==1.3.1", "hb9d3cd8_2")]
    assert export.requirements[0].md5 == "c9f075ab2f33b3bbee9e62d4ad0a6cd8"
    assert (export.platform, export.environment_name) == ("linux-64", "analysis")
