"""How much of what is handed in is read: every bound on size, nesting and count, in one place.

The largest real export seen has 600 packages and 70 kB, the largest conda-lock file about 8 MB; the bounds leave room
above that and stop what is no such file long before it hurts. Beyond a bound nothing is guessed: the file is refused
with what it has too much of, and exit status 2. A test compares them with the table in `docs/explanation/limits.md`.
"""

from __future__ import annotations

__all__ = [
    "MAX_BASELINE_BYTES",
    "MAX_BYTES",
    "MAX_CONFIGURATION_ALIASES",
    "MAX_CONFIGURATION_BYTES",
    "MAX_CONFIGURATION_EVENTS",
    "MAX_DOCKERFILE_BYTES",
    "MAX_DOCKERFILE_INSTRUCTIONS",
    "MAX_DOCKERFILE_LINES",
    "MAX_IGNORE_BYTES",
    "MAX_LINES",
    "MAX_LINE_LENGTH",
    "MAX_ROWS",
    "MAX_SETTINGS_BYTES",
    "MAX_SPEC_LENGTH",
    "MAX_YAML_DEPTH",
    "MAX_YAML_EVENTS",
]

#: Bytes of a source or a lock.
MAX_BYTES = 32 * 1024 * 1024

#: Lines of a source or a lock; a lock of 600 packages for four platforms has 50,000.
MAX_LINES = 200_000

#: Characters of one line, and of one value in a lock (JSON, which may be one line, is exempt from the former).
MAX_LINE_LENGTH = 20_000

#: Packages of a source.
MAX_ROWS = 100_000

#: Characters of one requirement; longer ones are unreadable lines.
MAX_SPEC_LENGTH = 2_000

#: Levels of nesting in YAML; an environment has four.
MAX_YAML_DEPTH = 32

#: Scalars, sequences and mappings in YAML, counted as parser events.
MAX_YAML_EVENTS = 2_000_000

#: Bytes of a configuration file: ``.condarc``, ``pip.conf``.
MAX_CONFIGURATION_BYTES = 1024 * 1024

#: Parser events of a ``.condarc``.
MAX_CONFIGURATION_EVENTS = 20_000

#: Aliases of a ``.condarc``, which conda lets stand for what an anchor marks; sources and locks have none.
MAX_CONFIGURATION_ALIASES = 100

#: Bytes of a TOML file: settings of envcheck, uv's configuration.
MAX_SETTINGS_BYTES = 1024 * 1024

#: Bytes of a baseline; some ten thousand findings.
MAX_BASELINE_BYTES = 64 * 1024 * 1024

#: Bytes of a Dockerfile.
MAX_DOCKERFILE_BYTES = 1024 * 1024

#: Lines of a Dockerfile.
MAX_DOCKERFILE_LINES = 20_000

#: Instructions of a Dockerfile.
MAX_DOCKERFILE_INSTRUCTIONS = 2_000

#: Bytes of a ``.dockerignore`` or ``.gitignore``; what is beyond is not looked at.
MAX_IGNORE_BYTES = 256 * 1024
