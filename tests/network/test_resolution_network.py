"""uv over the real package index that this machine is configured for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.model import PipResolution
from envcheck.pip.configuration import index_settings
from envcheck.pip.installed import Installed
from envcheck.pip.metadata import with_metadata
from envcheck.pip.resolver import PipTarget, Resolved
from envcheck.pip.uv import UvResolver

pytestmark = pytest.mark.network


def test_a_real_section_is_resolved_beside_conda_packages(tmp_path: Path) -> None:
    settings = index_settings(None, os.environ)
    resolver = UvResolver(settings=settings, environment=os.environ, cache_directory=tmp_path)
    target = PipTarget(python="3.10.13", platform="linux-64", glibc="2.28")
    numpy = Installed(name="numpy", version="1.26.4", conda_name="numpy")
    with resolver.open(target, [numpy], {}) as session:
        answer = session.resolve(["pandas==2.0.3", "attrs==23.1.0"])

    assert isinstance(answer, Resolved)
    assert answer.provided == (("numpy", "numpy"),)
    attrs = next(one for one in answer.distributions if one.name == "attrs")
    assert attrs.sha256 == "1f28b4522cdc2fb4256ac1a020c78acf9cba2c6b461ccd2c126f3aa8e8335d04"
    filled = with_metadata(
        PipResolution(distributions=answer.distributions), settings, hosts=("files.pythonhosted.org",)
    )
    pandas = next(one for one in filled.distributions if one.name == "pandas")
    assert any(one.startswith("python-dateutil") for one in pandas.requires)
