"""Lock formats, one module per format and version.

Every module has ``FORMAT`` (its name here), ``DEFAULT_FILENAME`` and a pure ``render``; those that hold exact packages
also have ``read`` and ``verify``. Nothing here touches the disk: `envcheck.files.write_atomically` does.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType, ModuleType

__all__ = ["FORMATS", "load_format"]

FORMATS = MappingProxyType(
    {
        "conda-lock-v1": "envcheck.locks.conda_lock_v1",
        "pixi-lock-v7": "envcheck.locks.pixi_lock_v7",
        "explicit": "envcheck.locks.explicit",
        "pip-requirements": "envcheck.locks.pip_requirements",
        "environment-yaml": "envcheck.locks.environment_yaml",
        "cyclonedx-json": "envcheck.locks.sbom",
    }
)
"""Every format by name, with the module that implements it; imported when it is used."""


def load_format(name: str) -> ModuleType:
    """Import the module of a format.

    Raises:
        KeyError: There is no such format.
    """
    return importlib.import_module(FORMATS[name])
