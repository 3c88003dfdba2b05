"""Reports made by hand: one with something of everything, and ways to put hostile text into it."""

from __future__ import annotations

from dataclasses import replace

from envcheck.model import (
    Availability,
    Channel,
    DistributionFile,
    EngineInfo,
    Environment,
    Evidence,
    Export,
    Finding,
    LockedDistribution,
    PipAvailability,
    PipPresence,
    PipRequirement,
    PipRequirementKind,
    PipResolution,
    Plan,
    PlanAdded,
    PlanChanged,
    PlanDropped,
    PlanKept,
    Presence,
    Record,
    Remedy,
    RemedyAction,
    Report,
    Requirement,
    Severity,
    SourceKind,
    Target,
    Verdict,
    VirtualPackage,
)

__all__ = ["finding", "full_report", "report_about"]


def finding(code: str, severity: Severity, subject: str, message: str, *remedies: Remedy, line: int = 1) -> Finding:
    """A finding, its title made of its code."""
    return Finding(
        code=code, title=f"Title of {code}", severity=severity, subject=subject, message=message, line=line,
        remedies=remedies,
    )  # fmt: skip


def full_report() -> Report:
    """A fixable export with findings of every severity, every part of a plan, and a pip section."""
    names = ("numpy", "hdf5", "pywin32", "meteva")
    requirements = tuple(
        Requirement(name=name, version="==1.0", pin="1.0", line=number, text=f"{name}=1.0")
        for number, name in enumerate(names, start=1)
    )
    pip = PipRequirement(
        kind=PipRequirementKind.NAMED, name="attrs", specifier="==23.1.0", pin="23.1.0", line=5, text="attrs==23.1.0"
    )
    wheel = DistributionFile(
        filename="attrs-23.1.0-py3-none-any.whl",
        url="https://files.pythonhosted.org/packages/aa/attrs-23.1.0-py3-none-any.whl",
        sha256="a" * 64,
        requires_python=">=3.7",
        yanked=False,
    )
    url = "https://conda.anaconda.org/conda-forge"
    packages = tuple(
        Record(
            name=name, version=version, build="h0_0", build_number=0, subdir="linux-64", channel=url,
            url=f"{url}/linux-64/{name}-{version}-h0_0.conda", md5="b" * 32, sha256="c" * 64, size=1000,
        )
        for name, version in (("hdf5", "1.1"), ("libgcc-ng", "14.2.0"), ("numpy", "1.0"))
    )  # fmt: skip
    drop = Remedy(action=RemedyAction.DROP, summary="drop it", verified=True)
    return Report(
        envcheck_version="1.2.3",
        export=Export(
            path="requirements.txt", kind=SourceKind.LIST_EXPORT, encoding="utf-8", requirements=requirements,
            pip=(pip,), platform="win-64",
            evidence=(Evidence(platform="win-64", weight=100, reason="the header says so", line=1),),
        ),
        environment=Environment(platform="linux-64", name="environment", requirements=requirements, pip=(pip,)),
        target=Target(
            platform="linux-64",
            virtual_packages=(VirtualPackage(name="__glibc", version="2.28"),),
            channels=(Channel(name="conda-forge", url=url, locations=(url,)),),
        ),
        engine=EngineInfo(name="rattler", version="0.28.0"),
        verdict=Verdict.FIXABLE,
        findings=(
            finding("EC402", Severity.ERROR, "pywin32", "only for win-64, not for linux-64", drop, line=3),
            finding(
                "EC501", Severity.ERROR, "hdf5", "the channels do not have 1.0 for linux-64",
                Remedy(action=RemedyAction.CHANGE_VERSION, summary="take 1.1", spec="hdf5=1.1", verified=True),
                Remedy(action=RemedyAction.CHANGE_VERSION, summary="take 0.9", spec="hdf5=0.9"), line=2,
            ),
            finding("EC104", Severity.WARNING, "owner", "conda does not know the key"),
            finding("EC701", Severity.INFO, "python", "no Python version is asked for"),
        ),
        plan=Plan(
            kept=(PlanKept(name="numpy", version="1.0"),),
            changed=(
                PlanChanged(name="hdf5", from_version="1.0", to_version="1.1", reason="1.0 is not for linux-64"),
            ),
            dropped=(PlanDropped(name="pywin32", version="1.0", reason="it exists only for win-64"),),
            to_pip=(PlanDropped(name="meteva", version="1.0", reason="no channel has it"),),
            added=(PlanAdded(name="libgcc-ng", version="14.2.0", reason="numpy needs it"),),
            requirements=("numpy ==1.0", "hdf5 ==1.1"),
            direct=names,
            packages=packages,
            solved=True,
        ),
        availability=tuple(Availability(requirement=one, presence=Presence.AVAILABLE) for one in requirements),
        pip=(
            PipAvailability(
                name="attrs", pin="23.1.0", presence=PipPresence.PURE_WHEEL, version="23.1.0", file=wheel
            ),
        ),
        pip_resolution=PipResolution(
            distributions=(
                LockedDistribution(
                    name="attrs", version="23.1.0", url=wheel.url, filename=wheel.filename, sha256=wheel.sha256
                ),
            ),
            provided=(("six", "six"),),
            resolver="uv 0.13.9",
        ),
    )  # fmt: skip


def report_about(text: str) -> Report:
    """The full report with a text of the source's author in every place that can hold one."""
    full = full_report()
    return replace(
        full,
        export=replace(
            full.export, path=text, evidence=(Evidence(platform="win-64", weight=1, reason=text, line=1),)
        ),
        environment=replace(full.environment, name=text),
        target=replace(full.target, channels=(Channel(name=text, url="https://conda.example.org/x", locations=()),)),
        findings=tuple(
            finding(
                "EC501", severity, text, text, Remedy(action=RemedyAction.EDIT, summary=text, spec=text, verified=True)
            )
            for severity in Severity
        ),
        plan=replace(
            full.plan,
            kept=(PlanKept(name=text, version=text),),
            changed=(PlanChanged(name=text, from_version=text, to_version=text, reason=text),),
            dropped=(PlanDropped(name=text, version=text, reason=text),),
            to_pip=(PlanDropped(name=text, version=text, reason=text),),
            added=(PlanAdded(name=text, version=text, reason=text),),
            added_channels=(Channel(name=text, url="https://conda.example.org/y", locations=()),),
        ),
    )  # fmt: skip
