from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envcheck.audit import INDEX_ANSWERS_LAST, Audit, Plan, result_key
from envcheck.audit_channels import ChannelStates, Place, known_locations
from envcheck.audit_sources import Found
from envcheck.audit_store import open_store
from envcheck.audit_work import WorkerDiedError
from envcheck.audit_worker import Done, Job
from envcheck.condarc import Configuration
from envcheck.errors import SourceError
from envcheck.fleet import AuditResult, AuditVerdict
from envcheck.pip.configuration import IndexSettings
from envcheck.request import Request

NOW = 1_800_000_000.0
JOB = Job(
    run="run",
    request=Request(path="", data=b"", configuration=Configuration()),
    settings=IndexSettings(url="https://me:pw@index.example/simple", origin="test"),
    engine="rattler",
    engine_version="rattler 1",
)
PLAN = Plan(job=JOB, platforms=("linux-64",), versions=(("uv", "1"),), now=NOW)
PLACE = Place(location="file:///channel", subdir="noarch")

Answer = Callable[[Job, int], Done]


def ready(job: Job, _: int = 0, **changes: Any) -> Done:
    result = AuditResult(path=job.request.path, platform=job.request.platform, verdict=AuditVerdict.READY, seconds=1.0)
    return replace(Done(result=result, reusable=True), **changes)


class FakeWorkers:
    """Answers at once, or never; remembers what it was asked."""

    def __init__(self, answer: Answer = ready, places: int = 3) -> None:
        self._answer = answer
        self.places = places
        self.jobs: list[tuple[str, Job]] = []

    def submit(self, job: Job, *, key: str) -> Future[Done]:
        self.jobs.append((key, job))
        attempt = sum(1 for known, _ in self.jobs if known == key)
        future: Future[Done] = Future()
        try:
            future.set_result(self._answer(job, attempt))
        except Exception as error:  # noqa: BLE001
            future.set_exception(error)
        return future

    def stop(self) -> None:
        pass


