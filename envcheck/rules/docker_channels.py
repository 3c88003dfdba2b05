"""Findings about the channels that a Dockerfile configures and names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.language import say
from envcheck.mirrors import recognise
from envcheck.model import Severity
from envcheck.rules.docker_facts import DockerFacts, edit
from envcheck.rules.facts import Draft
from envcheck.secrets import mask, split_secrets

__all__ = [
    "channel_order",
    "credentials",
    "frozen_channel",
    "mirror_lacks_channel",
    "terms_of_service",
]


def channel_order(facts: DockerFacts) -> Iterator[Draft]:
    """conda-forge stands behind Anaconda's channels, so that its packages are hidden.

    Under strict priority a package that the first channel has is taken from there alone, however old; under flexible
    priority the first channel still comes before newer versions. ``conda config --add`` puts a channel first, so the
    last ``--add`` wins.

    Fix: put conda-forge first (``--add channels conda-forge`` last), or leave ``defaults`` out.
    """
    for made in facts.conda_commands():
        if any(one.source is not None and one.source.names_channels for one in facts.checked if one.made is made):
            continue  # The file's own channels come first.
        override = made.conda is not None and made.conda.override_channels
        configured = [] if override else [(one.text, one.line) for one in made.configured]
        names = [*made.channels, *configured]
        kinds = [(_canonical(text), line) for text, line in names]
        forge = next((index for index, (kind, _) in enumerate(kinds) if kind == "conda-forge"), None)
        first = next((index for index, (kind, _) in enumerate(kinds) if kind == "defaults"), None)
        if forge is None or first is None or first > forge:
            continue
        strict = made.priority == "strict"
        line = kinds[forge][1] or kinds[first][1] or made.line
        yield Draft(
            severity=Severity.WARNING if strict else Severity.INFO,
            subject=mask(names[first][0]),
            message=say("it stands before conda-forge, whose packages of the same names are ")
            + (say("hidden by strict priority") if strict else say("taken only where it has none that fits")),
            line=line,
            remedies=edit(say("put conda-forge first, or leave the other out")),
        )


def _canonical(text: str) -> str:
    """``conda-forge``, ``defaults`` or the text itself."""
    match = recognise(text)
    name = text.rstrip("/").rsplit("/", 1)[-1] if match is None else match.channel
    if name == "defaults" or (match is not None and match.channel in ("pkgs/main", "pkgs/r")):
        return "defaults"
    if re.search(r"(?:^|/)pkgs/(?:main|r)/?$|^(?:anaconda|main)$", text):
        return "defaults"
    return name


def frozen_channel(facts: DockerFacts) -> Iterator[Draft]:
    """``pkgs/free`` is configured: it has been frozen since 2017 and has nothing for Python 3.7 and later.

    Mirrors' help pages used to name it, so it lives on in Dockerfiles. As the only channel it makes every current
    environment fail.

    Fix: configure ``pkgs/main`` of the same mirror, or conda-forge.
    """
    for text, line in _channel_mentions(facts):
        if re.search(r"pkgs/free/?$", text):
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(text),
                message=say("pkgs/free has been frozen since 2017; it has nothing for Python 3.7 and later"),
                line=line,
                remedies=edit(say("put conda-forge (or pkgs/main of the mirror) in its place")),
            )


def mirror_lacks_channel(facts: DockerFacts) -> Iterator[Draft]:
    """A mirror is asked for a channel that it does not carry.

    Mirrors copy a choice of channels; for any other conda stops with ``HTTP 404``.

    Fix: name another mirror, or the channel itself.
    """
    for text, line in _channel_mentions(facts):
        match = recognise(text)
        if match is not None and match.carried is False:
            yield Draft(
                severity=Severity.ERROR,
                subject=mask(text),
                message=say(
                    "the {name} mirror does not carry {channel}", name=match.mirror.name, channel=match.channel
                ),
                line=line,
                remedies=edit(say("write {spec}", spec=match.channel), match.channel),
            )


def _channel_mentions(facts: DockerFacts) -> Iterator[tuple[str, int]]:
    """Every channel that the Dockerfile itself names, once a line."""
    mentions = [(one.text, one.line) for one in facts.followed.channel_changes]
    for made in facts.followed.environments:
        mentions += made.channels
    yield from dict.fromkeys(mentions)


def terms_of_service(facts: DockerFacts) -> Iterator[Draft]:
    """Anaconda's channels are used with an installer whose conda asks for their terms of service.

    Since Miniconda and Anaconda 25.5 (July 2025) conda comes with ``conda-anaconda-tos``, and without a terminal it
    stops with ``CondaToSNonInteractiveError``. The images of Anaconda have accepted them.

    Fix: install Miniforge, or use ``-c conda-forge --override-channels``; or, if you accept them, ``conda tos accept``.
    """
    for made in facts.conda_commands():
        installer = made.uses_defaults_installer
        if installer is None or made.tos_accepted or not _asks_for_terms(installer[0]) or made.tool != "conda":
            continue
        override = made.conda is not None and made.conda.override_channels
        names = [text for text, _ in made.channels] + ([] if override else [one.text for one in made.configured])
        if not any(_canonical(text) == "defaults" for text in names):
            continue
        yield Draft(
            severity=Severity.WARNING,
            subject="defaults",
            message=say(
                "{installer} (line {line}) brings a conda that, outside of CI, stops here until "
                "the terms of service of Anaconda's channels are accepted",
                installer=installer[0],
                line=installer[1],
            ),
            line=made.line,
            remedies=edit(say("install Miniforge instead, or run 'conda tos accept' before if you accept them")),
        )
        return


def _asks_for_terms(installer: str) -> bool:
    """Whether an installer is of a version that asks: ``latest``, or 25.5 and later."""
    version = re.search(r"(?:_|-)(\d{2,4})\.(\d+)", installer)
    if version is None:
        return "latest" in installer
    year = int(version[1]) % 2000 if int(version[1]) > 2000 else int(version[1])
    return (year, int(version[2])) >= (25, 5) and year < 100


def credentials(facts: DockerFacts) -> Iterator[Draft]:
    """The address of a channel or package index carries a password or token.

    It stays readable in the image's history and in conda's configuration, for everybody who has the image.

    Fix: ``RUN --mount=type=secret``, and revoke the credentials.
    """
    mentions = list(_channel_mentions(facts))
    for made in facts.followed.environments:
        if made.pip is not None:
            mentions += [(value, made.line) for _, value in made.pip.options]
    for text, line in dict.fromkeys(mentions):
        if split_secrets(text).has_secrets:
            yield Draft(
                severity=Severity.WARNING,
                subject=mask(text),
                message=say("its credentials can be read by everybody who has the image"),
                line=line,
                remedies=edit(say("bring them in with RUN --mount=type=secret, and revoke these")),
            )
