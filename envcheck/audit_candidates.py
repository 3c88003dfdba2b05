"""Which files of a tree are exports, told from their content: cheaply first, then by reading them.

`envcheck.sources.read_source` reads whatever it is given as the likeliest kind, for a user has said that it is one. Of
a file that was merely found nobody has: a workflow or a chart is YAML too, and a word list reads like names of
packages. So a found file counts as an export only where it has the marks of one, and more sense than damage.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from envcheck.errors import SourceError
from envcheck.limits import MAX_BYTES
from envcheck.model import DamageKind, Export, PipRequirementKind, SourceKind
from envcheck.sources import read_source
from envcheck.sources.encoding import decode

__all__ = ["HEAD_BYTES", "MAX_BYTES", "is_export", "may_be_export", "name_allows"]

HEAD_BYTES = 65536
"""How much of a file `may_be_export` wants to see."""

#: Endings of files that are never exports: programs, pages, pictures, archives, data.
_OTHER_SUFFIXES = frozenset(
    f".{suffix}"
    for line in (
        "py pyi pyx pxd ipynb c cc cpp cxx h hpp rs go java kt scala js jsx mjs ts tsx css scss less html htm xml svg",
        "sh bash zsh fish ps1 bat cmd rb pl php r rmd jl lua swift m f f90 sql tex bib proto ini cfg toml env patch",
        "diff png jpg jpeg gif bmp ico tif tiff webp pdf mp3 mp4 avi mov wav zip gz bz2 xz zst tar tgz 7z rar whl egg",
        "conda exe dll so dylib a o obj lib pyc pyd class jar bin dat db sqlite sqlite3 npy npz h5 hdf5 parquet",
        "feather pkl pickle pt pth onnx csv tsv xls xlsx doc docx ppt pptx ttf otf woff woff2 map",
    )
    for suffix in line.split()
)

_LIST_BELOW = r"[ \t]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*[ \t]*-[ \t]"
_DEPENDENCIES = re.compile(rf"""^["']?dependencies["']?(?:{_LIST_BELOW}|[ \t]*:[ \t]*\[)""", re.MULTILINE)
_CHANNELS = re.compile(r"""^["']?channels["']?[ \t]*:""", re.MULTILINE)
_TOP_KEY = re.compile(r"""^["']?([A-Za-z_][\w.-]*)["']?[ \t]*:(?:[ \t]|$)""", re.MULTILINE)
_ENVIRONMENT_KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables", "platforms", "category"})
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
_CONDA_LOCK = re.compile(r"^[ \t]*content_hash:", re.MULTILINE)
_PIXI_LOCK = re.compile(r"^environments:", re.MULTILINE)
_EXPLICIT = re.compile(r"^[ \t]*@EXPLICIT[ \t]*$", re.MULTILINE | re.IGNORECASE)
_HEADER = re.compile(
    r"#[ \t]*(?:This file may be used to create an environment using|platform:[ \t]*[a-z]+-[a-z0-9_]+[ \t]*$)"
    r"|^[ \t#]*(?:List of )?packages in environment|^[ \t#]*Name[ \t]+Version[ \t]+Build",
    re.MULTILINE | re.IGNORECASE,
)
_JSON_LIST = re.compile(r"\s*\[\s*\{")
_JSON_FIELDS = re.compile(r'"(?:build_string|dist_name|base_url|version)"\s*:')
_URL_ROW = re.compile(r"^[ \t]*\w+://\S+\.(?:conda|tar\.bz2)(?:#\S*)?[ \t]*$", re.MULTILINE)
_BUILD_ROW = re.compile(r"^[ \t]*[\w.-]+=\d[^\s=]*=\w+[ \t]*$", re.MULTILINE)
_TABLE_ROW = re.compile(r"^[ \t]*[\w.-]+[ \t]+\d[\w.!+]*[ \t]+\w+(?:[ \t]+\S+)?[ \t]*$", re.MULTILINE)
_FROZEN_ROW = re.compile(r"^[ \t]*[\w.-]+(?:\[[^\]\n]*\])?(?:[ \t]*===?[ \t]*[^=\s]|[ \t]+@[ \t]+\S)", re.MULTILINE)

#: Rows that a listing without any header has at the least: less of them is a coincidence.
_ROWS = 3
#: Of what is read of a listing without header, how much has to look like an export's.
_SHARE = 0.8


def name_allows(name: str) -> bool:
    """Whether a file's name leaves it open that it is an export."""
    return PurePath(name).suffix.lower() not in _OTHER_SUFFIXES


def may_be_export(head: bytes) -> bool:
    """Whether the first bytes of a file have any mark of an export; what says no is read no further.

    Args:
        head: The first `HEAD_BYTES` of it, or all.
    """
    text = _text(head)
    if text is None:
        return False
    marks = (_DEPENDENCIES, _CONDA_LOCK, _PIXI_LOCK, _EXPLICIT, _HEADER)
    if any(mark.search(text) for mark in marks) or _is_json_list(text):
        return True
    return any(len(row.findall(text)) >= _ROWS for row in (_URL_ROW, _BUILD_ROW, _TABLE_ROW, _FROZEN_ROW))


def is_export(data: bytes, path: str) -> bool:
    """Whether a found file is an export, or was meant to be one and is broken.

    Args:
        data: All of it.
        path: Its name.
    """
    text = _text(data)
    if text is None:
        return False
    try:
        export = read_source(data, path)
    except SourceError:
        # A lock of an unknown version, an environment whose YAML is broken: its owner wants to hear of it.
        return _is_marked(text)
    return _JUDGES[export.kind](export, text)


def _text(data: bytes) -> str | None:
    try:
        return decode(data, "").text
    except SourceError:
        return None


def _is_json_list(text: str) -> bool:
    return _JSON_LIST.match(text) is not None and _JSON_FIELDS.search(text[:4096]) is not None


def _is_marked(text: str) -> bool:
    """Whether a text that cannot be read has both keys of an environment, or those of a lock, and is no page."""
    if _FENCE.search(text):
        return False
    if _DEPENDENCIES.search(text) and _CHANNELS.search(text):
        return True
    keys = set(_TOP_KEY.findall(text))
    return {"metadata", "package"} <= keys and _CONDA_LOCK.search(text) is not None


def _is_environment(export: Export, text: str) -> bool:
    unread = sum(1 for one in export.damage if one.kind is DamageKind.UNREADABLE_LINE)
    if unread > len(export.requirements) + len(export.pip) or not _DEPENDENCIES.search(text):
        return False
    # Other tools' files list dependencies, too; channels are conda's alone.
    return bool(export.channels) or set(_TOP_KEY.findall(text)) <= _ENVIRONMENT_KEYS


def _is_listing(export: Export, text: str) -> bool:
    rows = export.requirements
    unread = sum(1 for one in export.damage if one.kind is DamageKind.UNREADABLE_LINE)
    if _HEADER.search(text):
        return len(rows) + len(export.pip) > unread
    exact = sum(1 for row in rows if row.build and row.pin and row.pin[:1].isdigit())
    return exact >= _ROWS and exact >= _SHARE * (len(rows) + unread)


def _is_explicit(export: Export, text: str) -> bool:  # noqa: ARG001  # one signature for all
    unread = sum(1 for one in export.damage if one.kind is DamageKind.UNREADABLE_LINE)
    return len(export.requirements) > unread


def _is_json(export: Export, text: str) -> bool:
    return _is_json_list(text) and _is_explicit(export, text)


def _is_frozen(export: Export, text: str) -> bool:  # noqa: ARG001  # one signature for all
    """A ``pip freeze``, and no list of wishes or words: nearly all rows name one version or one file."""
    rows = [row for row in export.pip if row.kind is not PipRequirementKind.OPTION]
    references = (PipRequirementKind.URL, PipRequirementKind.VCS, PipRequirementKind.LOCAL_PATH)
    exact = sum(1 for row in rows if row.pin is not None or row.kind in references)
    return exact >= _ROWS and exact >= _SHARE * len(rows)


def _is_lock(export: Export, text: str) -> bool:  # noqa: ARG001  # one signature for all
    return bool(export.requirements or export.pip)


_JUDGES = {
    SourceKind.ENVIRONMENT_YAML: _is_environment,
    SourceKind.LIST_EXPORT: _is_listing,
    SourceKind.EXPLICIT: _is_explicit,
    SourceKind.LIST_TABLE: _is_listing,
    SourceKind.LIST_JSON: _is_json,
    SourceKind.PIP_FREEZE: _is_frozen,
    SourceKind.CONDA_LOCK: _is_lock,
    SourceKind.PIXI_LOCK: _is_lock,
}
