from __future__ import annotations

import copy
import hashlib
import os
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcheck.errors import OutputError, SourceError
from envcheck.locks import FORMATS, conda_lock_v1, environment_yaml, load_format
from envcheck.locks.conda_lock_v1 import PlatformLock, read, render, render_platforms, verify
from envcheck.locks.contents import LockError
from envcheck.model import Channel, Record, VirtualPackage
from tests.unit.locks.making import COMMIT, DISTRIBUTIONS

FORGE = "https://conda.anaconda.org/conda-forge"
CHANNELS = (
    Channel(
        name="conda-forge", url=FORGE, locations=("https://me:hunter2@mirror.example/t/tk-123-secret/conda-forge",)
    ),
)
VIRTUAL = (
    VirtualPackage(name="__glibc", version="2.28"),
    VirtualPackage(name="__archspec", version="1", build="x86_64"),
)


def record(name: str, version: str = "1.0", build: str = "0", *depends: str, subdir: str = "linux-64") -> Record:
    text = f"{name}-{version}-{build}"
    return Record(
        name=name,
        version=version,
        build=build,
        build_number=0,
        subdir=subdir,
        channel=FORGE,
        url=f"{FORGE}/{subdir}/{text}.conda",
        md5=hashlib.md5(text.encode()).hexdigest(),  # noqa: S324 - conda's file hash
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        noarch="python" if subdir == "noarch" else None,
        depends=depends,
    )


PACKAGES = (
    record("zlib", "1.3.1", "hb9d3cd8_2", "__glibc >=2.17,<3.0.a0", "libgcc >=13", "libgcc >=14"),
    record("libgcc", "14.2.0", "h77fa898_1"),
    record("six", "1.16.0", "pyh6c4a22f_0", "python", subdir="noarch"),
    record("python", "3.10.14", "hd12c33a_0_cpython", "zlib >=1.3.1,<2.0a0", "libgcc * *_gnu", "libgcc >=13", "pip"),
    record("pip", "24.0", "pyhd8ed1ab_0", "python >=3.7", subdir="noarch"),
)
REQUIREMENTS = ("python 3.10.*", "six ==1.16.0", "pip")


def rendered(packages: tuple[Record, ...] = PACKAGES) -> str:
    return render(
        packages,
        platform="linux-64",
        channels=CHANNELS,
        sources=("environment.linux-64.yml",),
        requirements=REQUIREMENTS,
        virtual_packages=VIRTUAL,
    )


def advice(*urls: str, environment: dict[str, str] | None = None, location: str = FORGE) -> list[str]:
    """The commands of the header of a lock with distributions from these URLs."""
    distributions = tuple(replace(DISTRIBUTIONS[0], url=url, name=f"n{place}") for place, url in enumerate(urls))
    lock = PlatformLock(platform="linux-64", packages=PACKAGES, distributions=distributions)
    channels = (Channel(name="conda-forge", url=FORGE, locations=(location,)),)
    text = render_platforms([lock], channels=channels, environment=environment or {})
    return [line.split()[1] for line in text.splitlines() if line.startswith("#     ")]


def test_the_header_names_micromamba_where_it_can_do_with_every_url() -> None:
    both, one = ["conda-lock", "micromamba"], ["conda-lock"]
    assert advice() == both
    assert advice("https://files.example/a-1.0-py3-none-any.whl", f"git+https://h.example/r@{COMMIT}") == both
    # With one URL that it does not know it refuses the lock (PackageInfo::from_url of libmamba).
    assert advice(f"git+ssh://git@h.example/r@{COMMIT}") == one
    assert advice("https://files.example/a-1.0-py3-none-any.whl?raw=1") == one
    # It looks for a package at the name of a variable.
    secret = FORGE.replace("/conda-forge", "/t/tk-123-secret/conda-forge")
    assert advice(location=secret) == both
    assert advice(location=secret, environment={"FORGE_TOKEN": "tk-123-secret"}) == one


def test_a_package_of_the_lock_in_full() -> None:
    document = yaml.safe_load(rendered())
    python = next(package for package in document["package"] if package["name"] == "python")
    assert python == {
        "name": "python",
        "version": "3.10.14",
        "manager": "conda",
        "platform": "linux-64",
        "dependencies": {"libgcc": ">=13 *_gnu", "pip": "", "zlib": ">=1.3.1,<2.0a0"},
        "url": f"{FORGE}/linux-64/python-3.10.14-hd12c33a_0_cpython.conda",
        "hash": {"md5": PACKAGES[3].md5, "sha256": PACKAGES[3].sha256},
        "build": "hd12c33a_0_cpython",
        "category": "main",
        "optional": False,
    }
    zlib = next(package for package in document["package"] if package["name"] == "zlib")
    assert zlib["dependencies"] == {"libgcc": ">=13,>=14"}


