"""Which engine is taken, and what is said about it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from envcheck.engines.choice import choose_engine
from envcheck.errors import EngineError


@pytest.fixture
def without_libmambapy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libmambapy", None)


def test_rattler_when_asked_for() -> None:
    info = choose_engine("rattler").info
    assert (info.name, info.reason) == ("rattler", "asked for")


def test_rattler_without_libmambapy_with_the_way_to_get_it(without_libmambapy: None) -> None:
    info = choose_engine().info
    assert info.name == "rattler"
    assert info.reason == 'libmambapy is not installed: conda install -c conda-forge "libmambapy>=2"'


def test_libmamba_asked_for_and_absent(without_libmambapy: None) -> None:
    with pytest.raises(EngineError, match="libmambapy is not installed") as failure:
        choose_engine("libmamba")
    assert "conda install -c conda-forge" in (failure.value.hint or "")
    assert "--engine rattler" in (failure.value.hint or "")


def test_libmamba_where_it_can_be_imported() -> None:
    pytest.importorskip("libmambapy", reason="libmambapy is not installed")
    info = choose_engine("auto").info
    assert info.name == "libmamba"
    assert info.reason
    assert choose_engine("libmamba").info.version == info.version


@pytest.mark.skipif(importlib.util.find_spec("libmambapy") is None, reason="libmambapy is not installed")
def test_rattler_does_not_import_libmambapy() -> None:
    code = "import sys; from envcheck.engines.choice import choose_engine; choose_engine('rattler')"
    code += "; sys.exit('libmambapy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
