"""What the activation scripts of packages would set, for an image in which nothing is activated.

conda runs the scripts in ``etc/conda/activate.d`` of an environment when it is activated. A Dockerfile has ENV, which
RUN, CMD, ``docker exec`` and every shell see alike; a script sourced by an entry point is seen by CMD alone. So the
variables of the scripts that are known are written as ENV, and what cannot be known is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

__all__ = ["activation_variables", "unset_variables"]

# Package → variables as its script sets them where its files are there; {prefix} is the environment's folder.
# conda-forge/gdal-feedstock (recipe/scripts/activate.sh: CPL_ZIP_ENCODING, GDAL_DATA; libgdal-core since 3.9),
# conda-forge/proj.4-feedstock (recipe/scripts/activate.sh), conda-forge/openjdk-feedstock (recipe/scripts/activate.sh).
_VARIABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "libgdal-core": (("GDAL_DATA", "{prefix}/share/gdal"), ("CPL_ZIP_ENCODING", "UTF-8")),
    "libgdal": (("GDAL_DATA", "{prefix}/share/gdal"), ("CPL_ZIP_ENCODING", "UTF-8")),
    "openjdk": (("JAVA_HOME", "{prefix}/lib/jvm"), ("JAVA_LD_LIBRARY_PATH", "{prefix}/lib/jvm/lib/server")),
    "proj": (("PROJ_DATA", "{prefix}/share/proj"), ("PROJ_NETWORK", "ON")),
}

# Packages whose scripts set what a table cannot: the compilers' flags (conda-forge/ctng-compiler-activation-feedstock).
_COMPILERS = ("gcc_linux-64", "gxx_linux-64", "gfortran_linux-64", "clang_linux-64", "cuda-nvcc_linux-64")


def activation_variables(packages: Collection[str], prefix: str) -> tuple[tuple[str, str], ...]:
    """The variables to set for some packages, each once, in the order of the packages' names."""
    found: dict[str, str] = {}
    for package in sorted(set(packages) & _VARIABLES.keys()):
        for name, value in _VARIABLES[package]:
            found.setdefault(name, value.format(prefix=prefix))
    if "proj-data" in packages and "PROJ_NETWORK" in found:
        found["PROJ_NETWORK"] = "OFF"  # the script's own condition: the grids are on the disk
    return tuple(found.items())


def unset_variables(packages: Collection[str]) -> tuple[str, ...]:
    """The packages whose scripts set variables that only activating can tell."""
    return tuple(one for one in _COMPILERS if one in packages)
