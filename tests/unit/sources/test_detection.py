"""Which dialect a text is in: the cases between two of them."""

from __future__ import annotations

import pytest

from envcheck.model import SourceKind as Kind
from envcheck.sources import DIALECTS, read_source

CASES = {
    "YAML after a prompt": ("(base) C:\\x>conda env export\nname: x\ndependencies:\n- numpy\n", Kind.ENVIRONMENT_YAML),
    "YAML after a comment": ("# made by hand\n\nname: x\ndependencies:\n- numpy\n", Kind.ENVIRONMENT_YAML),
    "YAML with a marker": ("---\nname: x\ndependencies: [numpy]\n", Kind.ENVIRONMENT_YAML),
    "YAML that is JSON": ('{"name": "x", "dependencies": ["numpy=1.2"]}', Kind.ENVIRONMENT_YAML),
    "dependencies as one text": ("dependencies: numpy\n", Kind.ENVIRONMENT_YAML),
    "dependencies as a mapping": ("dependencies:\n  numpy: 1.2\n", Kind.ENVIRONMENT_YAML),
    "nothing in it": ("name: x\nchannels:\n- defaults\ndependencies:\n", Kind.ENVIRONMENT_YAML),
    "explicit without its marker": ("https://x.org/c/noarch/six-1.0-py_0.conda\n", Kind.EXPLICIT),
    "explicit without packages": ("# platform: win-64\n@EXPLICIT\n", Kind.EXPLICIT),
    "rows without builds": ("numpy=1.2\nscipy=1.3\n", Kind.LIST_EXPORT),
    "rows with a pip line": ("numpy=1.2=py_0\nscipy=1.3=py_0\n-e .\n", Kind.LIST_EXPORT),
    "pip with a conda row": ("numpy==1.2\nscipy==1.3\npandas=1.1=py_0\n", Kind.PIP_FREEZE),
    "rows with a pinned spec": ("numpy=1.2=py_0\nscipy=1.3=py_0\nsix==1.0\n", Kind.LIST_EXPORT),
    "names only": ("numpy\nscipy\n", Kind.PIP_FREEZE),
    "constraints with blanks": ("numpy >=1.9.4,<3.0\nscipy\n", Kind.PIP_FREEZE),
    "a table without header": ("numpy  1.2  py38_0\nscipy  1.3  py38_0  conda-forge\n", Kind.LIST_TABLE),
    "a table of old conda": ("# packages in environment at C:\\a:\n#\nnumpy  1.2  <pip>\n", Kind.LIST_TABLE),
    "two columns": ("numpy  1.2\nscipy  1.3\n", Kind.PIP_FREEZE),
    "JSON in one line": ('[{"name": "a", "version": "1", "build_string": "0", "channel": "x"}]', Kind.LIST_JSON),
    "JSON of old conda": ('["defaults::numpy-1.2-py38_0"]', Kind.LIST_JSON),
    "JSON without packages": ("[]", Kind.LIST_JSON),
}


@pytest.mark.parametrize(("text", "kind"), CASES.values(), ids=CASES.keys())
def test_kind(text: str, kind: Kind) -> None:
    assert read_source(text.encode(), "environment.yml").kind is kind


def test_every_kind_has_its_dialect() -> None:
    assert sorted(dialect.kind.value for dialect in DIALECTS) == sorted(kind.value for kind in Kind)


def test_json_of_pip_is_pip() -> None:
    export = read_source(b'[{"name": "Flask", "version": "2.0"}]', "packages.json")

    assert export.requirements == ()
    assert [(item.name, item.pin) for item in export.pip] == [("flask", "2.0")]