def test_the_metadata_hold_canonical_channels_and_no_clock() -> None:
    document = yaml.safe_load(rendered())
    metadata = dict(document["metadata"])
    content_hash = metadata.pop("content_hash")
    assert document["version"] == 1
    assert metadata == {
        "channels": [{"url": FORGE, "used_env_vars": []}],
        "platforms": ["linux-64"],
        "sources": ["environment.linux-64.yml"],
    }
    assert list(content_hash) == ["linux-64"]


def test_packages_stand_in_the_order_of_their_names_whatever_came_in() -> None:
    text = rendered()
    assert [package.name for package in read(text).packages] == ["libgcc", "pip", "python", "six", "zlib"]
    assert rendered(PACKAGES[::-1]) == text


def test_no_secret_reaches_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    # conda-lock itself would look for a variable that holds the token.
    monkeypatch.setenv("MY_TOKEN", "tk-123-secret")
    text = rendered()
    assert "hunter2" not in text
    assert "tk-123" not in text
    assert "MY_TOKEN" not in text


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_bytes_depend_on_no_hash_seed(seed: str) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_conda_lock_v1 as t; sys.stdout.write(t.rendered())"
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    ran = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)], env=environment, capture_output=True, check=True
    )
    assert ran.stdout.decode() == rendered()


def conda_lock_program() -> str:
    return str(Path(sysconfig.get_path("scripts")) / "conda-lock")


