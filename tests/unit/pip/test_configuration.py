from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.errors import ConfigurationError
from envcheck.pip.configuration import DEFAULT_INDEX_URL, IndexSettings, index_settings


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def settings(home: Path, argument: str | None = None, /, **environment: str) -> IndexSettings:
    return index_settings(argument, environment, home=home, system="posix", system_directory=home.parent / "etc")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_configuration_it_is_pypi(home: Path) -> None:
    assert settings(home) == IndexSettings(url=DEFAULT_INDEX_URL, origin="default")


def test_each_source_beats_the_ones_below_it(home: Path) -> None:
    found = [settings(home, UV_INDEX_URL="https://uv-old")]
    environment = {"UV_INDEX_URL": "https://uv-old", "UV_DEFAULT_INDEX": "corp=https://uv"}
    found.append(settings(home, **environment))
    write(home.parent / "etc" / "pip.conf", "[global]\nindex-url = https://system\n")
    found.append(settings(home, **environment))
    write(home / ".pip" / "pip.conf", "[global]\nindex-url = https://legacy\n")
    found.append(settings(home, **environment))
    user = write(home / ".config" / "pip" / "pip.conf", "[global]\nindex_url = https://user\n")
    found.append(settings(home, **environment))
    user.write_text("[install]\nindex-url = https://install\n[global]\nindex-url = https://user\n")
    found.append(settings(home, **environment))
    write(home / "env" / "pip.conf", "[global]\nindex-url = https://site\n")
    environment["VIRTUAL_ENV"] = str(home / "env")
    found.append(settings(home, **environment))
    environment["PIP_CONFIG_FILE"] = str(write(home / "own.conf", "[global]\nindex-url = https://own\n"))
    found.append(settings(home, **environment))
    environment["PIP_INDEX_URL"] = "https://variable"
    found.append(settings(home, **environment))
    found.append(settings(home, "https://argument", **environment))
    assert [one.url.removeprefix("https://") for one in found] == [
        "uv-old",
        "uv",
        "system",
        "legacy",
        "user",
        "install",
        "site",
        "own",
        "variable",
        "argument",
    ]
    assert found[-1].origin == "--index-url"
    assert found[2].origin == str(home.parent / "etc" / "pip.conf")


def test_the_null_device_turns_the_files_off(home: Path) -> None:
    write(home / ".config" / "pip" / "pip.conf", "[global]\nindex-url = https://user\n")
    assert settings(home, PIP_CONFIG_FILE="/dev/null").url == DEFAULT_INDEX_URL


def test_certificates_and_no_index_are_read(home: Path) -> None:
    write(home / ".config" / "pip" / "pip.conf", "[global]\ncert = /etc/authorities.pem\nno-index = yes\n")
    found = settings(home)
    assert found.verify_tls == "/etc/authorities.pem"
    assert found.disabled
    assert settings(home, PIP_NO_INDEX="0").disabled is False
    assert settings(home, "https://argument").disabled is False


def test_interpolation_signs_in_a_password_are_left_alone(home: Path) -> None:
    write(home / ".config" / "pip" / "pip.conf", "[global]\nindex-url = https://me:a%40b@host/simple\n")
    assert settings(home).url == "https://me:a%40b@host/simple"


def test_the_url_is_not_in_the_representation(home: Path) -> None:
    assert "hunter2" not in repr(settings(home, "https://me:hunter2@host/simple"))


@pytest.mark.parametrize("text", ["index-url = https://me:hunter2@host\n", "[global]\nhunter2\n"])
def test_a_damaged_file_is_named_with_its_line_and_never_quoted(home: Path, text: str) -> None:
    path = write(home / ".config" / "pip" / "pip.conf", text)
    with pytest.raises(ConfigurationError) as caught:
        settings(home)
    assert caught.value.path == str(path)
    assert caught.value.line is not None
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
    assert caught.value.__cause__ is None


def test_on_windows_the_files_lie_elsewhere(tmp_path: Path) -> None:
    write(tmp_path / "roaming" / "pip" / "pip.ini", "[global]\nindex-url = https://roaming\n")
    found = index_settings(
        None,
        {"APPDATA": str(tmp_path / "roaming"), "PROGRAMDATA": str(tmp_path / "data"), "USERPROFILE": str(tmp_path)},
        system="nt",
    )
    assert found.url == "https://roaming"


def test_indexes_and_places_of_files_besides(home: Path) -> None:
    write(
        home / ".config" / "pip" / "pip.conf",
        "[global]\nextra-index-url =\n  https://a\n  https://b\nfind-links = /w\n",
    )
    assert settings(home).extra_urls == ("https://a", "https://b")
    assert settings(home).find_links == ("file:///w",)
    found = settings(home, PIP_EXTRA_INDEX_URL="https://lee:hunter2@c", PIP_FIND_LINKS="https://d /e")
    assert (found.extra_urls, found.find_links) == (("https://lee:hunter2@c",), ("https://d", "file:///e"))
    assert "hunter2" not in repr(found)
