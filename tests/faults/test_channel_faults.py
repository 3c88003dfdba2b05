"""Channels in trouble, as a user meets them: which one and why, what still works, the exit status, and no secret told.

Each fault is one kind of `Misbehaviour` of one or of all channels; after each of them the next good run has to succeed
with the same cache.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import CommandLine, Run, condarc_text
from tests.support.channels import record, write_channel
from tests.support.server import LoopbackServer, Misbehaviour, ServerFactory
from tests.unit.reports.schema import check_document

TOKEN = "tk-1f2e3d4c-5b6a-7988-secret"  # noqa: S105  # opens nothing
PASSWORD = "hunter2secret"  # noqa: S105  # neither

# What a channel does, and the words that say so.
UNREADABLE: dict[str, tuple[Misbehaviour, str]] = {
    "403": (Misbehaviour.FORBIDDEN, "it refuses access (HTTP 403)"),
    "500": (Misbehaviour.SERVER_ERROR, "it answers HTTP 500"),
    "HTML": (Misbehaviour.WEB_PAGE, "it answers with a web page instead of repodata (a login or proxy page?)"),
    "truncated": (Misbehaviour.TRUNCATED, "is truncated or damaged"),
    "reset": (Misbehaviour.RESET, "no connection could be made, or it was broken off"),
}
WORDS = {"404": (Misbehaviour.NOT_FOUND, "it has neither linux-64 nor noarch"), **UNREADABLE}


class Stage:
    """Two channels behind a server, ``good`` and ``bad``, and a source that needs a package of each."""

    def __init__(self, directory: Path, start: ServerFactory, package_index: Path) -> None:
        channels = directory / "channels"
        write_channel(channels / "good", {"linux-64": [record("python", "3.10.13"), record("tool")], "noarch": []})
        write_channel(channels / "bad", {"linux-64": [record("gadget")], "noarch": [record("spare", noarch="generic")]})
        _compress(channels)
        self.server: LoopbackServer = start(channels, prefix=f"/t/{TOKEN}")
        work = directory / "work"
        work.mkdir()
        address = self.server.url.replace("://", f"://lee:{PASSWORD}@")
        self.run = CommandLine(
            work,
            condarc_text({name: f"{address}/{name}" for name in ("good", "bad")} | self._well_known(directory)),
            package_index.as_uri(),
        )
        self.run.write("both.yml", "name: b\nchannels: [good, bad]\ndependencies: [python=3.10, tool, gadget]\n")
        # Made on the target's platform, so that no other platform of a channel that fails slowly has to be asked.
        self.run.write("both.txt", "# platform: linux-64\npython=3.10.13=0\ntool=1.0=0\ngadget=1.0=0\n")
        self.run.write("good.yml", "name: g\nchannels: [good, bad]\ndependencies: [python=3.10, tool]\n")
        self.run.write("bad.yml", "name: b\nchannels: [bad]\ndependencies: [gadget]\n")

    @staticmethod
    def _well_known(directory: Path) -> dict[str, str]:
        """The channels that are asked for what is missing, empty and on the disk."""
        empty = write_channel(directory / "empty", {"linux-64": [], "noarch": [], "win-64": []})
        return dict.fromkeys(("conda-forge", "pkgs/main", "bioconda"), empty.as_uri())

    def check(self, source: str, *options: str) -> Run:
        """One run, all of its channels' addresses holding secrets: none may come out."""
        done = self.run("check", source, "--no-pip", *options)
        for text in (done.output, done.errors):
            assert TOKEN not in text
            assert PASSWORD not in text
        return done

    def assert_recovers(self) -> None:
        """The same cache serves the next good run."""
        self.server.behave()
        assert self.check("both.yml", "--lock", "lock.yml").status == 0
        lock = (self.run.directory / "lock.yml").read_text()
        assert "https://conda.anaconda.org/bad/linux-64/gadget-1.0-0.conda" in lock
        assert TOKEN not in lock
        assert PASSWORD not in lock


