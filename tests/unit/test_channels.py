"""Channel references resolve to canonical channels, in conda's order, with every change told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.channel_urls import channel_of_url
from envcheck.channels import canonical_channel, resolve_channels
from envcheck.condarc import Configuration
from envcheck.errors import ConfigurationError
from envcheck.model import Channel, ChannelReference

ANACONDA_ORG = "https://conda.anaconda.org"
MAIN = "https://repo.anaconda.com/pkgs/main"
R = "https://repo.anaconda.com/pkgs/r"
TUNA = "https://mirrors.tuna.tsinghua.edu.cn/anaconda"
PLAIN = Configuration(home="/home/me", working_directory="/work/here")
MIRRORED = Configuration(
    default_channels=(f"{TUNA}/pkgs/main", f"{TUNA}/pkgs/r", f"{TUNA}/pkgs/msys2"),
    custom_channels=(("conda-forge", f"{TUNA}/cloud"), ("pytorch", f"{TUNA}/cloud/")),
)


def references(*texts: str) -> tuple[ChannelReference, ...]:
    return tuple(ChannelReference(text=text, line=line) for line, text in enumerate(texts, start=2))


def one(text: str, configuration: Configuration = PLAIN) -> Channel:
    found = resolve_channels(references(text, "nodefaults"), configuration, platform="linux-64")
    assert len(found.channels) == 1
    return found.channels[0]


def urls(*texts: str, configuration: Configuration = PLAIN, platform: str = "linux-64", **rest: object) -> list[str]:
    found = resolve_channels(references(*texts), configuration, platform=platform, **rest)  # type: ignore[arg-type]
    return [channel.url for channel in found.channels]


@pytest.mark.parametrize(
    ("text", "name", "url"),
    [
        ("conda-forge", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("bodo.ai", "bodo.ai", f"{ANACONDA_ORG}/bodo.ai"),
        ("conda-forge/label/broken", "conda-forge/label/broken", f"{ANACONDA_ORG}/conda-forge/label/broken"),
        ("conda-forge/win-64", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("conda-forge[win-64,noarch]", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("pkgs/main", "pkgs/main", MAIN),
        ("https://conda.anaconda.org/anaconda", "anaconda", f"{ANACONDA_ORG}/anaconda"),
        ("http://conda.anaconda.org/conda-forge/", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("https://conda-static.anaconda.org/conda-forge", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("https://anaconda.org/conda-forge", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("https://anaconda.org/conda-forge/numpy", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("conda.anaconda.org/conda-forge", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("https://conda.anaconda.org/t/tk-1-2/team", "team", f"{ANACONDA_ORG}/team"),
        ("https://repo.anaconda.com/pkgs/free/win-64", "pkgs/free", "https://repo.anaconda.com/pkgs/free"),
        ("https://repo.continuum.io/pkgs/main/noarch/", "pkgs/main", MAIN),
        (f"{TUNA}/pkgs/main/win-64", "pkgs/main", MAIN),
        (f"{TUNA}/cloud//pytorch/", "pytorch", f"{ANACONDA_ORG}/pytorch"),
        (f"{TUNA}/cloud/conda-forge/win-64/repodata.json", "conda-forge", f"{ANACONDA_ORG}/conda-forge"),
        ("https://nexus.example/conda/team/linux-64", "https://nexus.example/conda/team", None),
        ("https://me:pw@nexus.example/team", "https://nexus.example/team", None),
        ("file:///srv/channel/", "file:///srv/channel", None),
        ("/srv/my channel", "file:///srv/my%20channel", None),
        ("./channel", "file:///work/here/channel", None),
        ("../channel", "file:///work/channel", None),
        ("~/channel", "file:///home/me/channel", None),
        ("C:\\Users\\me\\channel", "file:///C:/Users/me/channel", None),
        ("\\\\server\\share\\channel", "file://server/share/channel", None),
    ],
)
def test_one_reference(text: str, name: str, url: str | None) -> None:
    channel = one(text)
    assert (channel.name, channel.url) == (name, url or name)


def test_secrets_are_kept_for_fetching_only() -> None:
    channel = one("https://me:pw@conda.anaconda.org/t/tk-1-2/team/win-64")
    assert channel.locations == ("https://me:pw@conda.anaconda.org/t/tk-1-2/team",)
    assert channel.url == f"{ANACONDA_ORG}/team"
    assert "tk-1-2" not in repr(channel)


def test_a_mirror_in_the_source_is_where_its_channel_is_fetched() -> None:
    channel = one("http://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/bioconda/win-64")
    assert channel.url == f"{ANACONDA_ORG}/bioconda"
    assert channel.locations == ("http://mirrors.tuna.tsinghua.edu.cn/anaconda/cloud/bioconda",)
    assert channel.mirror == "TUNA"


@pytest.mark.parametrize("text", ["conda-forge", f"{ANACONDA_ORG}/conda-forge"])
def test_a_configured_known_mirror_keeps_the_canonical_name(text: str) -> None:
    channel = one(text, MIRRORED)
    assert (channel.name, channel.url) == ("conda-forge", f"{ANACONDA_ORG}/conda-forge")
    assert channel.locations == (f"{TUNA}/cloud/conda-forge",)
    assert channel.mirror == "TUNA"


def test_defaults_come_from_the_configured_mirror() -> None:
    found = resolve_channels(references("defaults"), MIRRORED, platform="linux-64").channels
    assert [channel.name for channel in found] == ["pkgs/main", "pkgs/r", "pkgs/msys2"]
    assert found[0].url == MAIN
    assert found[0].locations == (f"{TUNA}/pkgs/main",)
    assert one("pkgs/r", MIRRORED).locations == (f"{TUNA}/pkgs/r",)


@pytest.mark.parametrize("key", ["conda-forge", f"{ANACONDA_ORG}/conda-forge", f"{ANACONDA_ORG}/conda-forge/"])
@pytest.mark.parametrize("text", ["conda-forge", f"{ANACONDA_ORG}/conda-forge", f"{TUNA}/cloud/conda-forge/win-64"])
def test_mirrored_channels_win(key: str, text: str) -> None:
    mirrors = ("https://me:pw@nexus.example/conda-forge", "file:///srv/conda-forge")
    channel = one(text, Configuration(mirrored_channels=((key, mirrors),)))
    assert (channel.name, channel.url) == ("conda-forge", f"{ANACONDA_ORG}/conda-forge")
    assert channel.locations == mirrors
    assert channel.mirror is None


def test_the_address_of_a_configured_mirror_names_what_it_mirrors() -> None:
    configuration = Configuration(mirrored_channels=(("conda-forge", ("https://nexus.example/proxy",)),))
    assert canonical_channel("https://nexus.example/proxy", configuration) == (
        "conda-forge",
        f"{ANACONDA_ORG}/conda-forge",
    )


def test_a_private_custom_channel_is_its_own_canonical_channel() -> None:
    configuration = Configuration(custom_channels=(("team", "https://me:pw@nexus.example/t/tk-1/conda"),))
    for text in ("team", "https://nexus.example/conda/team", "https://nexus.example/conda/team/win-64"):
        channel = one(text, configuration)
        assert (channel.name, channel.url) == ("team", "https://nexus.example/conda/team")
    assert one("team", configuration).locations == ("https://me:pw@nexus.example/t/tk-1/conda/team",)
    assert one("team/label/dev", configuration).url == "https://nexus.example/conda/team/label/dev"


def test_a_custom_channel_may_repeat_the_name_in_its_value() -> None:
    configuration = Configuration(custom_channels=(("conda-forge", f"{TUNA}/cloud/conda-forge"),))
    assert one("conda-forge", configuration).locations == (f"{TUNA}/cloud/conda-forge",)


def test_the_alias_stands_before_names() -> None:
    configuration = Configuration(channel_alias="https://nexus.example/conda")
    assert one("team", configuration).url == "https://nexus.example/conda/team"
    assert canonical_channel("https://nexus.example/conda/team", configuration)[0] == "team"
    mirror = Configuration(channel_alias=f"{TUNA}/cloud")
    assert one("bioconda", mirror).url == f"{ANACONDA_ORG}/bioconda"


def test_multichannels_are_expanded() -> None:
    configuration = Configuration(
        custom_multichannels=(("defaults", ("conda-forge", "https://nexus.example/own")),), default_channels=("never",)
    )
    assert urls("defaults", configuration=configuration) == [f"{ANACONDA_ORG}/conda-forge", "https://nexus.example/own"]
    assert canonical_channel("defaults", configuration) == ("defaults", "")


def test_defaults_have_msys2_on_windows_only() -> None:
    assert urls("defaults") == [MAIN, R]
    assert urls("defaults", platform="win-64") == [MAIN, R, "https://repo.anaconda.com/pkgs/msys2"]


def test_order_is_command_line_source_configuration() -> None:
    configuration = Configuration(channels=("bioconda", "conda-forge"))
    found = resolve_channels(
        references("conda-forge", "pytorch"), configuration, command_line=("own",), platform="linux-64"
    )
    assert [(channel.name, channel.origin, channel.line) for channel in found.channels] == [
        ("own", "command line", None),
        ("conda-forge", "source", 2),
        ("pytorch", "source", 3),
        ("bioconda", "condarc", None),
    ]
    assert found.edits == ()


def test_defaults_are_for_whoever_names_none() -> None:
    found = resolve_channels((), PLAIN, platform="linux-64").channels
    assert [(channel.url, channel.origin) for channel in found] == [(MAIN, "default"), (R, "default")]
    assert urls(command_line=("conda-forge",)) == [f"{ANACONDA_ORG}/conda-forge"]
    assert urls("pypi") == [MAIN, R]


def test_nodefaults_leaves_the_configuration_out() -> None:
    configuration = Configuration(channels=("defaults",))
    assert urls("conda-forge", "nodefaults", configuration=configuration) == [f"{ANACONDA_ORG}/conda-forge"]
    assert urls("nodefaults") == []
    assert urls(configuration=Configuration(channels=("nodefaults", "conda-forge"))) == [f"{ANACONDA_ORG}/conda-forge"]


def test_override_is_the_command_line_alone() -> None:
    configuration = Configuration(channels=("bioconda",))
    assert urls("pytorch", configuration=configuration, command_line=("own",), override=True) == [f"{ANACONDA_ORG}/own"]
    with pytest.raises(ConfigurationError, match="--override-channels"):
        resolve_channels((), PLAIN, override=True, platform="linux-64")


def test_every_change_is_told() -> None:
    found = resolve_channels(
        references(
            "https://me:pw@nexus.example/team/win-64",
            "defaults",
            "pypi",
            "https://repo.continuum.io/pkgs/main",
            "conda-forge/win-64",
            "https://[broken/channel",
            "nodefaults",
        ),
        PLAIN,
        platform="linux-64",
    )
    assert [(edit.line, edit.before, edit.after) for edit in found.edits] == [
        (2, "https://***@nexus.example/team/win-64", "https://***@nexus.example/team"),
        (3, "defaults", "pkgs/main, pkgs/r"),
        (4, "pypi", None),
        (5, "https://repo.continuum.io/pkgs/main", MAIN),
        (5, "https://repo.continuum.io/pkgs/main", "pkgs/main"),
        (6, "conda-forge/win-64", "conda-forge"),
        (7, "https://[broken/channel", None),
        (8, "nodefaults", None),
    ]
    assert [reference.text for reference in found.non_channels] == ["pypi", "https://[broken/channel"]


def test_denied_channels_are_left_out() -> None:
    deny = Configuration(denylist_channels=("defaults",))
    found = resolve_channels(references("conda-forge", "defaults"), deny, platform="linux-64")
    assert [channel.name for channel in found.channels] == ["conda-forge"]
    assert [channel.name for channel in found.denied] == ["pkgs/main", "pkgs/r"]
    allow = Configuration(allowlist_channels=(f"{ANACONDA_ORG}/conda-forge",))
    assert urls("conda-forge", "pytorch", configuration=allow) == [f"{ANACONDA_ORG}/conda-forge"]


@pytest.mark.parametrize(
    ("url", "channel", "subdir", "filename"),
    [
        (f"{ANACONDA_ORG}/c/win-64/a-1-0.conda#0123", f"{ANACONDA_ORG}/c", "win-64", "a-1-0.conda"),
        (f"{MAIN}/noarch/a-1-py_0.tar.bz2", MAIN, "noarch", "a-1-py_0.tar.bz2"),
        (f"{TUNA}/cloud/pytorch/linux-64/a-1%2B2-0.conda", f"{TUNA}/cloud/pytorch", "linux-64", "a-1+2-0.conda"),
        ("https://h/t/tk-1/team/osx-64/a-1-0.conda?x=1", "https://h/t/tk-1/team", "osx-64", "a-1-0.conda"),
    ],
)  # fmt: skip
def test_package_urls_are_split(url: str, channel: str, subdir: str, filename: str) -> None:
    found = channel_of_url(url)
    assert found is not None
    assert (found.channel, found.subdir, found.filename) == (channel, subdir, filename)


@pytest.mark.parametrize("url", ["", "a-1-0.conda", "https://h/c/a-1-0.conda", "https://h/c/win-64/a-1.zip"])
def test_other_urls_are_no_packages(url: str) -> None:
    assert channel_of_url(url) is None


_NAMES = st.sampled_from(
    ["conda-forge", "pkgs/main", "defaults", "pytorch/label/dev", "team", "own", "pypi", "nodefaults"]
)
_HOSTS = st.sampled_from(
    [
        "conda.anaconda.org",
        "repo.anaconda.com/pkgs",
        "mirrors.aliyun.com/anaconda/cloud",
        "nexus.example/conda",
        "h:8080",
    ]
)
_SECRETS = st.sampled_from(["", "someuser:hunter22@"])
_URLS = st.builds(
    "{}://{}{}{}/{}{}".format,
    st.sampled_from(["http", "https"]),
    _SECRETS,
    _HOSTS,
    st.sampled_from(["", "/t/tk-hunter22"]),
    st.sampled_from(["conda-forge", "main", "team", "a/b"]),
    st.sampled_from(["", "/", "/win-64", "/noarch/", "//linux-64"]),
)
_CONFIGURATIONS = st.builds(
    Configuration,
    channels=st.lists(_NAMES, max_size=2).map(tuple),
    default_channels=st.sampled_from([(), MIRRORED.default_channels, ("https://nexus.example/main",)]),
    channel_alias=st.sampled_from([ANACONDA_ORG, f"{TUNA}/cloud", "https://u:hunter22@nexus.example/conda"]),
    custom_channels=st.sampled_from([(), MIRRORED.custom_channels, (("team", "https://h/t/tk-hunter22/x"),)]),
    mirrored_channels=st.sampled_from([(), (("conda-forge", ("https://u:hunter22@nexus.example/cf",)),)]),
)


@given(st.lists(_NAMES | _URLS, max_size=5), _CONFIGURATIONS)
def test_resolving_what_was_resolved_changes_nothing(texts: list[str], configuration: Configuration) -> None:
    first = resolve_channels(references(*texts), configuration, platform="linux-64")
    again = resolve_channels(
        references(*(channel.url for channel in first.channels), "nodefaults"), configuration, platform="linux-64"
    )
    assert [(channel.name, channel.url) for channel in again.channels] == [
        (channel.name, channel.url) for channel in first.channels
    ]
    assert len(again.edits) == 1
    assert "hunter22" not in repr((first, again))


@given(st.text(max_size=40), _CONFIGURATIONS)
def test_any_text_resolves_to_something(text: str, configuration: Configuration) -> None:
    found = resolve_channels(references(text, f"https://{text}", f"{TUNA}/{text}"), configuration, platform="linux-64")
    assert len({channel.url for channel in found.channels}) == len(found.channels)
    canonical_channel(text, configuration)
    channel_of_url(text)
