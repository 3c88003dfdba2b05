"""envcheck from Python, cell by cell: open it as a notebook (VS Code, Jupytext, Spyder), or run it as a script."""

# %% [markdown]
# ## Check one environment
#
# The source is a file, or the bytes of one: here what `conda list --export` wrote on Windows.

# %%
from pathlib import Path

from envcheck import (
    EnvcheckError,
    Session,
    Severity,
    SourceError,
    Verdict,
    check,
    check_dockerfile,
    explain_package,
    lock_files,
    verify_lock,
    write_dockerfile,
)

EXPORT = b"""\
# platform: win-64
numpy=1.26.2=py310hf667824_0
python=3.10.13=h4de0772_0_cpython
pywin32=306=py310h00ffb61_2
"""

report = check(EXPORT, name="requirements.txt", channels=["conda-forge"])
print(report.verdict.value, "on", report.target.platform)

# %% [markdown]
# ## Read the findings
#
# Errors come first. A remedy is verified once a solve with it succeeded.

# %%
for finding in report.findings:
    print(f"{finding.severity.value:8}{finding.code} {finding.subject}: {finding.message}")
    for remedy in finding.remedies:
        print(" " * 8 + "->", remedy.summary, "(verified)" if remedy.verified else "")

errors = [finding for finding in report.findings if finding.severity is Severity.ERROR]
print(len(errors), "errors")

# %% [markdown]
# ## Look at the plan
#
# The closest environment that does install, and what it costs.

# %%
for changed in report.plan.changed:
    print(changed.name, changed.from_version, "->", changed.to_version, "because", changed.reason)
for dropped in report.plan.dropped:
    print(dropped.name, "is left out:", dropped.reason)
for package in report.plan.packages[:5]:
    print(package.name, package.version, package.build)

# %% [markdown]
# ## Check several, for several platforms
#
# Checks in one session share the engine and repodata, which is loaded once.

# %%
VERSIONS = {"old.yml": "3.10", "new.yml": "3.11"}

with Session() as session:
    for name, python in VERSIONS.items():
        source = f"channels: [conda-forge]\ndependencies: [python={python}, numpy]\n".encode()
        for platform in ("linux-64", "win-64"):
            verdict = check(source, name=name, platform=platform, session=session).verdict
            print(f"{name} on {platform}: {verdict.value}")

# %% [markdown]
# ## Write a lock
#
# What is to become a lock is checked with `for_lock`.

# %%
if report.verdict is not Verdict.BLOCKED:
    locked = check(EXPORT, name="requirements.txt", channels=["conda-forge"], for_lock=True)
    for path, text in lock_files(locked, lock="conda-lock.yml", environment="environment.linux-64.yml").items():
        Path(path).write_text(text, encoding="utf-8", newline="")
        print("wrote", path)

# %% [markdown]
# ## Verify a lock
#
# Is every file still in its channel, with the hash that the lock has? There is a report for each platform.

# %%
if Path("conda-lock.yml").exists():
    for verified in verify_lock("conda-lock.yml"):
        print(verified.target.platform, "is", verified.verdict.value, "with", len(verified.entries), "packages")

# %% [markdown]
# ## Ask about one package
#
# Where is it, and what keeps it out of an environment?

# %%
explanation = explain_package("numpy=1.26", source=EXPORT, channels=["conda-forge"])
print("numpy 1.26 is in", *(f"{place.channel} ({place.count} versions)" for place in explanation.places if place.has))
print("nothing keeps it out" if explanation.fine else "something keeps it out")

# %% [markdown]
# ## Check a Dockerfile
#
# Its own findings stand beside the reports of the environments that it makes. Only `write_dockerfile` writes files.

# %%
DOCKERFILE = b"""\
FROM mambaorg/micromamba:2.3.0
RUN micromamba create -y -n app -c conda-forge python=3.10 numpy
"""

with Session() as session:
    preflight = check_dockerfile(DOCKERFILE, session=session)
    for environment in preflight.checked:
        print("line", environment.made.line, "makes an environment that is", environment.verdict)
    for path in write_dockerfile(preflight, "Dockerfile.locked", session=session).paths:
        print("wrote", path)

# %% [markdown]
# ## When there is no report
#
# Findings are facts about an environment. An exception says that envcheck could not do its work, and what to do.

# %%
try:
    check("there-is-none.yml")
except SourceError as error:
    print(error.message, "--", error.hint)
except EnvcheckError as error:  # a channel, the configuration, an engine
    print(error)
