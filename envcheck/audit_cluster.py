"""The checks of an audit on a Dask cluster that is there already (https://distributed.dask.org).

What a worker needs travels with its task, the source's bytes included; envcheck and the engine have to be installed
there in the same versions. Each worker loads the channels as it reaches them, and keeps them in its own cache. A worker
that dies is the scheduler's affair: it hands the task to another one, and gives up only after several have died of it
(``distributed.scheduler.allowed-failures``).
"""

from __future__ import annotations

import contextlib
from concurrent.futures import Executor, Future
from typing import Any

from envcheck.audit_worker import Done, Job, run_job
from envcheck.errors import EngineError
from envcheck.language import say
from envcheck.secrets import mask

__all__ = ["ClusterWorkers"]

_PATIENCE = "30s"
# Tasks in hand for each thread of the cluster: one in work and one that waits for it.
_AHEAD = 2


class ClusterWorkers:
    """The workers of a cluster; see `envcheck.audit_work.Workers`.

    Args:
        address: Of the scheduler (``tcp://host:8786``).

    Raises:
        EngineError: distributed is not installed, or the scheduler does not answer.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise EngineError(
                say("--scheduler needs Dask's distributed"), hint=say("Install it: pip install 'envcheck[dask]'")
            ) from None
        library: Any = distributed  # whose functions have no types
        try:
            self._client: Any = library.Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, ImportError) as error:
            raise EngineError(
                say(
                    "the scheduler at {address} does not answer ({name})",
                    address=mask(address),
                    name=type(error).__name__,
                ),
                hint=say("Name one that runs, such as tcp://127.0.0.1:8786."),
            ) from None
        # Each task has a key of its own, so that distributed need not look into its arguments for one.
        self._executor: Executor = self._client.get_executor(pure=False)

    @property
    def places(self) -> int:
        """Enough for every thread that the cluster has at the moment."""
        threads: int = sum(self._client.nthreads().values())
        return _AHEAD * max(1, threads)

    def submit(self, job: Job, *, key: str) -> Future[Done]:
        """Hand a check to the scheduler; see `envcheck.audit_work.Workers.submit`."""
        # Another run's task of the same key would be another one's: its worker may have loaded older channels.
        return self._executor.submit(run_job, job, key=f"envcheck-{key[:32]}-{job.run}")  # type: ignore[call-arg]

    def stop(self) -> None:
        """Give up what is not done, and leave the cluster as it was."""
        with contextlib.suppress(Exception):
            self._executor.shutdown(wait=False)
        with contextlib.suppress(Exception):
            self._client.close(timeout="5s")
