"""Known mirrors of the public conda channels, as a table.

A mirror copies a channel's files byte for byte under another address. A lock should name the channel, not the mirror
that one person's network happened to prefer, and a mirror that lacks a channel says nothing about the channel's
packages: for both, envcheck has to know which addresses are mirrors, and of what.

Almost all of them lay their tree out as TUNA does: ``<base>/pkgs/<name>`` copies ``repo.anaconda.com/pkgs/<name>`` and
``<base>/cloud/<name>`` copies ``conda.anaconda.org/<name>``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from envcheck.language import say
from envcheck.secrets import strip_secrets

__all__ = ["ANACONDA_ORG", "MIRRORS", "REPO_ANACONDA_COM", "Mirror", "MirrorMatch", "recognise"]

ANACONDA_ORG = "https://conda.anaconda.org"
REPO_ANACONDA_COM = "https://repo.anaconda.com"

# What the mirrors of the TUNA family copy from repo.anaconda.com (CONDA_REPOS in tuna/tunasync-scripts, anaconda.py).
_PKGS = ("pkgs/main", "pkgs/free", "pkgs/r", "pkgs/msys2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """One mirror site.

    ``bases`` are ``host/path`` prefixes under which ``pkgs/`` and ``cloud/`` lie; ``roots`` are ``host/path`` prefixes
    under which the channels lie directly. ``carries`` are the canonical names known to be there (``None``: not known,
    anything may be), ``note`` is what a user of the mirror should know.
    """

    name: str
    bases: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    carries: tuple[str, ...] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorMatch:
    """A URL found to be a mirror's copy of a public channel.

    ``channel`` is the channel's short name (``conda-forge``, ``pkgs/main``) and ``url`` its canonical address.
    ``carried`` says whether the mirror is known to have it: ``None`` where the table does not tell.
    """

    mirror: Mirror
    channel: str
    url: str
    carried: bool | None = None


# TUNA's list is the one its synchronization script works through: CONDA_CLOUD_REPOS in tuna/tunasync-scripts,
# anaconda.py (August 2026), with what its help page names besides (tuna/mirror-web, _helpz/local/anaconda/zh.yaml).
# ``nvidia`` is on neither: tuna/issues#1327, #2110. Of labels it has numba/label/dev only.
_TUNA_CLOUD = (
    "MindSpore",
    "Paddle",
    "auto",
    "biobakery",
    "bioconda",
    "c4aarch64",
    "caffe2",
    "conda-forge",
    "deepmodeling",
    "dglteam",
    "fastai",
    "fermi",
    "idaholab",
    "matsci",
    "menpo",
    "mordred-descriptor",
    "msys2",  # dropped from the script since, but its directory is what older exports name
    "numba",
    "numba/label/dev",
    "ohmeta",
    "omnia",
    "peterjc123",
    "plotly",
    "psi4",
    "pytorch",
    "pytorch-lts",
    "pytorch-test",
    "pytorch3d",
    "pyviz",
    "qiime2",
    "rapidsai",
    "rdkit",
    "simpleitk",
    "stackless",
    "ursky",
)
_NO_NVIDIA = say("it has no nvidia channel and no sharded repodata")

MIRRORS: tuple[Mirror, ...] = (
    Mirror(
        name="TUNA",
        bases=(
            "mirrors.tuna.tsinghua.edu.cn/anaconda",
            "mirror.tuna.tsinghua.edu.cn/anaconda",
            "mirrors4.tuna.tsinghua.edu.cn/anaconda",
            "mirrors6.tuna.tsinghua.edu.cn/anaconda",
        ),
        carries=(*_PKGS, *_TUNA_CLOUD),
        note=_NO_NVIDIA,  # shards: tuna/issues#2540, #2576
    ),
    # "TUNA 等站" in mirrorz-org/mirrorz-docs, anaconda/customs.zh.md: BFSU and NJU sync from TUNA.
    Mirror(
        name="BFSU",
        bases=("mirrors.bfsu.edu.cn/anaconda",),
        carries=(*_PKGS, *_TUNA_CLOUD),
        note=_NO_NVIDIA,
    ),
    Mirror(
        name="NJU",
        bases=("mirror.nju.edu.cn/anaconda", "mirrors.nju.edu.cn/anaconda"),
        carries=(*_PKGS, *_TUNA_CLOUD),
        note=_NO_NVIDIA,
    ),
    # ustclug/mirrorhelp, docs/anaconda.md (June 2026): a cache of conda-forge and bioconda; the rest redirects to TUNA.
    Mirror(
        name="USTC",
        bases=("mirrors.ustc.edu.cn/anaconda",),
        carries=("bioconda", "conda-forge"),
        note=say("it keeps conda-forge and bioconda only and sends everything else to TUNA"),
    ),
    # Channels: "SJTUG" in mirrorz-org/mirrorz-docs, anaconda/customs.zh.md. Addresses: sjtug/mirror-requests#299 for
    # today's, #56 and #77 for the former anaconda.mirrors.sjtug….
    Mirror(
        name="SJTU",
        bases=(
            "mirror.sjtu.edu.cn/anaconda",
            "mirrors.sjtug.sjtu.edu.cn/anaconda",
            "anaconda.mirrors.sjtug.sjtu.edu.cn",
        ),
        carries=(
            "pkgs/main",
            "pkgs/r",
            "pkgs/msys2",
            "pkgs/free",
            "atztogo",
            "bioconda",
            "conda-forge",
            "dglteam",
            "matsci",
            "menpo",
            "pytorch",
            "pytorch-lts",
            "pytorch-test",
            "soumith",
            "viscid-hub",
        ),
    ),
    # developer.aliyun.com/mirror/anaconda gives http:// addresses; https works too. It has nvidia, which TUNA has not.
    Mirror(name="Aliyun", bases=("mirrors.aliyun.com/anaconda",)),
    Mirror(name="Tencent", bases=("mirrors.cloud.tencent.com/anaconda", "mirrors.tencent.com/anaconda")),
    # mirrorz-org/mirrorz-docs, anaconda-extra: SUSTech has nvidia, in a tree of its own.
    Mirror(name="SUSTech", bases=("mirrors.sustech.edu.cn/anaconda", "mirrors.sustech.edu.cn/anaconda-extra")),
    # Sites of the MirrorZ federation (help.mirrors.cernet.edu.cn/anaconda) with the same tree; what each keeps varies.
    Mirror(name="PKU", bases=("mirrors.pku.edu.cn/anaconda",)),
    Mirror(name="ZJU", bases=("mirrors.zju.edu.cn/anaconda",)),
    Mirror(name="LZU", bases=("mirror.lzu.edu.cn/anaconda",)),
    Mirror(name="HIT", bases=("mirrors.hit.edu.cn/anaconda",)),
    # prefix.dev serves the whole of conda-forge under two addresses; its other channels are its users' own, no mirrors.
    Mirror(name="prefix.dev", roots=("prefix.dev", "repo.prefix.dev"), carries=("conda-forge",)),
    # The example of mirrored_channels in mamba's documentation (docs/source/developer_zone/changes-2.0.rst).
    Mirror(name="repo.mamba.pm", roots=("repo.mamba.pm",), carries=("conda-forge",)),
)


def recognise(url: str) -> MirrorMatch | None:
    """Tell which public channel a mirror's URL is a copy of.

    Args:
        url: The base URL of a channel (no platform at its end), over http or https, with or without credentials.

    Returns:
        The match, or ``None`` where the address is no known mirror or names no channel on it.
    """
    try:
        parts = urlsplit(strip_secrets(url))
        host = parts.hostname
    except ValueError:
        return None  # no URL at all
    if parts.scheme not in {"http", "https"} or host is None:
        return None
    address = re.sub(r"/{2,}", "/", f"{host}{parts.path}").rstrip("/")
    for mirror in MIRRORS:
        for base in mirror.bases:
            if (channel := _below(address, base)) and (found := _in_tree(mirror, channel)):
                return found
        for root in mirror.roots:
            # A root holds other things besides mirrored channels, so only what is known to be a copy counts.
            if (channel := _below(address, root)) and channel in (mirror.carries or ()):
                return MirrorMatch(mirror=mirror, channel=channel, url=f"{ANACONDA_ORG}/{channel}", carried=True)
    return None


def _below(address: str, base: str) -> str | None:
    return address[len(base) + 1 :] if address.startswith(f"{base}/") else None


def _in_tree(mirror: Mirror, path: str) -> MirrorMatch | None:
    kind, _, rest = path.partition("/")
    if not rest or kind not in {"pkgs", "cloud"}:
        return None
    channel = path if kind == "pkgs" else rest
    origin = REPO_ANACONDA_COM if kind == "pkgs" else ANACONDA_ORG
    carried = None if mirror.carries is None else channel in mirror.carries
    return MirrorMatch(mirror=mirror, channel=channel, url=f"{origin}/{channel}", carried=carried)
