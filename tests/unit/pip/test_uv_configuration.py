"""Package indexes that uv's own settings name: which of them count, in which order, and who says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.errors import ConfigurationError
from envcheck.model import PipResolution
from envcheck.pip.configuration import DEFAULT_INDEX_URL, IndexSettings, index_settings
from envcheck.pip.index import open_index
from envcheck.pip.lookup import ProjectFiles
from envcheck.pip.metadata import with_metadata
from envcheck.pip.resolver import PipTarget, Resolved
from envcheck.pip.uv import UvResolver
from tests.support.package_index import wheel, write_index
from tests.support.server import LoopbackServer, ServerFactory

TARGET = PipTarget(python="3.10.13", platform="linux-64", glibc="2.28")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def settings(home: Path, argument: str | None = None, /, **environment: str) -> IndexSettings:
    """Those of a user who works in ``project/sub`` beside the home."""
    return index_settings(
        argument,
        environment,
        home=home,
        system="posix",
        system_directory=home.parent / "etc",
        working_directory=home.parent / "project" / "sub",
    )


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def user_file(home: Path, text: str) -> Path:
    return write(home / ".config" / "uv" / "uv.toml", text)


def test_of_uv_s_main_indexes_the_strongest_counts(home: Path) -> None:
    found = [settings(home)]
    system = write(home.parent / "etc" / "uv" / "uv.toml", 'index-url = "https://system"\n')
    found.append(settings(home))
    user_file(home, 'index-url = "https://user"\n')
    found.append(settings(home))
    user_file(home, '[pip]\nindex-url = "https://user-pip"\n')
    found.append(settings(home))
    write(home.parent / "project" / "uv.toml", 'index-url = "https://project"\n')
    found.append(settings(home))
    # An entry of [[index]] goes before an index-url, wherever that stands.
    system.write_text('[[index]]\nurl = "https://entry"\ndefault = true\n')
    found.append(settings(home))
    found.append(settings(home, UV_INDEX_URL="https://old"))
    found.append(settings(home, UV_INDEX_URL="https://old", UV_DEFAULT_INDEX="corp=https://new"))
    write(home / ".config" / "pip" / "pip.conf", "[global]\nindex-url = https://pip\n")
    found.append(settings(home, UV_DEFAULT_INDEX="https://new"))
    found.append(settings(home, "https://argument", UV_DEFAULT_INDEX="https://new"))
    names = ["system", "user", "user-pip", "project", "entry", "old", "new", "pip", "argument"]
    assert [one.url for one in found] == [DEFAULT_INDEX_URL, *(f"https://{name}" for name in names)]
    assert found[1].origin == found[5].origin == str(system)
    assert [one.origin for one in found[6:8]] == ["UV_INDEX_URL", "UV_DEFAULT_INDEX"]


def test_indexes_besides_in_the_order_in_which_uv_asks_them(home: Path) -> None:
    project = write(
        home.parent / "project" / "sub" / "pyproject.toml",
        '[tool.uv]\nextra-index-url = ["https://project-extra"]\n'
        '[[tool.uv.index]]\nname = "main"\nurl = "https://default"\ndefault = true\n'
        '[[tool.uv.index]]\nname = "gpu"\nurl = "https://explicit"\nexplicit = true\n'
        '[[tool.uv.index]]\nname = "lab"\nurl = "https://project-lab"\n'
        '[[tool.uv.index]]\nname = "flat"\nurl = "https://flat"\nformat = "flat"\n',
    )
    user = user_file(
        home,
        'extra-index-url = ["https://user-extra"]\nfind-links = ["wheels", "https://links"]\n'
        '[pip]\nextra-index-url = ["https://user-pip"]\n'
        '[[index]]\nname = "lab"\nurl = "https://user-lab"\n[[index]]\nurl = "https://user-index"\n',
    )
    found = settings(home, UV_INDEX="https://one two=https://two", UV_EXTRA_INDEX_URL="https://three")

    names = ["one", "two", "three", "project-lab", "user-index", "project-extra", "user-pip", "user-extra"]
    assert found.url == "https://default"
    assert found.extra_urls == tuple(f"https://{name}" for name in names)
    assert found.find_links == ("https://flat", (user.parent / "wheels").as_uri(), "https://links")
    assert found.origin_of("https://two") == "UV_INDEX"
    assert found.origin_of("https://project-lab") == str(project)
    assert found.origin_of("https://links") == str(user)


def test_pip_s_indexes_and_uv_s_are_both_asked_and_pip_s_way_counts(home: Path) -> None:
    user_file(home, 'extra-index-url = ["https://uv"]\n')
    assert settings(home).strategy == "first-index"
    both = settings(home, PIP_EXTRA_INDEX_URL="https://pip https://uv", PIP_FIND_LINKS="wheels")
    assert both.extra_urls == ("https://pip", "https://uv")
    assert both.find_links == ((home.parent / "project" / "sub" / "wheels").as_uri(),)
    assert both.strategy == "unsafe-best-match"
    assert settings(home, UV_INDEX_STRATEGY="unsafe-best-match").first_match is False
    user_file(home, 'extra-index-url = ["https://uv"]\nindex-strategy = "unsafe-best-match"\n')
    assert settings(home).first_match is False


def test_files_that_uv_leaves_out_are_left_out(home: Path) -> None:
    user_file(home, 'index-url = "https://user"\n')
    write(home.parent / "project" / "sub" / "pyproject.toml", '[tool.ruff]\nline-length = 120\n[project]\nname = "x"\n')
    own = write(home / "own.toml", 'index-url = "https://own"\n')
    assert settings(home).url == "https://user", "a project that says nothing to uv is none"
    assert settings(home, UV_NO_CONFIG="1").url == DEFAULT_INDEX_URL
    assert settings(home, UV_CONFIG_FILE=str(own)).url == "https://own"


def test_no_index_and_files_of_another_shape(home: Path) -> None:
    user_file(home, "no-index = true\n")
    assert settings(home).disabled
    assert settings(home, "https://argument").disabled is False
    user_file(home, 'index = "x"\nextra-index-url = "https://one"\nfind-links = [1]\n[[index2]]\n')
    assert settings(home).extra_urls == ("https://one",)


def test_on_windows_the_files_lie_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "roaming" / "uv" / "uv.toml", 'index-url = "https://roaming"\n')
    write(tmp_path / "data" / "uv" / "uv.toml", 'extra-index-url = ["https://data"]\n')
    variables = {"APPDATA": str(tmp_path / "roaming"), "PROGRAMDATA": str(tmp_path / "data")}
    found = index_settings(None, variables, home=tmp_path, system="nt")
    assert (found.url, found.extra_urls) == ("https://roaming", ("https://data",))


def test_credentials_are_used_and_never_shown(home: Path) -> None:
    user_file(home, '[[index]]\nname = "my-lab"\nurl = "https://lab.example/simple"\n')
    found = settings(
        home,
        UV_INDEX="https://lee:hunter2@one.example/simple",
        UV_INDEX_MY_LAB_USERNAME="lee",
        UV_INDEX_MY_LAB_PASSWORD="hunter2/@",  # noqa: S106
    )
    assert found.extra_urls == (
        "https://lee:hunter2@one.example/simple",
        "https://lee:hunter2%2F%40@lab.example/simple",
    )
    assert "hunter2" not in repr(found)
    assert "hunter2" not in "".join(UvResolver(settings=found, environment={}).indexes)


def test_a_damaged_file_is_named_and_never_quoted(home: Path) -> None:
    path = user_file(home, 'index-url = "https://me:hunter2@host\n')
    with pytest.raises(ConfigurationError) as caught:
        settings(home)
    assert caught.value.path == str(path)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None
    # What is wrong with somebody's project is not ours to say.
    path.unlink()
    write(home.parent / "project" / "pyproject.toml", "[tool.uv\n")
    assert settings(home).url == DEFAULT_INDEX_URL


# ---------------------------------------------------------------------------------------------------------------------
# The same places, whoever asks
# ---------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def servers(tmp_path: Path, loopback_server: ServerFactory) -> tuple[LoopbackServer, LoopbackServer]:
    """A main index, and one besides with a project of its own and a newer version of a common one."""
    main = write_index(tmp_path / "main", wheel("common", "1.0"), wheel("public", "1.0", "common"))
    other = write_index(tmp_path / "other", wheel("common", "2.0"), wheel("private", "1.0", "common"))
    return loopback_server(main), loopback_server(other)


def versions_seen(found: IndexSettings) -> dict[str, list[str]]:
    """What look-ups say of each project."""
    index = open_index(found)
    answers = index.projects(["common", "public", "private"])
    index.close()
    return {
        name: sorted(file.filename.split("-")[1] for file in one.files)
        for name, one in answers.items()
        if isinstance(one, ProjectFiles)
    }


def resolved(found: IndexSettings, environment: dict[str, str], tmp_path: Path, *texts: str) -> dict[str, str]:
    resolver = UvResolver(
        settings=found, environment={"UV_HTTP_RETRIES": "0", **environment}, cache_directory=tmp_path / "uv"
    )
    assert resolver.trouble(TARGET) == ""
    with resolver.open(TARGET, (), {}) as session:
        answer = session.resolve(texts)
    assert isinstance(answer, Resolved), answer
    return {one.name: one.version for one in answer.distributions}


@pytest.mark.parametrize("how", ["variable", "user", "project"])
def test_what_uv_is_told_look_ups_know(
    how: str, home: Path, tmp_path: Path, servers: tuple[LoopbackServer, LoopbackServer]
) -> None:
    main, other = servers
    environment = {"UV_DEFAULT_INDEX": main.url, "HOME": str(home)}
    if how == "variable":
        environment["UV_INDEX"] = f"lab={other.url}"
    else:
        folder = home / ".config" / "uv" if how == "user" else home.parent / "project"
        write(folder / "uv.toml", f'[[index]]\nname = "lab"\nurl = "{other.url}"\n')
    found = settings(home, **environment)

    assert versions_seen(found) == {"common": ["2.0"], "public": ["1.0"], "private": ["1.0"]}
    assert resolved(found, environment, tmp_path, "public", "private") == {
        "common": "2.0",
        "private": "1.0",
        "public": "1.0",
    }


def test_pip_takes_the_files_of_all_indexes_and_uv_those_of_the_first(
    home: Path, tmp_path: Path, servers: tuple[LoopbackServer, LoopbackServer]
) -> None:
    main, other = servers
    of_uv = {"UV_DEFAULT_INDEX": other.url, "UV_INDEX": main.url}
    assert versions_seen(settings(home, **of_uv))["common"] == ["1.0"]
    assert resolved(settings(home, **of_uv), of_uv, tmp_path, "common") == {"common": "1.0"}
    of_pip = {"PIP_INDEX_URL": other.url, "PIP_EXTRA_INDEX_URL": main.url}
    assert versions_seen(settings(home, **of_pip))["common"] == ["1.0", "2.0"]
    assert resolved(settings(home, **of_pip), of_pip, tmp_path, "common") == {"common": "2.0"}


@pytest.mark.parametrize("variable", ["PIP_FIND_LINKS", "UV_FIND_LINKS"])
def test_a_folder_of_files_is_looked_into_by_both(
    variable: str, home: Path, tmp_path: Path, servers: tuple[LoopbackServer, LoopbackServer]
) -> None:
    write_index(tmp_path / "more", wheel("mine", "0.1", "common"))
    environment = {"PIP_INDEX_URL": servers[0].url, variable: str(tmp_path / "more" / "files")}
    found = settings(home, **environment)
    index = open_index(found)
    assert isinstance(index.projects(["common", "mine"])["mine"], ProjectFiles)
    assert resolved(found, environment, tmp_path, "mine") == {"mine": "0.1", "common": "1.0"}


def test_without_an_index_the_files_are_all_there_is(home: Path, tmp_path: Path) -> None:
    write_index(tmp_path / "more", wheel("mine", "0.1"))
    environment = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "more" / "files")}
    found = settings(home, **environment)
    assert isinstance(open_index(found, offline=True).project("mine"), ProjectFiles)
    assert open_index(found).project("numpy") is None
    assert resolved(found, environment, tmp_path, "mine") == {"mine": "0.1"}


def test_an_index_of_the_command_line_is_asked_in_place_of_uv_s_own(
    home: Path, tmp_path: Path, servers: tuple[LoopbackServer, LoopbackServer]
) -> None:
    main, other = servers
    environment = {"UV_DEFAULT_INDEX": other.url, "UV_INDEX_URL": other.url}
    found = settings(home, main.url, **environment)
    assert resolved(found, environment, tmp_path, "common") == {"common": "1.0"}
    assert other.requests == []


def test_each_index_gets_its_own_credentials_and_no_other(
    home: Path, tmp_path: Path, servers: tuple[LoopbackServer, LoopbackServer]
) -> None:
    main, other = servers
    environment = {
        "UV_DEFAULT_INDEX": main.url.replace("//", "//main:hunter2@"),
        "UV_INDEX": f"lab={other.url}",
        "UV_INDEX_LAB_USERNAME": "lab",
        "UV_INDEX_LAB_PASSWORD": "hunter3",
    }
    found = settings(home, **environment)
    assert resolved(found, environment, tmp_path, "public", "private")
    index = open_index(found)
    index.projects(["public", "private"])
    index.close()
    resolver = UvResolver(settings=found, environment=environment, cache_directory=tmp_path / "uv")
    with resolver.open(TARGET, (), {}) as session:
        answer = session.resolve(["public", "private"])
    assert isinstance(answer, Resolved)
    described = with_metadata(PipResolution(distributions=answer.distributions), found)
    assert [one.requires for one in described.distributions] == [(), ("common",), ("common",)]
    for server in servers:
        sent = {value for one in server.requests for name, value in one.headers if name.lower() == "authorization"}
        assert len(sent) == 1
    assert "hunter" not in repr(described) + "".join(resolver.indexes)
