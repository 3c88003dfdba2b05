"""Names: PyPI and conda names of the same project, close names, and what does a Windows package's job elsewhere.

Everything here only suggests. Whether a name exists on the target is asked of the repodata or of the package index.
"""

from __future__ import annotations

import functools
import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import MappingProxyType

from envcheck.language import say
from envcheck.project_names import canonical_name

__all__ = [
    "close_names",
    "conda_name_for_pypi",
    "conda_names_for_pypi",
    "counterpart_reason",
    "counterparts",
    "is_distribution",
    "pypi_names_for_conda",
]

_MAPPING_FILE = "grayskull_pypi_mapping.json"
# What the bot took for a name where there was only a URL.
_HASH = re.compile(r"[0-9a-f]{40,}")


# ---------------------------------------------------------------------------------------------------------------------
# PyPI <-> conda
# ---------------------------------------------------------------------------------------------------------------------


def _mapping_path() -> Path | None:
    """Where conda-pypi's data file lies; the package itself is not imported, because it pulls in conda."""
    try:
        specification = importlib.util.find_spec("conda_pypi")
    except (ImportError, ValueError):
        return None
    for location in (specification.submodule_search_locations or ()) if specification else ():
        path = Path(location) / _MAPPING_FILE
        if path.is_file():
            return path
    return None


@functools.cache
def _conda_by_pypi() -> Mapping[str, str]:
    """The map of grayskull and regro's bot, as conda-pypi carries it; empty where it is missing or unreadable."""
    path = _mapping_path()
    if path is None:
        return MappingProxyType({})
    import msgspec

    class Entry(msgspec.Struct, gc=False):  # what else an entry says is not even made objects of
        pypi_name: str
        conda_name: str

    try:
        entries = msgspec.json.Decoder(dict[str, Entry]).decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError):
        return MappingProxyType({})
    return MappingProxyType({canonical_name(entry.pypi_name): entry.conda_name for entry in entries.values()})


@functools.cache
def _pypi_by_conda() -> Mapping[str, tuple[str, ...]]:
    collected: dict[str, list[str]] = {}
    for pypi_name, conda_name in _conda_by_pypi().items():
        # Some entries are hashes that the bot took from download URLs (0164e082b297…); no project is called that.
        if len(pypi_name) < 40 or _HASH.fullmatch(pypi_name) is None:
            collected.setdefault(conda_name, []).append(pypi_name)
    return MappingProxyType({name: tuple(sorted(found, key=_by_length)) for name, found in collected.items()})


def _by_length(name: str) -> tuple[int, str]:
    return len(name), name


def conda_name_for_pypi(name: str) -> str:
    """The conda package that holds a PyPI project, as far as the map knows, else the same name.

    The map has gaps (pillow, pyyaml, protobuf, xgboost) and entries of the kind ``matplotlib`` → ``matplotlib-base``,
    so the answer is to be checked against the index; `conda_names_for_pypi` lists what else to try.

    Args:
        name: A project name in any spelling.
    """
    normalized = canonical_name(name)
    return _conda_by_pypi().get(normalized, normalized)


def conda_names_for_pypi(name: str) -> tuple[str, ...]:
    """Conda names to look up for a PyPI project, likeliest first.

    PEP 503 folds ``-``, ``_`` and ``.``, conda does not (CEP 26), so that a normalized project name may be spelled in
    several ways there: ``typing-extensions`` and ``typing_extensions`` are two conda packages.
    """
    normalized = canonical_name(name)
    spellings = (
        conda_name_for_pypi(name),
        normalized,
        name.lower(),
        normalized.replace("-", "_"),
        normalized.replace("-", "."),
        f"python-{normalized}",
    )
    return tuple(dict.fromkeys(spellings))


def pypi_names_for_conda(name: str) -> tuple[str, ...]:
    """The PyPI projects whose content a conda package holds, shortest name first; the same name if nothing is known."""
    known = _pypi_by_conda().get(name.lower())
    return known if known is not None else (canonical_name(name),)


def is_distribution(name: str) -> bool:
    """Whether a conda package is known to hold the content of a PyPI project, whatever it depends on."""
    return name.lower() in _pypi_by_conda()


# ---------------------------------------------------------------------------------------------------------------------
# Close names
# ---------------------------------------------------------------------------------------------------------------------

_SEPARATORS = re.compile(r"[-_.]+")
# What folding changes: a separator that is no dash, or more than one.
_UNFOLDED = re.compile(r"[_.][-_.]*|-[-_.]+")
_PREFIXES = ("python-", "py-", "lib", "py")
_SUFFIXES = ("-python", "-py")
_SHORTEST_STEM = 4
_LARGEST_DISTANCE = 3
_LETTERS_PER_EDIT = 5


