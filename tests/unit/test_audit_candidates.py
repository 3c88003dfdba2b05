from __future__ import annotations

import pytest

from envcheck.audit_candidates import is_export, may_be_export, name_allows

EXPORTS = {
    "environment": "name: a\nchannels:\n  - conda-forge\ndependencies:\n  - numpy\n",
    "environment without channels": "name: a\ndependencies:\n- numpy=1.26\n- pip:\n  - requests\n",
    "environment in flow style": "name: a\ndependencies: [numpy, scipy]\n",
    "broken environment": "channels:\n  - conda-forge\ndependencies:\n  - numpy\n\t- scipy\n",
    "list with header": "# platform: win-64\nnumpy=1.26.4=py310h_0\n",
    "list without header": "numpy=1.26.4=py310h4bf8f15_0\nvc=14.3=hcf57466_18\nzlib=1.2.13=h8cc25b3_5\n",
    "explicit": "@EXPLICIT\nhttps://conda.anaconda.org/conda-forge/linux-64/zlib-1.2.13-hd590300_5.conda\n",
    "table": "# packages in environment at C:\\x:\n#\n# Name  Version  Build\nzlib  1.2.13  h8cc25b3_5\n",
    "json": '[\n {"name": "zlib", "version": "1.2.13", "build_string": "h8_5", "channel": "conda-forge"}\n]\n',
    "freeze": "numpy==1.26.4\nrequests==2.31.0\nmine @ file:///C:/work/mine\n",
    "lock of another version": "version: 9\nmetadata:\n  content_hash:\n    linux-64: abc\npackage:\n- name: zlib\n",
}
OTHERS = {
    "workflow": "name: CI\non: [push]\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: make\n",
    "compose": "services:\n  web:\n    image: nginx\n    depends_on:\n      - db\n",
    "mkdocs": "site_name: Docs\nnav:\n  - Home: index.md\ntheme: readthedocs\n",
    "chart": "apiVersion: v2\nname: c\nversion: 1.0.0\ndependencies:\n  - name: redis\n    version: 1.0.0\n",
    "role": "galaxy_info:\n  author: me\ndependencies:\n  - common\n",
    "pubspec": "name: app\ndependencies:\n  flutter:\n    sdk: flutter\n",
    "pre-commit": "repos:\n  - repo: https://example.org/x\n    hooks:\n      - id: ruff\n",
    "page with an example": "# Title\n\n```yaml\nchannels:\n  - a\ndependencies:\n  - numpy\n```\n\nText: more\n",
    "wishes": "numpy>=1.20\nrequests\npandas~=2.0\n",
    "words": "alpha\nbeta\ngamma\ndelta\n",
    "settings": "RETRIES=3\nPORT=8080\nDEBUG=1\nNAME=x\n",
    "licence": "Permission is hereby granted, free of charge, to any person obtaining a copy\n" * 5,
    "json of another kind": '[{"name": "a", "version": 3, "steps": []}, {"title": "b"}, {"title": "c"}]',
    "renv lock": '{"R": {"Version": "4.3.0"}, "Packages": {}}',
    "empty": "",
}


def found(text: str, encoding: str = "utf-8") -> bool:
    data = text.encode(encoding)
    return may_be_export(data) and is_export(data, "file")


@pytest.mark.parametrize("text", EXPORTS.values(), ids=EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_exports_are_found_in_every_encoding(text: str, encoding: str) -> None:
    assert found(text, encoding)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_other_files_of_a_repository_are_not(text: str) -> None:
    assert not found(text)


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"\x00\x01\x02" * 50, b"\xff\xfe"])
def test_binary_files_are_not(data: bytes) -> None:
    assert not may_be_export(data)


def test_a_program_is_not_even_opened() -> None:
    assert not name_allows("setup.PY")
    assert not name_allows("data.parquet")
    assert all(name_allows(name) for name in ("environment.yml", "requirements.txt", "list", "x.lock", "a.json", ".x"))
