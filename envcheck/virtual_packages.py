"""The virtual packages of a target (CEP 30), from tables: per platform, and per base image of a container.

envcheck asks what another machine could install, so it never looks at the one it runs on. Two choices matter:

- ``__glibc`` is 2.28 on Linux, as in conda-lock (``default-virtual-packages.yaml``) and rattler
  (``crates/rattler_virtual_packages/src/defaults.rs``): that of RHEL 8 and Debian 10, which every image still built
  today has or exceeds. ``__linux`` is 4.18, as in rattler: a container has the kernel of its host, so the oldest one in
  service is the one to prove against (conda-lock says 5.10).
- ``__cuda`` is absent. conda-lock pretends 11.4; but ``docker build`` has no GPU driver, and CEP 30 has the package
  absent without one, so a solve that assumes it proves something else than what the build does. Whoever wants CUDA
  builds asks for them: with ``__cuda=12.4``, with ``CONDA_OVERRIDE_CUDA``, with an ``nvidia/cuda`` base image, or by
  having them in the source (`envcheck.variants.cuda_asked_for`), which is reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from envcheck.errors import ConfigurationError
from envcheck.language import say
from envcheck.model import VirtualPackage

__all__ = ["PLATFORMS", "overrides_from_environment", "virtual_packages_for"]

# CEP 30: __unix is always 0; the build strings of __archspec are those of its appendix A, with the version 1 that
# names of the archspec database have. __osx 11.0 is conda-lock's; __win 0 says "any Windows", as in rattler.
_LINUX = (("__glibc", "2.28"), ("__linux", "4.18"), ("__unix", "0"))
_OSX = (("__osx", "11.0"), ("__unix", "0"))
_WIN = (("__win", "0"),)

_PLATFORMS: Mapping[str, tuple[tuple[tuple[str, str], ...], str]] = {
    "linux-64": (_LINUX, "x86_64"),
    "linux-aarch64": (_LINUX, "aarch64"),
    "linux-ppc64le": (_LINUX, "ppc64le"),
    "osx-64": (_OSX, "x86_64"),
    "osx-arm64": (_OSX, "aarch64"),
    "win-64": (_WIN, "x86_64"),
}
PLATFORMS: tuple[str, ...] = tuple(_PLATFORMS)

_VERSION = re.compile(r"[0-9A-Za-z_.!+*]+")  # the characters of a version, CEP 33
_KERNEL = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?(\.[0-9]+)?")  # CEP 30, CONDA_OVERRIDE_LINUX


def virtual_packages_for(
    platform: str, *, image: str | None = None, overrides: Sequence[str] = (), cuda: str | None = None
) -> tuple[VirtualPackage, ...]:
    """The virtual packages that a target has.

    Args:
        platform: The conda platform, one of `PLATFORMS`.
        image: The container's base image as a Dockerfile names it; ``None`` for the platform's defaults.
        overrides: ``NAME=VERSION`` or ``NAME=VERSION=BUILD``, later ones first in rank; the underscores of the name may
            be left out, and an empty version removes the package.
        cuda: The version of ``__cuda`` where neither an image nor an override has a say.

    Returns:
        The packages, sorted by name.

    Raises:
        ConfigurationError: The platform or the image is not known, or an override cannot be read.
    """
    if platform not in _PLATFORMS:
        raise ConfigurationError(
            say(
                "The platform '{platform}' is not known.{close}",
                platform=platform,
                close=_did_you_mean(platform, PLATFORMS),
            ),
            hint=say("Choose one of {platforms}.", platforms=", ".join(PLATFORMS)),
        )
    versions, architecture = _PLATFORMS[platform]
    packages = {name: VirtualPackage(name=name, version=version) for name, version in versions}
    packages["__archspec"] = VirtualPackage(name="__archspec", version="1", build=architecture)
    if cuda is not None and image is None:
        packages["__cuda"] = VirtualPackage(name="__cuda", version=cuda)
    if image is not None:
        if not platform.startswith("linux-"):
            raise ConfigurationError(
                say("The image '{image}' cannot be asked for on {platform}.", image=image, platform=platform),
                hint=say("Choose a Linux platform, or leave out the image."),
            )
        glibc, cuda = _image_versions(image)
        for name, version in (("__glibc", glibc), ("__cuda", cuda)):
            if version is None:
                packages.pop(name, None)
            else:
                packages[name] = VirtualPackage(name=name, version=version)
    for override in overrides:
        _apply(override, packages)
    return tuple(packages[name] for name in sorted(packages))


def overrides_from_environment(environ: Mapping[str, str], platform: str) -> tuple[str, ...]:
    """The ``CONDA_OVERRIDE_*`` variables that have a say on a platform, in the form that `virtual_packages_for` takes.

    As CEP 30 has it: ``UNIX`` has no effect, those of another platform are ignored, ``ARCHSPEC`` sets the build. An
    empty ``CUDA`` or ``GLIBC`` takes the package away, as in conda; any other empty value is ignored.

    Args:
        environ: The environment variables.
        platform: The conda platform of the target.

    Returns:
        ``NAME=VERSION`` texts, to be put before the user's own so that those win.
    """
    family = platform.partition("-")[0]
    overrides: list[str] = []
    for name, families, removable in (
        ("CUDA", {"linux", "win", "osx"}, True),
        ("GLIBC", {"linux"}, True),
        ("LINUX", {"linux"}, False),
        ("OSX", {"osx"}, False),
        ("WIN", {"win"}, False),
    ):
        value = environ.get(f"CONDA_OVERRIDE_{name}")
        if value is None or family not in families:
            continue
        value = value.strip()
        pattern = _KERNEL if name == "LINUX" else _VERSION
        if pattern.fullmatch(value) or (removable and not value):
            overrides.append(f"__{name.lower()}={value}")
    if archspec := environ.get("CONDA_OVERRIDE_ARCHSPEC", "").strip():
        overrides.append(f"__archspec=1={archspec}")
    return tuple(overrides)


# ---------------------------------------------------------------------------------------------------------------------
# Overrides
# ---------------------------------------------------------------------------------------------------------------------


def _apply(override: str, packages: dict[str, VirtualPackage]) -> None:
    name, separator, rest = override.strip().partition("=")
    name = "__" + name.strip().lower().lstrip("_")
    version, _, build = rest.partition("=")
    version, build = version.strip(), build.strip()
    readable = separator and re.fullmatch(r"__[a-z0-9][a-z0-9_.-]*", name)
    if not readable or (version and not _VERSION.fullmatch(version)) or not re.fullmatch(r"[0-9A-Za-z_.+]*", build):
        raise ConfigurationError(
            say("'{override}' is no virtual package.", override=override),
            hint=say("Write NAME=VERSION, for example __glibc=2.31 or __cuda=12.4."),
        )
    if not version:
        packages.pop(name, None)
        return
    if not build:
        # An architecture keeps its build string when only its version is given; all others have build 0 (CEP 30).
        build = packages[name].build if name == "__archspec" and name in packages else "0"
    packages[name] = VirtualPackage(name=name, version=version, build=build)


# ---------------------------------------------------------------------------------------------------------------------
# Images
# ---------------------------------------------------------------------------------------------------------------------


def _image_versions(image: str) -> tuple[str | None, str | None]:
    """The ``__glibc`` and ``__cuda`` of an image; ``None`` for absent."""
    # With the tables of all images; most runs name none.
    from envcheck.base_images import IMAGES, UNKNOWABLE, cuda_of, release_of, split_reference

    repository = split_reference(image)[0]
    if repository in UNKNOWABLE:
        raise ConfigurationError(
            say("The image '{image}' does not tell which C library it has.", image=image),
            hint=say("Name a distribution's image, or say it with --virtual-package __glibc=VERSION."),
        )
    release = release_of(image)
    if release is None:
        raise ConfigurationError(
            say(
                "The image '{image}' is not known.{close}",
                image=image,
                close=_did_you_mean(repository, IMAGES),
            ),
            hint=say(
                "Name the image that it is built upon, such as debian:12, or use --virtual-package __glibc=VERSION."
            ),
        )
    # Whoever builds upon a CUDA image runs it where a driver is: NVIDIA's images refuse to start without one that is
    # recent enough (NVIDIA_REQUIRE_CUDA).
    return release.glibc, cuda_of(image)


def _did_you_mean(text: str, known: Sequence[str]) -> str:
    from rapidfuzz import process

    close = [str(match[0]) for match in process.extract(text, known, limit=3, score_cutoff=70)]
    return say(" Close names: {close}.", close=", ".join(close)) if close else ""
