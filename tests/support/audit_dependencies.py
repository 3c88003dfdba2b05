"""``make audit``: known vulnerabilities of everything that is installed beside envcheck, told by pip-audit.

Ends with 0 where there are none, 1 where there are some, and 3, in words of its own, where nobody could be asked.
"""

from __future__ import annotations

import json
import subprocess
import sys

UNREACHABLE = (
    "make audit: NOT AUDITED: the vulnerability service (https://pypi.org/pypi/PROJECT/VERSION/json) did not answer,\n"
    "so nothing is known about the dependencies, good or bad. Run it where the network is open."
)


def _tell(words: str) -> None:
    sys.stdout.write(f"{words}\n")


def main() -> int:
    """Audit this interpreter's environment."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--skip-editable", "--progress-spinner", "off", "--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        _tell(UNREACHABLE)
        return 3
    audited = [one for one in dependencies if "skip_reason" not in one]
    for one in dependencies:
        if "skip_reason" in one:
            _tell(f"not audited: {one['name']}: {one['skip_reason']}")
    found = [(one, vulnerability) for one in audited for vulnerability in one["vulns"]]
    for one, vulnerability in found:
        fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        _tell(f"{one['name']} {one['version']}: {vulnerability['id']}, fixed in {fixed}")
    if not audited:
        _tell(UNREACHABLE)
        return 3
    _tell(f"{len(audited)} distributions audited, {len(found)} known vulnerabilities")
    return int(bool(found))


if __name__ == "__main__":
    raise SystemExit(main())
