from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from envcheck.audit_work import LocalWorkers, WorkerDiedError, _new_executor
from envcheck.audit_worker import Done, Job
from envcheck.condarc import Configuration
from envcheck.cores import available_cores, own_cores
from envcheck.fleet import AuditResult, AuditVerdict
from envcheck.pip.configuration import IndexSettings
from envcheck.request import Request

JOB = Job(
    run="run",
    request=Request(path="a.yml", data=b"", configuration=Configuration()),
    settings=IndexSettings(url="https://index.example/simple", origin="test"),
    engine="rattler",
    engine_version="rattler 1",
)


def done(memory: int = 0) -> Done:
    return Done(result=AuditResult(path="a.yml", platform="linux-64", verdict=AuditVerdict.READY), memory=memory)


class FakeExecutor(Executor):
    """One process that does what the test says, when it says so."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.dead = False
        self.ended = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.dead:
            raise BrokenProcessPool("it died")
        self.futures.append(Future())
        return self.futures[-1]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.ended = True


class Fakes:
    def __init__(self) -> None:
        self.made: list[FakeExecutor] = []

    def __call__(self) -> FakeExecutor:
        self.made.append(FakeExecutor())
        return self.made[-1]


def test_each_process_has_one_check_at_a_time() -> None:
    fakes = Fakes()
    workers = LocalWorkers(2, executor=fakes)
    first, second = workers.submit(JOB, key="1"), workers.submit(JOB, key="2")

    assert workers.places == 2
    assert [len(fake.futures) for fake in fakes.made] == [1, 1]
    fakes.made[1].futures[0].set_result(done())
    assert second.done()
    assert not first.done()
    workers.submit(JOB, key="3")
    assert [len(fake.futures) for fake in fakes.made] == [1, 2]


def test_one_that_dies_is_replaced_and_breaks_no_other() -> None:
    fakes = Fakes()
    workers = LocalWorkers(2, executor=fakes)
    first, second = workers.submit(JOB, key="1"), workers.submit(JOB, key="2")
    fakes.made[0].futures[0].set_exception(BrokenProcessPool("killed"))

    with pytest.raises(WorkerDiedError):
        first.result(timeout=1)
    assert not second.done()
    assert fakes.made[0].ended
    workers.submit(JOB, key="3")
    assert len(fakes.made) == 3


def test_one_that_died_while_it_was_idle_is_replaced() -> None:
    fakes = Fakes()
    workers = LocalWorkers(1, executor=fakes)
    workers.submit(JOB, key="1")
    fakes.made[0].futures[0].set_result(done())
    fakes.made[0].dead = True
    again = workers.submit(JOB, key="2")
    fakes.made[1].futures[0].set_result(done())

    assert again.result(timeout=1) == done()


@pytest.mark.parametrize(("memory", "jobs"), [(2000, 1), (10, 3)])
def test_one_that_has_grown_or_worked_long_is_replaced(memory: int, jobs: int) -> None:
    fakes = Fakes()
    workers = LocalWorkers(1, executor=fakes, most_memory=1000, most_jobs=3)
    for _ in range(jobs):
        workers.submit(JOB, key="1")
        assert len(fakes.made) == 1
        fakes.made[0].futures[-1].set_result(done(memory))
    workers.submit(JOB, key="2")

    assert len(fakes.made) == 2
    assert fakes.made[0].ended


def test_an_error_of_another_kind_is_passed_on() -> None:
    fakes = Fakes()
    workers = LocalWorkers(1, executor=fakes)
    future = workers.submit(JOB, key="1")
    fakes.made[0].futures[0].set_exception(TypeError("cannot pickle"))

    with pytest.raises(TypeError):
        future.result(timeout=1)
    workers.submit(JOB, key="2")
    assert len(fakes.made) == 1


def test_stopping_ends_every_process() -> None:
    fakes = Fakes()
    workers = LocalWorkers(2, executor=fakes)
    workers.submit(JOB, key="1")
    workers.stop()
    workers.stop()

    assert [fake.ended for fake in fakes.made] == [True]


def test_a_process_keeps_its_share_of_the_cores_busy() -> None:
    with _new_executor(1) as executor:
        assert executor.submit(own_cores).result(timeout=60) == 1
    assert own_cores() == available_cores()
