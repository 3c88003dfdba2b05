"""A user with a good channel and one that misbehaves, one engine, and a cache that stays from run to run."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.running import CommandLine, Run, condarc_text
from tests.faults.faults import Fault, compress, write_good
from tests.support.channels import record, write_channel
from tests.support.server import LoopbackServer, ServerFactory

__all__ = ["PASSWORD", "PATIENCE", "TOKEN", "Observed", "Stage"]

TOKEN = "tk-1f2e3d4c-5b6a-7988-secret"  # noqa: S105  # opens nothing
PASSWORD = "hunter2secret"  # noqa: S105  # neither
PATIENCE = 2
"""The ``remote_read_timeout_secs`` of the user, in seconds."""

_LOCK = "lock.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What came of a fault."""

    said: str
    status: int
    kept: str
    next_run: str


class Stage:
    """Two channels, ``good`` and ``bad``, each with its server, and a source that needs a package of each."""

    def __init__(self, directory: Path, start: ServerFactory, engine: str, *, stored: bool) -> None:
        self.engine = engine
        self.folder = directory / "served" / "bad"
        write_good(self.folder)
        good = directory / "served-good" / "good"
        write_channel(good, {"linux-64": [record("python", "3.10.13"), record("tool")], "noarch": []})
        compress(good)
        self.good: LoopbackServer = start(good.parent)
        self.server: LoopbackServer = start(self.folder.parent, prefix=f"/t/{TOKEN}")
        self.server.cache_control = "max-age=0"  # where nothing is said, libmamba asks once in an hour
        self.elsewhere: LoopbackServer = start(self.folder.parent)
        self.server.elsewhere = self.elsewhere.url.replace("127.0.0.1", "localhost")
        empty = write_channel(directory / "empty", {"linux-64": [], "noarch": [], "win-64": []}).as_uri()
        work = directory / "work"
        work.mkdir()
        locations = {
            "good": f"{self.good.url}/good",
            "bad": self.server.url.replace("://", f"://lee:{PASSWORD}@") + "/bad",
            **dict.fromkeys(("conda-forge", "pkgs/main", "bioconda"), empty),
        }
        timeouts = f"remote_connect_timeout_secs: {PATIENCE}\nremote_read_timeout_secs: {PATIENCE}\n"
        self.command_line = CommandLine(work, condarc_text(locations, more=timeouts), "file:///nowhere")
        self.aside = directory / "work-aside"
        source = "name: b\nchannels: [good, bad]\ndependencies: [python=3.10, tool, gadget]\n"
        self.command_line.write("both.yml", source)
        self._stored = stored

    def warm(self) -> None:
        """A good run, and where there is a record store, wait until it is made."""
        assert self.check().status == 0
        end = time.monotonic() + 60
        while self._stored and len(list(self.aside.rglob("*.records"))) < 2:
            assert time.monotonic() < end, "no record store was made"
            time.sleep(0.1)

    def check(self) -> Run:
        """One run; the addresses hold secrets, and none may come out."""
        (self.command_line.directory / _LOCK).unlink(missing_ok=True)
        channels = ("-c", "good", "-c", "bad", "--override-channels")
        options = ("--engine", self.engine, "--no-pip", "--ignore", "EC613", "--format", "json", "--lock", _LOCK)
        run = self.command_line("check", "both.yml", *channels, *options)
        for text in (run.output, run.errors, self.lock()):
            assert TOKEN not in text
            assert PASSWORD not in text
        for path in self.aside.rglob("*"):
            assert TOKEN not in path.name
            if path.is_file() and path.name != "condarc":
                with suppress(FileNotFoundError):  # a builder's, that has become a store
                    content = path.read_bytes()
                    assert TOKEN.encode() not in content
                    assert PASSWORD.encode() not in content
        return run

    def lock(self) -> str:
        path = self.command_line.directory / _LOCK
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def kept(self) -> str:
        """What stands in the engine's cache of the bad channel, in words; nothing there may be half of something."""
        pattern = "*.info.json" if self.engine == "rattler" else "*.state.json"
        subdirs: list[str] = []
        for note in sorted(self.aside.rglob(pattern)):
            about: Mapping[str, Any] = json.loads(note.read_text())
            subdir = next((one for one in ("linux-64", "noarch") if f"/bad/{one}" in about["url"]), None)
            repodata = note.with_name(note.name.replace(pattern[1:], ".json"))
            if subdir is not None and repodata.is_file():
                json.loads(repodata.read_text())
                subdirs.append(subdir)
        parts = [*self.aside.rglob("mambaf*"), *self.aside.rglob(".tmp*")]
        assert parts == []
        return "repodata of " + " and ".join(sorted(subdirs)) if subdirs else "nothing"

    def heal(self, fault: Fault) -> None:
        """Everything is as it should be again."""
        self.server.behave()
        if fault.title == "refuses connections":
            self.server.accept()
        write_good(self.folder)


def said(run: Run) -> str:
    """What the user reads of the bad channel."""
    if not run.output:
        return run.errors.splitlines()[0].removeprefix("envcheck: ")
    findings = run.report()["findings"]
    return "; ".join(f"{one['code']} {one['message']}" for one in findings) or "nothing"