def test_conda_lock_renders_the_lock_as_an_explicit_list(tmp_path: Path) -> None:
    (tmp_path / "conda-lock.yml").write_text(rendered())
    template = str(tmp_path / "out-{platform}.lock")
    arguments = ["render", "-k", "explicit", "-p", "linux-64", "--filename-template", template, "conda-lock.yml"]
    ran = subprocess.run([conda_lock_program(), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = (tmp_path / "out-linux-64.lock").read_text().splitlines()
    assert sorted(lines[lines.index("@EXPLICIT") + 1 :]) == sorted(f"{one.url}#{one.md5}" for one in PACKAGES)


def test_the_content_hash_is_the_one_that_conda_lock_computes_for_the_environment_file(tmp_path: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from conda_lock.content_hash import compute_content_hashes
        from conda_lock.src_parser.environment_yaml import parse_environment_file
        from conda_lock.virtual_package import virtual_package_repo_from_specification

        environment = tmp_path / "environment.yml"
        environment.write_text(environment_yaml.render("x", channels=[FORGE], specs=REQUIREMENTS))
        virtual = tmp_path / "virtual-packages.yml"
        virtual.write_text('subdirs: {linux-64: {packages: {__glibc: "2.28", __archspec: "1 x86_64"}}}')
        specification = parse_environment_file(environment, ["linux-64"], mapping_url="")
        expected = compute_content_hashes(specification, virtual_package_repo_from_specification(virtual))
    assert dict(read(rendered()).content_hashes) == expected


def test_several_platforms_share_one_file() -> None:
    windows = PlatformLock(platform="win-64", packages=(record("zlib", subdir="win-64"),))
    linux = PlatformLock(platform="linux-64", packages=PACKAGES, requirements=REQUIREMENTS, virtual_packages=VIRTUAL)
    text = render_platforms([windows, linux], channels=CHANNELS)
    contents = read(text)
    assert contents.platforms == ("linux-64", "win-64")
    assert [package.platform for package in contents.packages] == ["linux-64"] * 5 + ["win-64"]
    assert verify(text) == ()
    assert dict(contents.content_hashes)["linux-64"] == dict(read(rendered()).content_hashes)["linux-64"]


# ---------------------------------------------------------------------------------------------------------------------
# The pip section
# ---------------------------------------------------------------------------------------------------------------------

WITH_PIP = PlatformLock(
    platform="linux-64",
    packages=PACKAGES,
    requirements=REQUIREMENTS,
    virtual_packages=VIRTUAL,
    distributions=DISTRIBUTIONS,
    pip_requirements=("requests[socks]>=2.28", "mike @ git+https://github.com/example/mike"),
)


def with_pip(lock: PlatformLock = WITH_PIP) -> str:
    return render_platforms([lock], channels=CHANNELS, sources=("environment.linux-64.yml",))


def test_a_distribution_of_the_lock_in_full() -> None:
    rows = [row for row in yaml.safe_load(with_pip())["package"] if row["manager"] == "pip"]
    assert [row["name"] for row in rows] == ["mike", "requests", "urllib3"]
    assert rows[1] == {
        "name": "requests",
        "version": "2.28",
        "manager": "pip",
        "platform": "linux-64",
        "dependencies": {"urllib3": "<2,>=1.21"},
        "url": DISTRIBUTIONS[0].url,
        "hash": {"sha256": DISTRIBUTIONS[0].sha256},
        "category": "main",
        "optional": False,
    }


def test_a_repository_is_written_as_conda_lock_writes_it() -> None:
    mike = replace(DISTRIBUTIONS[2], url=f"{DISTRIBUTIONS[2].url}#subdirectory=src")
    text = with_pip(replace(WITH_PIP, distributions=(mike,)))
    row = yaml.safe_load(text)["package"][-1]
    assert row["url"] == f"git+https://github.com/example/mike@{COMMIT}"
    assert row["hash"] == {"sha256": COMMIT}
    assert row["source"] == {"type": "url", "url": f"git+https://github.com/example/mike@{COMMIT}#subdirectory=src"}
    assert row["dependencies"] == {"six": "*"}
    (read_again,) = (one for one in read(text).packages if one.manager == "pip")
    assert (read_again.url, read_again.sha256) == (row["url"], None)


def test_a_lock_with_a_pip_section_is_read_again_and_in_order() -> None:
    text = with_pip()
    assert verify(text) == ()
    pip = {one.name: one for one in read(text).packages if one.manager == "pip"}
    assert {(one.name, one.version, one.url, one.sha256) for one in pip.values()} == {
        (one.name, one.version, one.url, one.sha256) for one in DISTRIBUTIONS
    }
    assert with_pip(replace(WITH_PIP, packages=PACKAGES[::-1], distributions=DISTRIBUTIONS[::-1])) == text


def test_every_platform_has_its_own_pip_section_in_one_file() -> None:
    windows = replace(WITH_PIP, platform="win-64", packages=(record("zlib", subdir="win-64"),), distributions=())
    arm = replace(
        WITH_PIP,
        platform="linux-aarch64",
        packages=(record("zlib", subdir="linux-aarch64"),),
        distributions=DISTRIBUTIONS[1:2],
        provided=(("six", "six"),),
    )
    text = render_platforms([windows, WITH_PIP, arm], channels=CHANNELS, sources=("environment.yml",))
    found = {(one.platform, one.name) for one in read(text).packages if one.manager == "pip"}
    assert found == {
        ("linux-64", "mike"),
        ("linux-64", "requests"),
        ("linux-64", "urllib3"),
        ("linux-aarch64", "urllib3"),
    }
    assert verify(text) == ()
    assert render_platforms([arm, windows, WITH_PIP], channels=CHANNELS, sources=("environment.yml",)) == text


def test_conda_lock_renders_the_pip_section(tmp_path: Path) -> None:
    (tmp_path / "conda-lock.yml").write_text(with_pip())
    arguments = ["render", "-k", "env", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"]
    ran = subprocess.run([conda_lock_program(), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    environment = yaml.safe_load((tmp_path / "conda-linux-64.lock.yml").read_text())
    assert environment["dependencies"][-1] == {
        "pip": [
            f"mike @ git+https://github.com/example/mike@{COMMIT}",
            f"requests == 2.28 --hash=sha256:{DISTRIBUTIONS[0].sha256}",
            f"urllib3 == 1.26.18 --hash=sha256:{DISTRIBUTIONS[1].sha256}",
        ]
    }
    explicit = (tmp_path / "conda-linux-64.lock").read_text()
    assert f"# pip requests @ {DISTRIBUTIONS[0].url}#sha256={DISTRIBUTIONS[0].sha256}" in explicit


def test_the_content_hash_with_a_pip_section_is_conda_locks_own(tmp_path: Path) -> None:
    lines = (
        "requests[socks,security]>=2.28,<3",
        'colorama==0.4.6 ; sys_platform == "win32"',
        'tomli>=1 ; python_version < "3.11"',
        f"mike @ git+https://github.com/example/mike@{COMMIT}#subdirectory=src",
        "wheel @ https://files.example/wheel-0.42-py3-none-any.whl#sha256=abc",
        "-e ./package",
    )
    lock = replace(WITH_PIP, pip_requirements=lines)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from conda_lock.content_hash import compute_content_hashes
        from conda_lock.src_parser.aggregation import aggregate_lock_specs
        from conda_lock.src_parser.environment_yaml import parse_environment_file
        from conda_lock.virtual_package import virtual_package_repo_from_specification

        environment = tmp_path / "environment.yml"
        environment.write_text(environment_yaml.render("x", channels=[FORGE], specs=REQUIREMENTS, pip=lines))
        mapping = tmp_path / "mapping.yml"
        mapping.write_text("{}")
        virtual = tmp_path / "virtual-packages.yml"
        virtual.write_text('subdirs: {linux-64: {packages: {__glibc: "2.28", __archspec: "1 x86_64"}}}')
        asked = parse_environment_file(environment, ["linux-64"], mapping_url=mapping.as_uri())
        specification = aggregate_lock_specs([asked], ["linux-64"])
        expected = compute_content_hashes(specification, virtual_package_repo_from_specification(virtual))
    found = dict(read(with_pip(lock)).content_hashes)
    assert found == expected
    assert found != dict(read(rendered()).content_hashes)


def test_lines_that_conda_lock_cannot_read_are_no_part_of_the_content_hash() -> None:
    odd = ("--extra-index-url https://index.example/simple", "./here", "x @ file:///tmp/x.whl", "y @ http://h/y.whl")
    hashes = [
        read(with_pip(replace(WITH_PIP, pip_requirements=(*more, *WITH_PIP.pip_requirements)))).content_hashes
        for more in ((), odd)
    ]
    assert hashes[0] == hashes[1]


def test_a_distribution_without_hash_or_commit_is_named_and_nothing_is_rendered() -> None:
    main = replace(DISTRIBUTIONS[2], url="git+https://github.com/example/mike@main")
    broken = replace(WITH_PIP, distributions=(replace(DISTRIBUTIONS[0], sha256=None), DISTRIBUTIONS[1], main))
    with pytest.raises(LockError, match="mike, requests"):
        with_pip(broken)


def test_a_token_becomes_the_variable_that_holds_it(tmp_path: Path) -> None:
    token = "tk-123-456-secret"  # noqa: S105  # opens nothing
    private = Channel(
        name="private",
        url="https://host.example/private",
        locations=(f"https://host.example/t/{token}/private",),
    )
    package = replace(PACKAGES[1], channel=private.url, url=f"{private.url}/linux-64/libgcc-14.2.0-h77fa898_1.conda")
    lock = PlatformLock(platform="linux-64", packages=(package,))
    known = {"REPO_TOKEN": token}
    text = render_platforms([lock], channels=[private], sources=("x",), environment=known)
    document = yaml.safe_load(text)
    assert token not in text
    assert document["metadata"]["channels"] == [
        {"url": "https://host.example/t/${REPO_TOKEN}/private", "used_env_vars": ["REPO_TOKEN"]}
    ]
    (row,) = document["package"]
    assert row["url"] == "https://host.example/t/${REPO_TOKEN}/private/linux-64/libgcc-14.2.0-h77fa898_1.conda"
    assert verify(text) == ()
    assert read(text).channels == ("https://host.example/t/${REPO_TOKEN}/private",)
    without = render_platforms([lock], channels=[private], sources=("x",))
    assert yaml.safe_load(without)["metadata"]["channels"] == [{"url": private.url, "used_env_vars": []}]

    # conda-lock puts the value back where it renders what is installed.
    (tmp_path / "conda-lock.yml").write_text(text)
    ran = subprocess.run(
        [conda_lock_program(), "render", "-k", "explicit", "-p", "linux-64", "conda-lock.yml"],
        cwd=tmp_path, env={**os.environ, **known}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"/t/{token}/private/linux-64/libgcc" in (tmp_path / "conda-linux-64.lock").read_text()


def test_packages_without_md5_are_named_and_nothing_is_rendered() -> None:
    broken = (replace(PACKAGES[0], md5=None), replace(PACKAGES[1], md5=None), *PACKAGES[2:])
    with pytest.raises(LockError, match="md5") as caught:
        rendered(broken)
    assert isinstance(caught.value, OutputError)
    assert "libgcc, zlib" in caught.value.message
    assert caught.value.hint


def test_an_absent_sha256_is_left_out() -> None:
    text = rendered((replace(PACKAGES[1], sha256=None),))
    assert yaml.safe_load(text)["package"][0]["hash"] == {"md5": PACKAGES[1].md5}


def test_a_url_with_a_token_is_refused() -> None:
    broken = replace(PACKAGES[1], url="https://host.example/t/tk-123-secret/x/linux-64/libgcc-14.2.0-h77fa898_1.conda")
    with pytest.raises(LockError, match="libgcc") as caught:
        rendered((broken,))
    assert "secret" not in str(caught.value)


def test_a_requirement_with_a_channel_does_not_ask_the_condarc(tmp_path: Path) -> None:
    hashes = [
        read(render(PACKAGES, platform="linux-64", channels=CHANNELS, requirements=[text])).content_hashes
        for text in ("conda-forge::six", "conda-forge::six", "six")
    ]
    assert hashes[0] == hashes[1] != hashes[2]


def test_what_only_yaml_1_2_takes_for_a_number_is_quoted() -> None:
    text = rendered((record("a", "1e5", "0o17"),))
    assert "version: '1e5'" in text
    assert "build: '0o17'" in text
    assert "build: 20_gnu" in rendered((record("a", "1.0", "20_gnu"),))


NAMES = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
VERSIONS = st.sampled_from(["1.0", "1.10", "2024.1", "1e5", "0.1.0a1", "1_0", "007", "12345678"])
BUILDS = st.sampled_from(["0", "h123456_0", "py310h1e5_1", "1e5", "017"])


@given(st.lists(st.tuples(NAMES, VERSIONS, BUILDS), unique_by=lambda item: item[0], max_size=6), st.data())
@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_rendered_is_read_back(items: list[tuple[str, str, str]], data: st.DataObject) -> None:
    names = [name for name, _, _ in items]
    packages = tuple(
        record(name, version, build, *data.draw(st.lists(st.sampled_from([f"{one} >=1" for one in names]), max_size=3)))
        for name, version, build in items
    )
    text = render(packages, platform="linux-64", channels=CHANNELS)
    contents = read(text)
    assert [(one.name, one.version, one.build, one.url, one.md5, one.sha256) for one in contents.packages] == sorted(
        (one.name, one.version, one.build, one.url, one.md5, one.sha256) for one in packages
    )
    assert verify(text) == ()


# ---------------------------------------------------------------------------------------------------------------------
# Reading what others wrote
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "version: 2",
        "version: 1",
        "version: 1\npackage: []\nmetadata: {}",
        "version: 1\npackage: [{name: a}]\nmetadata: {content_hash: {}, channels: [], platforms: [], sources: []}",
        "a: [unclosed",
        "\x00",
        "a: &a [x]\nb: *a",
        "[" * 5000,
        "version: 2024-99-99",
    ],
)
def test_what_is_no_lock_is_said_to_be_none(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(text, path="conda-lock.yml")
    assert caught.value.path == "conda-lock.yml"


def test_verify_finds_what_the_lock_itself_shows() -> None:
    document = yaml.safe_load(rendered())
    by_name = {package["name"]: package for package in document["package"]}
    by_name["zlib"]["url"] = f"{FORGE}/win-64/zlib-1.3.1-hb9d3cd8_2.conda"
    by_name["six"]["version"] = "1.15.0"
    by_name["pip"]["hash"] = {"md5": "xyz"}
    by_name["python"]["url"] = by_name["python"]["url"].replace("https://", "https://me:hunter2@")
    document["package"].remove(by_name["libgcc"])
    document["package"].append(copy.deepcopy(by_name["six"]))
    document["metadata"]["content_hash"] = {}
    problems = verify(yaml.safe_dump(document))
    assert [(problem.subject.split(" (")[0], problem.message) for problem in problems] == [
        ("pip", "what stands as md5 is no md5 hash"),
        ("python", "the URL holds credentials"),
        ("six", "the URL is that of six 1.16.0 pyh6c4a22f_0"),
        ("zlib", "the file is built for win-64"),
        ("six", "the URL is that of six 1.16.0 pyh6c4a22f_0"),
        ("six", "the package is locked twice"),
        ("python", "it needs libgcc, which is not locked"),
        ("zlib", "it needs libgcc, which is not locked"),
        ("linux-64", "the lock has no content hash for this platform"),
    ]


def test_the_table_of_formats_names_every_module() -> None:
    for name in FORMATS:
        module = load_format(name)
        assert name == module.FORMAT
        assert callable(module.render)
        assert module.DEFAULT_FILENAME
    assert load_format("conda-lock-v1") is conda_lock_v1


def test_the_table_is_light() -> None:
    code = (
        "import sys, envcheck.locks; sys.exit(any(name in sys.modules for name in ('conda_lock', 'yaml', 'pydantic')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
