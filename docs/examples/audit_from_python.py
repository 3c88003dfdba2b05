"""Many environments at once, from Python: checks run in processes of their own, so that a script has a main part."""

from pathlib import Path

from envcheck import Severity, audit_environments

if __name__ == "__main__":
    folder = Path("environments")
    folder.mkdir(exist_ok=True)
    for name, python in {"old": "3.10", "new": "3.11"}.items():
        text = f"name: {name}\nchannels: [conda-forge]\ndependencies: [python={python}, numpy]\n"
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")

    run = audit_environments(folder, platforms=["linux-64"], jobs=2)
    for done, result in enumerate(run, start=1):
        print(f"{done} of {run.total}: {result.path} is {result.verdict.value}, {result.count(Severity.ERROR)} errors")