class Fleet:
    """Sources in memory, channel states as the test says, a store in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.content: dict[str, bytes] = {}
        self.states: dict[Place, str | None] = {PLACE: "one"}

    def run(self, workers: FakeWorkers, plan: Plan = PLAN) -> list[AuditResult]:
        store = open_store(self._folder, now=plan.now)
        states = ChannelStates(self.states.items())
        audit = Audit(plan, read=self._read, workers=workers, states=states, store=store)
        results = list(audit.run([Found(path=Path(name), shown=name) for name in self.content]))
        store.close()
        return results

    def _read(self, source: Found) -> bytes:
        data = self.content[source.shown]
        if data == b"gone":
            raise SourceError("there is no such file", path=source.shown)
        return data


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path)


def paths(results: Sequence[AuditResult]) -> list[str]:
    return sorted(result.path for result in results)


def test_every_source_and_platform_gives_one_result(fleet: Fleet) -> None:
    fleet.content = {f"{number}/a.yml": f"{number}".encode() for number in range(20)}
    workers = FakeWorkers()
    results = fleet.run(workers, replace(PLAN, platforms=("linux-64", "linux-aarch64")))

    assert len(results) == len({(result.path, result.platform) for result in results}) == 40
    assert len(workers.jobs) == 40
    assert {job.request.path for _, job in workers.jobs} == {"a.yml"}


def test_a_second_run_checks_only_what_changed(fleet: Fleet) -> None:
    fleet.content = {"a.yml": b"a", "b.yml": b"b", "sub/a.yml": b"c"}
    fleet.run(FakeWorkers())
    fleet.content["b.yml"] = b"changed"
    workers = FakeWorkers()
    results = fleet.run(workers)

    assert [job.request.data for _, job in workers.jobs] == [b"changed"]
    assert {result.path: result.reused for result in results} == {"a.yml": True, "b.yml": False, "sub/a.yml": True}
    assert len(FakeWorkers().jobs) == 0


def test_fresh_checks_all(fleet: Fleet) -> None:
    fleet.content = {"a.yml": b"a", "b.yml": b"b"}
    fleet.run(FakeWorkers())
    workers = FakeWorkers()
    fleet.run(workers, replace(PLAN, fresh=True))

    assert len(workers.jobs) == 2


def test_equal_files_of_one_name_are_checked_once(fleet: Fleet) -> None:
    fleet.content = {"x/a.yml": b"a", "y/a.yml": b"a", "a_windows.yml": b"a"}
    workers = FakeWorkers()
    results = fleet.run(workers)

    assert len(workers.jobs) == 2
    assert paths(results) == ["a_windows.yml", "x/a.yml", "y/a.yml"]


@pytest.mark.parametrize(("before", "after", "reused"), [("1", "1", True), ("1", "2", False), ("1", None, False)])
def test_a_changed_or_unknown_channel_is_checked_again(
    fleet: Fleet, before: str, after: str | None, reused: bool
) -> None:
    fleet.content = {"a.yml": b"a"}
    fleet.run(FakeWorkers(lambda job, _: ready(job, places=((PLACE, before),))))
    fleet.states = {PLACE: after}

    assert [result.reused for result in fleet.run(FakeWorkers())] == [reused]


@pytest.mark.parametrize("changes", [{"reusable": False}, {"places": ((PLACE, None),)}])
def test_what_rests_on_silence_is_not_kept(fleet: Fleet, changes: dict[str, Any]) -> None:
    fleet.content = {"a.yml": b"a"}
    fleet.run(FakeWorkers(lambda job, _: ready(job, **changes)))

    assert [result.reused for result in fleet.run(FakeWorkers())] == [False]


@pytest.mark.parametrize(
    ("later", "reused"), [(INDEX_ANSWERS_LAST - 1, True), (INDEX_ANSWERS_LAST, False), (-1, False)]
)
def test_what_the_package_index_said_holds_for_a_day(fleet: Fleet, later: float, reused: bool) -> None:
    fleet.content = {"a.yml": b"a"}
    fleet.run(FakeWorkers(lambda job, _: ready(job, asked_index=True)))

    assert [result.reused for result in fleet.run(FakeWorkers(), replace(PLAN, now=NOW + later))] == [reused]


def test_a_source_whose_worker_dies_is_tried_once_more(fleet: Fleet) -> None:
    fleet.content = {"a.yml": b"a", "b.yml": b"b", "c.yml": b"c"}

    def answer(job: Job, attempt: int) -> Done:
        if job.request.data == b"b" or (job.request.data == b"a" and attempt == 1):
            raise WorkerDiedError("it was ended by SIGKILL")
        return ready(job)

    results = {result.path: result for result in fleet.run(FakeWorkers(answer))}

    assert {path: result.verdict.value for path, result in results.items()} == {
        "a.yml": "ready",
        "b.yml": "failed",
        "c.yml": "ready",
    }
    assert "2 times" in results["b.yml"].trouble
    assert "SIGKILL" in results["b.yml"].trouble
    # A failure is nothing to remember.
    assert not next(result for result in fleet.run(FakeWorkers()) if result.path == "b.yml").reused


def test_one_that_cannot_be_read_or_handed_out_stops_nothing(fleet: Fleet) -> None:
    fleet.content = {"a.yml": b"gone", "b.yml": b"b", "c.yml": b"c"}

    def answer(job: Job, _: int) -> Done:
        if job.request.data == b"b":
            raise TypeError("no way to https://me:pw@host/")
        return ready(job)

    results = {result.path: result for result in fleet.run(FakeWorkers(answer))}

    assert [results[path].verdict.value for path in ("a.yml", "b.yml", "c.yml")] == ["unreadable", "failed", "ready"]
    assert results["a.yml"].trouble == "there is no such file"
    assert "TypeError" in results["b.yml"].trouble
    assert "pw" not in results["b.yml"].trouble


def test_no_more_is_in_hand_than_can_be_worked_on(fleet: Fleet) -> None:
    fleet.content = {f"{number}.yml": f"{number}".encode() for number in range(50)}
    read: list[str] = []
    audit = Audit(
        PLAN,
        read=lambda source: read.append(source.shown) or b"%d" % len(read),  # type: ignore[func-returns-value]
        workers=FakeWorkers(places=3),
        states=ChannelStates(),
        store=open_store(Path("/nonexistent"), now=NOW),
    )
    results = audit.run([Found(path=Path(name), shown=name) for name in fleet.content])
    next(results)

    assert len(read) <= 4
    assert len(list(results)) == 49


def test_what_is_learned_of_channels_goes_to_the_next_worker(fleet: Fleet) -> None:
    fleet.content = {"a.yml": b"a", "b.yml": b"b"}
    fleet.states = {}
    workers = FakeWorkers(lambda job, _: ready(job, places=((PLACE, "one"),)), places=1)
    fleet.run(workers)

    assert [job.states for _, job in workers.jobs] == [(), ((PLACE, "one"),)]


def test_credentials_are_put_back_to_ask_for_a_channels_state(fleet: Fleet) -> None:
    secret = Place(location="https://host/t/tk-123456/company/team", subdir="noarch")
    locations = known_locations(["https://host/t/tk-123456/company", "conda-forge", "https://other/x"])
    fleet.content = {"a.yml": b"a"}
    fleet.run(FakeWorkers(lambda job, _: ready(job, places=((secret, "one"),))))
    fleet.states = {secret: "one"}

    assert fleet.run(FakeWorkers(), replace(PLAN, locations=locations))[0].reused


def test_a_key_knows_everything_that_decides_and_shows_no_secret() -> None:
    def key(versions: tuple[tuple[str, str], ...] = (("uv", "1"),), engine: str = "rattler 1", **changes: Any) -> str:
        request = replace(JOB.request, path="a.yml", data=b"a")
        return result_key(replace(JOB, engine_version=engine, request=replace(request, **changes)), versions)

    different = [
        key(),
        key(versions=(("uv", "2"),)),
        key(engine="rattler 2"),
        key(data=b"b"),
        key(path="b.yml"),
        key(platform="linux-aarch64"),
        key(channels=("bioconda",)),
        key(configuration=Configuration(channels=("bioconda",))),
        key(exclude_newer=5),
        key(effort=5.0),
        key(check_pip=False),
    ]
    assert len(set(different)) == len(different)
    assert key() == key(select=("EC1",), cache_directory="/elsewhere")
    assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one in different)
    assert "pw" not in repr(JOB)