def _compress(channels: Path) -> None:
    """Serve zst as real channels do; the plain file stays, as the other way to ask."""
    import zstandard

    compressor = zstandard.ZstdCompressor(write_checksum=True)
    for path in channels.rglob("repodata.json"):
        path.with_suffix(".json.zst").write_bytes(compressor.compress(path.read_bytes()))


@pytest.fixture
def stage(tmp_path: Path, loopback_server: ServerFactory, package_index_directory: Path) -> Stage:
    return Stage(tmp_path, loopback_server, package_index_directory)


# ---------------------------------------------------------------------------------------------------------------------
# One channel of two
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", UNREADABLE)
def test_one_channel_of_two_cannot_be_read(stage: Stage, fault: str) -> None:
    misbehaviour, words = UNREADABLE[fault]
    stage.server.misbehave("/bad/", misbehaviour)
    channels = ("-c", "good", "-c", "bad")
    run = stage.check("both.txt", *channels, "--format", "json", "--lock", "lock.yml", "--ignore", "EC613")
    assert run.status == 3
    (report,) = check_document(run.report())
    unreadable, unknown = report["findings"]
    assert (unreadable["code"], unreadable["subject"]) == ("EC302", "bad")
    assert unreadable["message"].startswith("bad could not be read: ")
    assert words in unreadable["message"]
    assert unreadable["remedies"][0]["summary"].startswith("run again later")
    assert (unknown["code"], unknown["message"]) == ("EC509", "cannot be judged while a channel is silent: gadget")
    assert report["verdict"] == "blocked"
    assert "lock.yml was not written" in run.errors
    assert "lock.yml" not in stage.run.files()
    stage.assert_recovers()


def test_the_words_about_a_channel_that_cannot_be_read(stage: Stage) -> None:
    stage.server.misbehave("/bad/", Misbehaviour.FORBIDDEN)
    told = " ".join(stage.check("both.yml").output.split())
    assert "BLOCKED (unproven) for linux-64: " in told
    assert "not every channel could be read, so nothing certain can be said about linux-64" in told
    assert "error EC302 Channel could not be read bad (line 2): bad could not be read: it refuses access" in told


def test_one_channel_of_two_does_not_exist(stage: Stage) -> None:
    stage.server.misbehave("/bad/", Misbehaviour.NOT_FOUND)
    run = stage.check("good.yml")
    assert run.status == 1
    told = " ".join(run.output.split())
    assert "error EC301 Channel does not exist bad (line 2): the channel does not exist for linux-64" in told
    assert "it has neither linux-64 nor noarch" in told
    assert "fix: remove the channel bad" in told
    assert "FIXABLE" in told
    report = stage.check("both.yml", "--format", "json").report()
    assert {finding["code"] for finding in report["findings"]} >= {"EC301", "EC506"}
    stage.assert_recovers()


def test_what_the_other_channel_has_is_not_called_missing(stage: Stage) -> None:
    stage.server.misbehave("/bad/", Misbehaviour.FORBIDDEN)
    run = stage.check("good.yml", "--format", "json")
    assert run.status == 3
    findings = run.report()["findings"]
    assert [(one["code"], one["subject"], one["location"]["line"]) for one in findings] == [("EC302", "bad", 2)]


# ---------------------------------------------------------------------------------------------------------------------
# Every channel
# ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", WORDS)
def test_no_channel_can_be_loaded(stage: Stage, fault: str) -> None:
    misbehaviour, words = WORDS[fault]
    stage.server.misbehave("/bad/", misbehaviour)
    run = stage.check("bad.yml", "--override-channels", "-c", "bad")
    assert (run.status, run.output) == (3, "")
    first, second, *_ = run.errors.splitlines()
    assert first.startswith("envcheck: no channel could be loaded for linux-64: bad: ")
    assert words in first
    assert second.startswith("hint: Check the channel's address and your network")


# ---------------------------------------------------------------------------------------------------------------------
# Parts of a channel
# ---------------------------------------------------------------------------------------------------------------------