def _folded(name: str) -> str:
    return _SEPARATORS.sub("-", name.lower())


def _stem(folded: str) -> str:
    """The name without the affixes that packagers add: ``python-dateutil`` and ``pydateutil`` → ``dateutil``."""
    for prefix in _PREFIXES:
        if folded.startswith(prefix) and len(folded) - len(prefix) >= _SHORTEST_STEM:
            folded = folded[len(prefix) :]
            break
    for suffix in _SUFFIXES:
        if folded.endswith(suffix) and len(folded) - len(suffix) >= _SHORTEST_STEM:
            folded = folded[: -len(suffix)]
            break
    return folded.strip("-")


def _with_stem(stem: str) -> list[str]:
    """Every folded name that has a stem."""
    dash = ("", "-")
    forms = product(("", *_PREFIXES), dash, (stem,), dash, ("", *_SUFFIXES))
    return [form for form in dict.fromkeys(map("".join, forms)) if _stem(form) == stem]


class _Folded:
    """Names in their folded form, where they can be looked up, and by their first letter, where they can be compared.

    A channel has a hundred thousand names: nothing here is done name by name that can be done for all at once.
    """

    def __init__(self, names: frozenset[str]) -> None:
        ordered = list(names)
        self._folded = _UNFOLDED.sub("-", "\n".join(ordered).lower()).split("\n")
        if len(self._folded) != len(ordered):  # something that is no name of a package holds the end of a line
            self._folded = list(map(_folded, ordered))
        self._names = names
        self._others: dict[str, list[str]] = {}
        for name, folded in [pair for pair in zip(ordered, self._folded, strict=True) if pair[0] != pair[1]]:
            self._others.setdefault(folded, []).append(name)
        self._by_letter: dict[str, list[str]] | None = None

    def spellings(self, folded: str) -> list[str]:
        """The names that fold to this one."""
        here = [folded] if folded in self._names else []
        return here + self._others.get(folded, [])

    def beginning_with(self, letter: str) -> list[str]:
        """The folded names with a first letter."""
        if self._by_letter is None:
            self._by_letter = defaultdict(list)
            for one in dict.fromkeys(self._folded):
                self._by_letter[one[:1]].append(one)
        return self._by_letter.get(letter, [])


@functools.lru_cache(maxsize=8)
def _all_folded(names: frozenset[str]) -> _Folded:
    return _Folded(names)


