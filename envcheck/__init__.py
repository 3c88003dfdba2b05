"""envcheck: will this conda environment build on Linux, and if not, what is the closest one that does?

    from envcheck import Verdict, check

    report = check("environment.yml")
    if report.verdict is not Verdict.READY:
        for finding in report.findings:
            print(finding.code, finding.subject, finding.message)

What is in ``__all__`` stays as it is; every other module is envcheck's own affair.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for true by its name; typing is not imported for that
if TYPE_CHECKING:
    from envcheck.api.auditing import AuditRun, audit_environments
    from envcheck.api.checking import check, lock_files
    from envcheck.api.dockerfiles import check_dockerfile, write_dockerfile
    from envcheck.api.explaining import explain_package
    from envcheck.api.session import Session
    from envcheck.api.verifying import verify_lock
    from envcheck.condarc import Configuration
    from envcheck.docker.writing_files import WrittenFiles
    from envcheck.errors import (
        ChannelError,
        ConfigurationError,
        EngineError,
        EnvcheckError,
        OutputError,
        SourceError,
    )
    from envcheck.explain import Explanation
    from envcheck.fleet import AuditResult, AuditVerdict
    from envcheck.model import Finding, Plan, Remedy, Report, Requirement, Severity, Verdict
    from envcheck.reports.dockerfile import DockerReport
    from envcheck.verify import LockReport, LockVerdict

__all__ = [
    "AuditResult",
    "AuditRun",
    "AuditVerdict",
    "ChannelError",
    "Configuration",
    "ConfigurationError",
    "DockerReport",
    "EngineError",
    "EnvcheckError",
    "Explanation",
    "Finding",
    "LockReport",
    "LockVerdict",
    "OutputError",
    "Plan",
    "Remedy",
    "Report",
    "Requirement",
    "Session",
    "Severity",
    "SourceError",
    "Verdict",
    "WrittenFiles",
    "__version__",
    "audit_environments",
    "check",
    "check_dockerfile",
    "explain_package",
    "lock_files",
    "verify_lock",
    "write_dockerfile",
]

__version__ = "0.1.0"

_HOMES = {
    "envcheck.api.auditing": ("AuditRun", "audit_environments"),
    "envcheck.api.checking": ("check", "lock_files"),
    "envcheck.api.dockerfiles": ("check_dockerfile", "write_dockerfile"),
    "envcheck.api.explaining": ("explain_package",),
    "envcheck.api.session": ("Session",),
    "envcheck.api.verifying": ("verify_lock",),
    "envcheck.condarc": ("Configuration",),
    "envcheck.docker.writing_files": ("WrittenFiles",),
    "envcheck.errors": (
        "ChannelError",
        "ConfigurationError",
        "EngineError",
        "EnvcheckError",
        "OutputError",
        "SourceError",
    ),
    "envcheck.explain": ("Explanation",),
    "envcheck.fleet": ("AuditResult", "AuditVerdict"),
    "envcheck.model": ("Finding", "Plan", "Remedy", "Report", "Requirement", "Severity", "Verdict"),
    "envcheck.reports.dockerfile": ("DockerReport",),
    "envcheck.verify": ("LockReport", "LockVerdict"),
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for (PEP 562): ``envcheck --help`` needs none of them."""
    for home, names in _HOMES.items():
        if name in names:
            from importlib import import_module

            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