def test_a_channel_without_noarch(stage: Stage) -> None:
    stage.server.misbehave("/bad/noarch/", Misbehaviour.NOT_FOUND)
    run = stage.check("both.yml", "--format", "json")
    assert run.status == 0
    report = run.report()
    assert report["verdict"] == "ready"
    assert [(one["code"], one["severity"], one["subject"]) for one in report["findings"]] == [("EC303", "info", "bad")]
    assert "it has no noarch/repodata.json" in report["findings"][0]["message"]


def test_a_channel_without_the_platform(stage: Stage) -> None:
    stage.server.misbehave("/bad/linux-64/", Misbehaviour.NOT_FOUND)
    run = stage.check("good.yml", "--format", "json")
    assert run.status == 0
    assert run.codes() == {"EC303"}
    stage.assert_recovers()


@pytest.mark.parametrize("subdir", ["linux-64", "noarch"])
@pytest.mark.parametrize("fault", ["500", "HTML"])
def test_one_subdir_that_cannot_be_read_spoils_the_channel(stage: Stage, fault: str, subdir: str) -> None:
    stage.server.misbehave(f"/bad/{subdir}/", UNREADABLE[fault][0])
    run = stage.check("good.yml", "--format", "json")
    assert run.status == 3
    assert run.codes() == {"EC302"}
    stage.assert_recovers()


def test_damage_of_the_compressed_file_alone(stage: Stage) -> None:
    stage.server.misbehave("/bad/linux-64/repodata.json.zst", Misbehaviour.BIT_FLIPPED)
    run = stage.check("good.yml", "--format", "json")
    assert (run.status, run.codes()) in ((0, set()), (3, {"EC302"}))
    stage.assert_recovers()


# ---------------------------------------------------------------------------------------------------------------------
# Caches and the package index
# ---------------------------------------------------------------------------------------------------------------------


def test_offline_after_a_good_run_needs_no_server(stage: Stage) -> None:
    assert stage.check("both.yml").status == 0
    asked = len(stage.server.requests)
    assert stage.check("both.yml", "--offline").status == 0
    assert len(stage.server.requests) == asked


def test_a_cache_directory_of_ones_own(stage: Stage) -> None:
    cache = stage.run.directory.parent / "own-cache"
    assert stage.check("both.yml", "--cache-dir", str(cache)).status == 0
    assert any(path.is_file() for path in cache.rglob("*"))
    assert stage.check("both.yml", "--offline").status == 3
    assert stage.check("both.yml", "--offline", "--cache-dir", str(cache)).status == 0
    names = " ".join(str(path.relative_to(cache)) for path in cache.rglob("*"))
    assert TOKEN not in names
    assert PASSWORD not in names


@pytest.mark.parametrize("misbehaviour", [Misbehaviour.SERVER_ERROR, Misbehaviour.RESET, Misbehaviour.WEB_PAGE])
def test_a_package_index_in_trouble_leaves_the_rest_standing(
    stage: Stage, loopback_server: ServerFactory, package_index_directory: Path, misbehaviour: Misbehaviour
) -> None:
    index = loopback_server(package_index_directory)
    index.misbehave("/", misbehaviour)
    stage.run.write("pip.yml", "name: p\nchannels: [good]\ndependencies: [python=3.10, {pip: [attrs==23.1.0]}]\n")
    address = index.url.replace("://", f"://lee:{PASSWORD}@")
    run = stage.run("check", "pip.yml", "--format", "json", "--index-url", address)
    assert PASSWORD not in run.output + run.errors
    assert "EC613" in run.codes()
    assert run.report()["plan"]["kept"] == [{"name": "python", "version": "3.10.13"}]
    index.behave()
    good = stage.run("check", "pip.yml", "--format", "json", "--index-url", address)
    assert "EC613" not in good.codes()
    assert [one["name"] for one in good.report()["pip"]] == ["attrs"]
    assert PASSWORD not in json.dumps(good.report())