def _edit_rank(left: str, right: str, distance: int) -> tuple[int, int] | None:
    """How good a match two folded names are that differ by some edits; ``None`` if they are likely strangers.

    One edit per five letters, at most three: ``numpy`` and ``numba`` (two edits) are two projects, ``matplotlb`` is a
    typing error. Hardly anybody mistypes the first letter, while short names that differ there (``black``, ``slack``)
    are common, so the first letter has to agree unless it changed places with the second.
    """
    if not left or not right or distance > min(_LARGEST_DISTANCE, max(len(left), len(right)) // _LETTERS_PER_EDIT):
        return None
    swapped = left[:2] == right[1::-1] and distance == 1
    if left[0] != right[0] and not swapped:
        return None
    # Names that differ in a digit only (qt5-main, qt6-main) are more often two releases than a typing error.
    only_digits = re.sub(r"\d", "", left) == re.sub(r"\d", "", right)
    return distance, int(only_digits)


def close_names(name: str, candidates: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Names that may have been meant, best first; the order depends on nothing but the arguments' values.

    First come names that differ only by case and ``-``, ``_``, ``.``; then those that differ only by ``python-``,
    ``py`` or ``lib`` (``dateutil``, ``python-dateutil``); then typing errors by optimal string alignment distance.
    Closeness is symmetric: ``b`` is close to ``a`` exactly if ``a`` is close to ``b``.

    Args:
        name: The name that was not found.
        candidates: The names that exist; the name itself is never an answer.
        limit: The largest number of answers.
    """
    from rapidfuzz.distance import OSA
    from rapidfuzz.process import extract

    wanted = _folded(name)
    stem = _stem(wanted)
    names = _all_folded(frozenset(candidates))
    ranked: dict[str, tuple[int, ...]] = {}

    def rank(folded: str, place: tuple[int, ...]) -> None:
        for spelling in names.spellings(folded):
            if spelling != name:
                ranked.setdefault(spelling, place)

    rank(wanted, (0, 0, 0))
    for folded in _with_stem(stem) if len(stem) >= _SHORTEST_STEM else ():
        rank(folded, (1, abs(len(folded) - len(wanted)), 0))
    # `_edit_rank` lets no other first letters through.
    for letter in dict.fromkeys(wanted[:2]):
        # limit=None: all within the cutoff; the order among equals is ours to decide, not the library's.
        for folded, distance, _ in extract(
            wanted, names.beginning_with(letter), scorer=OSA.distance, score_cutoff=_LARGEST_DISTANCE, limit=None
        ):
            edits = _edit_rank(wanted, folded, int(distance))
            if edits is not None:
                rank(folded, (2, *edits))
    ordered = sorted(ranked, key=lambda candidate: (ranked[candidate], candidate))
    return tuple(ordered[:limit])


# ---------------------------------------------------------------------------------------------------------------------
# Platform counterparts
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counterpart:
    """What stands in on other platforms for a package that exists for Windows only, and why."""

    pattern: str
    names: tuple[str, ...]
    reason: str
    platforms: tuple[str, ...] = ("linux-", "osx-")


_COUNTERPARTS = (
    _Counterpart(
        pattern=r"vc|vc14|vc14_runtime|vcomp14|vs20\d\d_runtime|ucrt",
        names=(),
        reason=say("is the Microsoft C runtime; libgcc and libstdcxx come by themselves"),
    ),
    _Counterpart(
        pattern=r"vs20\d\d_win-64",
        names=("gxx_linux-64",),
        reason=say("activates the Microsoft compiler; the compiler on Linux is GCC"),
        platforms=("linux-64",),
    ),
    _Counterpart(pattern=r"vswhere", names=(), reason=say("locates Visual Studio")),
    _Counterpart(
        pattern=r"libwinpthread|pthreads-win32",
        names=(),
        reason=say("brings POSIX threads to Windows; the C library has them"),
    ),
    _Counterpart(pattern=r"getopt-win32", names=(), reason=say("brings getopt to Windows; the C library has it")),
    _Counterpart(
        pattern=r"libintl|libintl-devel",
        names=(),
        reason=say("is GNU gettext's run-time library, which glibc contains"),
        platforms=("linux-",),
    ),
    _Counterpart(
        pattern=r"win_inet_pton", names=(), reason=say("brings socket.inet_pton to Windows; Python has it elsewhere")
    ),
    _Counterpart(pattern=r"win32_setctime", names=(), reason=say("sets the creation time of files on Windows")),
    _Counterpart(pattern=r"wincertstore", names=(), reason=say("reads the certificate store of Windows")),
    _Counterpart(
        pattern=r"console_shortcut|powershell_shortcut", names=(), reason=say("adds entries to the Windows start menu")
    ),
    _Counterpart(pattern=r"msys2-conda-epoch", names=(), reason=say("marks packages of the MSYS2 channel")),
    _Counterpart(
        pattern=r"m2w64-gcc-libs",
        names=("libgcc", "libgfortran"),
        reason=say("is the run-time library of GCC for Windows"),
        platforms=("linux-",),
    ),
    _Counterpart(
        pattern=r"pywinpty|winpty", names=("ptyprocess",), reason=say("drives a pseudo-terminal of Windows")
    ),
    _Counterpart(pattern=r"pyreadline|pyreadline3", names=("readline",), reason=say("imitates readline on Windows")),
    _Counterpart(
        pattern=r"khronos-opencl-icd-loader",
        names=("ocl-icd",),
        reason=say("is the OpenCL loader that is built for Windows"),
        platforms=("linux-",),
    ),
    _Counterpart(
        pattern=r"pywin32-ctypes",
        names=("secretstorage", "jeepney"),
        reason=say("is what keyring asks for passwords on Windows"),
        platforms=("linux-",),
    ),
    # conda-forge's mkl for linux-64 depends on llvm-openmp; intel-openmp is built for Windows only today.
    _Counterpart(
        pattern=r"intel-openmp",
        names=("llvm-openmp",),
        reason=say("is the OpenMP run-time library that MKL uses on Windows"),
        platforms=("linux-64",),
    ),
)  # fmt: skip


def _counterpart(name: str, platform: str) -> _Counterpart | None:
    for entry in _COUNTERPARTS:
        if platform.startswith(entry.platforms) and re.fullmatch(entry.pattern, name):
            return entry
    return None


def counterparts(name: str, platform: str) -> tuple[str, ...] | None:
    """Packages that do on a platform what a Windows-only package does on Windows.

    The table suggests and never classifies: a package is Windows-only because the repodata say so.

    Args:
        name: A conda package name.
        platform: The target's conda subdir.

    Returns:
        The names, empty where nothing is needed, or ``None`` where nothing is known.
    """
    entry = _counterpart(name, platform)
    return None if entry is None else entry.names


def counterpart_reason(name: str, platform: str) -> str | None:
    """What a package of the table is for, as the end of a sentence that starts with its name."""
    entry = _counterpart(name, platform)
    return None if entry is None else entry.reason
