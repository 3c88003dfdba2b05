"""Environment markers (PEP 508) judged for a target instead of for the machine that envcheck runs on."""

from __future__ import annotations

from envcheck.pip.tags import LINUX_ARCHITECTURES

__all__ = ["holds"]

_MACHINES = {
    **LINUX_ARCHITECTURES,
    "osx-64": "x86_64",
    "osx-arm64": "arm64",
    "win-64": "AMD64",
    "win-32": "x86",
    "win-arm64": "ARM64",
}
_SYSTEMS = {
    "linux": ("linux", "Linux", "posix"),
    "osx": ("darwin", "Darwin", "posix"),
    "win": ("win32", "Windows", "nt"),
}


def holds(marker: str | None, *, python: str | None, platform: str) -> bool:
    """Whether a marker is true on a target; one that cannot be read or judged is, as it leaves nothing out.

    Args:
        marker: The marker (``sys_platform == 'win32'``); ``None`` and the empty one are true.
        python: The target's Python; ``None`` if it is not known.
        platform: Its conda subdir.
    """
    from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName

    system = _SYSTEMS.get(platform.partition("-")[0])
    if not marker or system is None:
        return True
    if python is None and "python" in marker:
        return True
    version = python or "3"
    full = version if version.count(".") > 1 else f"{version}.0"
    environment = {
        "sys_platform": system[0],
        "platform_system": system[1],
        "os_name": system[2],
        "platform_machine": _MACHINES.get(platform, ""),
        "platform_release": "",
        "platform_version": "",
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": full,
        "implementation_name": "cpython",
        "implementation_version": full,
        "platform_python_implementation": "CPython",
        "extra": "",
    }
    try:
        return Marker(marker).evaluate(environment)
    except (InvalidMarker, UndefinedComparison, UndefinedEnvironmentName):
        return True
