"""Configuration is found in conda's places, merged in conda's way, and refused with a place and a hint when broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.condarc import Configuration, load_configuration, search_path
from envcheck.errors import ConfigurationError


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def load(home: Path, **environ: str) -> Configuration:
    return load_configuration(environ, home=home, system_directories=(home.parent / "etc",))


def test_nothing_configured_is_condas_defaults(home: Path) -> None:
    assert load(home) == Configuration(home=str(home))


def test_every_setting_is_read(home: Path) -> None:
    write(
        home / ".condarc",
        """\
channels: [conda-forge, nodefaults]
default_channels:
  - https://mirrors.example/pkgs/main
channel_alias: https://mirrors.example/cloud/
custom_channels:
  pytorch: https://mirrors.example/cloud
custom_multichannels:
  mine: [a, b]
mirrored_channels:
  conda-forge: [https://one.example/conda-forge, https://two.example/conda-forge]
allowlist_channels: [conda-forge]
denylist_channels: [defaults]
pkgs_dirs:
  - ~/pkgs
  - /srv/pkgs
proxy_servers:
  http: http://user:pass@proxy:3128
  https: null
ssl_verify: /etc/ssl/ca.pem
channel_priority: strict
offline: yes
remote_connect_timeout_secs: 3
remote_read_timeout_secs: 20.5
something_else: {a: [1]}
""",
    )
    found = load(home)
    assert found == Configuration(
        channels=("conda-forge", "nodefaults"),
        default_channels=("https://mirrors.example/pkgs/main",),
        channel_alias="https://mirrors.example/cloud",
        custom_channels=(("pytorch", "https://mirrors.example/cloud"),),
        custom_multichannels=(("mine", ("a", "b")),),
        mirrored_channels=(("conda-forge", ("https://one.example/conda-forge", "https://two.example/conda-forge")),),
        allowlist_channels=("conda-forge",),
        denylist_channels=("defaults",),
        proxy_servers=(("http", "http://user:pass@proxy:3128"),),
        pkgs_dirs=(str(home / "pkgs"), "/srv/pkgs"),
        ssl_verify="/etc/ssl/ca.pem",
        channel_priority="strict",
        offline=True,
        remote_connect_timeout_secs=3.0,
        remote_read_timeout_secs=20.5,
        sources=(str(home / ".condarc"),),
        home=str(home),
    )
    assert "pass" not in repr(found)


def test_later_places_come_first(home: Path, tmp_path: Path) -> None:
    etc, prefix, root = tmp_path / "etc", tmp_path / "prefix", tmp_path / "root"
    files = [
        write(etc / ".condarc", "channels: [system, shared]\nchannel_priority: strict\n"),
        write(etc / "condarc.d" / "10.yml", "channels: [system-d]\n"),
        write(root / ".condarc", "channels: [root]\n"),
        write(tmp_path / "xdg" / "conda" / "condarc", "channels: [xdg]\n"),
        write(home / ".config" / "conda" / ".condarc", "channels: [config]\n"),
        write(home / ".conda" / "condarc.d" / "a.yaml", "channels: [dot-conda]\n"),
        write(home / ".condarc", "channels: [home, shared]\n"),
        write(home / ".mambarc", "channels: [mamba]\n"),
        write(prefix / ".condarc", "channels: [prefix]\nchannel_priority: disabled\n"),
        write(tmp_path / "named.yml", "channels: [named]\n"),
    ]
    write(etc / "condarc.d" / "ignored.txt", "channels: [never]\n")
    found = load(
        home,
        XDG_CONFIG_HOME=str(tmp_path / "xdg"),
        CONDA_PREFIX=str(prefix),
        CONDA_EXE=str(root / "bin" / "conda"),
        CONDARC=str(tmp_path / "named.yml"),
        CONDA_CHANNELS="first, second",
    )
    assert found.channels == (
        "first", "second", "named", "prefix", "mamba", "home", "shared", "dot-conda", "config", "xdg", "root",
        "system-d", "system",
    )  # fmt: skip
    assert found.channel_priority == "disabled"
    assert found.sources == tuple(map(str, files))


def test_flags_change_the_order(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "etc" / ".condarc", "channels:\n  - low\n  - top  #!top\n  - bottom #!bottom\n")
    write(home / ".condarc", "channels:\n  - high\n  - last #!bottom\n")
    assert load(home).channels == ("top", "high", "low", "last", "bottom")


def test_final_shuts_out_later_places(home: Path, tmp_path: Path) -> None:
    write(
        tmp_path / "etc" / ".condarc",
        "channels: #!final\n  - system\nchannel_alias: https://system.example #!final\n"
        "custom_channels:\n  a: https://system.example #!final\n  b: https://system.example\n",
    )
    write(
        home / ".condarc",
        "channels: [home]\nchannel_alias: https://home.example\n"
        "custom_channels:\n  a: https://home.example\n  b: https://home.example\n",
    )
    found = load(home, CONDA_CHANNEL_ALIAS="https://environment.example")
    assert found.channels == ("system",)
    assert found.channel_alias == "https://system.example"
    assert dict(found.custom_channels) == {"a": "https://system.example", "b": "https://home.example"}


def test_environment_wins_over_files(home: Path) -> None:
    write(home / ".condarc", "channel_alias: https://file.example\nssl_verify: false\ndefault_channels: [file]\n")
    found = load(
        home,
        CONDA_CHANNEL_ALIAS="https://environment.example/",
        CONDA_SSL_VERIFY="true",
        CONDA_DEFAULT_CHANNELS="environment",
        CONDA_CHANNEL_PRIORITY="false",
    )
    assert found.channel_alias == "https://environment.example"
    assert found.ssl_verify is True
    assert found.default_channels == ("environment", "file")
    assert found.channel_priority == "disabled"


def test_variables_are_expanded(home: Path) -> None:
    write(
        home / ".condarc", "channels:\n  - https://${USER_NAME}:$TOKEN@host/c\n  - $UNKNOWN/${UNKNOWN}\n  - '%TOKEN%'\n"
    )
    environ = {"USER_NAME": "me", "TOKEN": "secret"}
    assert load(home, **environ).channels == ("https://me:secret@host/c", "$UNKNOWN/${UNKNOWN}", "%TOKEN%")
    windows = load_configuration(environ, home=home, windows=True, system_directories=())
    assert windows.channels[-1] == "secret"


def test_former_names_are_understood(home: Path) -> None:
    write(home / ".condarc", "channel: [a]\nverify_ssl: no\nwhitelist_channels: [a]\nchannel_priority: true\n")
    found = load(home)
    assert (found.channels, found.ssl_verify, found.allowlist_channels) == (("a",), False, ("a",))
    assert found.channel_priority == "flexible"


def test_mirrors_of_several_files_are_joined(home: Path) -> None:
    write(home / ".condarc", "mirrored_channels: {conda-forge: [https://one.example]}\n")
    write(home / ".mambarc", "mirrored_channels: {conda-forge: [https://two.example], b: [https://b.example]}\n")
    assert load(home).mirrored_channels == (
        ("conda-forge", ("https://two.example", "https://one.example")),
        ("b", ("https://b.example",)),
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "channels:\n", "---\n", "\ufeffchannels: []\n"])
def test_empty_settings_are_fine(home: Path, text: str) -> None:
    write(home / ".condarc", text)
    assert load(home).channels == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("channels:\n\t- a\n", 2, "not valid YAML"),
        ("channels: [a\n", 2, "not valid YAML"),
        ("# x\nchannels: conda-forge\n", 2, "must be a list"),
        ("channels:\n  - a\n  -\n", 3, "empty item"),
        ("channels:\n  - {a: b}\n", 2, "single value"),
        ("custom_channels:\n  - a\n", 2, "must be a map"),
        ("mirrored_channels:\n  conda-forge: https://one.example\n", 2, "must be a list"),
        ("channel_alias: [a]\n", 1, "single value"),
        ("\nchannel_alias: conda.example\n", 2, "must be a URL"),
        ("channel_priority: high\n", 1, "channel_priority"),
        ("offline: perhaps\n", 1, "true or false"),
        ("- a\n", 1, "'key: value'"),
    ],
)
def test_mistakes_have_a_place_and_a_hint(home: Path, text: str, line: int, words: str) -> None:
    path = write(home / ".condarc", text)
    with pytest.raises(ConfigurationError, match=words) as caught:
        load(home)
    assert (caught.value.path, caught.value.line) == (str(path), line)
    assert caught.value.hint


def test_a_file_that_is_no_text_is_refused(home: Path) -> None:
    (home / ".condarc").write_bytes(b"\xff\xfe\x00channels")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load(home)
    (home / ".condarc").write_text("[" * 5000, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="YAML"):
        load(home)


def test_secrets_stay_out_of_messages(home: Path) -> None:
    write(home / ".condarc", "channel_alias: ftps://user:secret@host\noffline: https://user:secret@host\n")
    with pytest.raises(ConfigurationError) as caught:
        load(home)
    assert "secret" not in str(caught.value)


def test_the_order_of_places_is_condas() -> None:
    home = Path("/h")
    environ = {"CONDA_ROOT": "/r", "CONDA_PREFIX": "/p", "CONDARC": "~/own.yml", "XDG_CONFIG_HOME": "/x"}
    places = [path.as_posix() for path in search_path(environ, home, windows=False)]
    conda = [
        *(f"/etc/conda/{name}" for name in (".condarc", "condarc", "condarc.d")),
        *(f"/var/lib/conda/{name}" for name in (".condarc", "condarc", "condarc.d")),
        *(f"/r/{name}" for name in (".condarc", "condarc", "condarc.d")),
        *(f"/x/conda/{name}" for name in (".condarc", "condarc", "condarc.d")),
        *(f"/h/.config/conda/{name}" for name in (".condarc", "condarc", "condarc.d")),
        *(f"/h/.conda/{name}" for name in (".condarc", "condarc", "condarc.d")),
        "/h/.condarc",
        *(f"/p/{name}" for name in (".condarc", "condarc", "condarc.d")),
        "/h/own.yml",
    ]
    assert [place for place in places if "mamba" not in place] == conda
    windows = [path.as_posix() for path in search_path({}, None, windows=True)]
    assert windows[:3] == [f"C:/ProgramData/conda/{name}" for name in (".condarc", "condarc", "condarc.d")]
