"""How much of a source is read: every bound on time and memory, in one place.

The largest real export seen has 600 packages and 70 kB, the largest conda-lock file about 8 MB; the bounds leave room
above that and stop what is no export long before it hurts.
"""

from __future__ import annotations

__all__ = ["MAX_BYTES", "MAX_LINES", "MAX_LINE_LENGTH", "MAX_SPEC_LENGTH", "MAX_YAML_DEPTH", "MAX_YAML_EVENTS"]

#: Bytes of a source.
MAX_BYTES = 32 * 1024 * 1024

#: Lines of a source; a lock of 600 packages for four platforms has 50,000.
MAX_LINES = 200_000

#: Characters of one line (JSON, which may be one line, is exempt).
MAX_LINE_LENGTH = 20_000

#: Characters of one requirement; longer ones are unreadable lines.
MAX_SPEC_LENGTH = 2_000

#: Levels of nesting in YAML; an environment has four.
MAX_YAML_DEPTH = 32

#: Scalars, sequences and mappings in YAML, counted as parser events.
MAX_YAML_EVENTS = 2_000_000
