"""What is known about single projects of PyPI, each with the page that says so. Few, and only what is certain.

What a distribution installs was read from its own files; versions of Python are those of the standard library's
documentation.
"""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.language import say

__all__ = ["BACKPORTS", "BROKEN", "LOOK_ALIKES", "SAME_IMPORTS", "Backport", "Broken", "LookAlike", "SameImport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backport:
    """A project that installs a module of the standard library for Pythons before ``since``.

    ``harmless_from`` is the first version that installs nothing any more; ``breaks`` what is known to fail while it is
    installed on a newer Python.
    """

    module: str
    since: tuple[int, int]
    source: str
    harmless_from: str | None = None
    breaks: str = ""


# PyInstaller/compat.py looks for the three; https://github.com/pyinstaller/pyinstaller/pull/6361 tells the errors.
_PYINSTALLER = say("PyInstaller refuses to work beside it")

BACKPORTS: dict[str, Backport] = {
    "argparse": Backport(module="argparse", since=(3, 2), source="https://pypi.org/project/argparse/"),
    # 3.4.3 calls a function `async`, which is a keyword since Python 3.7; 4.0.0 is empty.
    "asyncio": Backport(
        module="asyncio",
        since=(3, 4),
        source="https://pypi.org/project/asyncio/",
        harmless_from="4",
        breaks=say("its code is no valid Python since 3.7"),
    ),
    "contextvars": Backport(module="contextvars", since=(3, 7), source="https://pypi.org/project/contextvars/"),
    "dataclasses": Backport(module="dataclasses", since=(3, 7), source="https://pypi.org/project/dataclasses/"),
    "enum34": Backport(
        module="enum", since=(3, 4), source="https://pypi.org/project/enum34/", breaks=_PYINSTALLER
    ),
    "futures": Backport(module="concurrent.futures", since=(3, 2), source="https://pypi.org/project/futures/"),
    "ipaddress": Backport(module="ipaddress", since=(3, 3), source="https://pypi.org/project/ipaddress/"),
    "pathlib": Backport(
        module="pathlib", since=(3, 4), source="https://pypi.org/project/pathlib/", breaks=_PYINSTALLER
    ),
    "statistics": Backport(module="statistics", since=(3, 4), source="https://pypi.org/project/statistics/"),
    "typing": Backport(
        module="typing", since=(3, 5), source="https://pypi.org/project/typing/", breaks=_PYINSTALLER
    ),
    "uuid": Backport(module="uuid", since=(3, 0), source="https://pypi.org/project/uuid/"),
}  # fmt: skip
"""Projects by normalized name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAlike:
    """A project that is not what its name suggests: what was meant as a rule, and what it is.

    ``since`` is the first version of which this is true (``None``: all).
    """

    meant: str
    what: str
    source: str
    since: str | None = None


LOOK_ALIKES: dict[str, LookAlike] = {
    "beautifulsoup": LookAlike(
        meant="beautifulsoup4", what=say("Beautiful Soup 3, for Python 2"), source="https://pypi.org/project/BeautifulSoup/"
    ),
    "crypto": LookAlike(
        meant="pycryptodome", what=say("a wrapper of GnuPG without any 'Crypto'"), source="https://pypi.org/project/crypto/"
    ),
    "docx": LookAlike(
        meant="python-docx", what=say("its predecessor of 2013, for Python 2"), source="https://pypi.org/project/docx/"
    ),
    "fitz": LookAlike(
        meant="pymupdf", what=say("a pipeline for neuroimaging"), source="https://pypi.org/project/fitz/"
    ),
    "panda": LookAlike(
        meant="pandas", what=say("a client of a video encoding service"), source="https://pypi.org/project/panda/"
    ),
    "serial": LookAlike(
        meant="pyserial", what=say("a framework for serializing objects"), source="https://pypi.org/project/serial/"
    ),
    "sklearn": LookAlike(
        meant="scikit-learn",
        what=say("a placeholder that its authors have made fail on installation"),
        source="https://github.com/scikit-learn/sklearn-pypi-package",
        since="0.0.post1",
    ),
    "tensorflow-gpu": LookAlike(
        meant="tensorflow",
        what=say("a placeholder that fails on installation"),
        source="https://pypi.org/project/tensorflow-gpu/",
        since="2.12",
    ),
}  # fmt: skip
"""Projects by normalized name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameImport:
    """Projects that install the same package of Python, and conda packages that do."""

    module: str
    projects: frozenset[str]
    conda: frozenset[str] = frozenset()
    source: str


SAME_IMPORTS: tuple[SameImport, ...] = (
    SameImport(
        module="Crypto",
        projects=frozenset({"pycrypto", "pycryptodome"}),
        conda=frozenset({"pycrypto", "pycryptodome"}),
        source="https://www.pycryptodome.org/src/introduction",
    ),
    SameImport(
        module="PIL",
        projects=frozenset({"pillow", "pillow-simd"}),
        conda=frozenset({"pillow", "pillow-simd"}),
        source="https://pypi.org/project/Pillow-SIMD/",
    ),
    SameImport(
        module="cv2",
        projects=frozenset(
            {
                "opencv-python",
                "opencv-python-headless",
                "opencv-contrib-python",
                "opencv-contrib-python-headless",
            }
        ),
        conda=frozenset({"py-opencv"}),
        source="https://pypi.org/project/opencv-python/",
    ),
    SameImport(
        module="faiss",
        projects=frozenset({"faiss-cpu", "faiss-gpu"}),
        source="https://pypi.org/project/faiss-cpu/",
    ),
    SameImport(
        module="jwt",
        projects=frozenset({"jwt", "pyjwt"}),
        conda=frozenset({"pyjwt"}),
        source="https://pypi.org/project/jwt/",
    ),
    SameImport(
        module="onnxruntime",
        projects=frozenset({"onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino"}),
        conda=frozenset({"onnxruntime"}),
        source="https://onnxruntime.ai/docs/install/",
    ),
    SameImport(
        module="psycopg2",
        projects=frozenset({"psycopg2", "psycopg2-binary"}),
        conda=frozenset({"psycopg2"}),
        source="https://www.psycopg.org/docs/install.html",
    ),
    SameImport(
        module="tensorflow",
        projects=frozenset({"tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-nightly"}),
        source="https://pypi.org/project/tensorflow-cpu/",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A project whose last release fails on Python from ``since`` on: why, and what took its place."""

    since: tuple[int, int]
    why: str
    instead: str
    source: str


BROKEN: dict[str, Broken] = {
    "mysql-python": Broken(
        since=(3, 0),
        why=say("it is for Python 2"),
        instead="mysqlclient",
        source="https://pypi.org/project/MySQL-python/",
    ),
    "nose": Broken(
        since=(3, 10),
        why=say("it uses collections.Callable"),
        instead="pytest",
        source="https://docs.python.org/3/whatsnew/3.10.html#removed",
    ),
    "pycrypto": Broken(
        since=(3, 8),
        why=say("it uses time.clock"),
        instead="pycryptodome",
        source="https://github.com/pycrypto/pycrypto/issues/304",
    ),
}
"""Projects by normalized name."""
