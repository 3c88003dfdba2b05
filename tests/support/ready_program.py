"""The program, loaded once and forked for each run: what a run does is its own, what loading costs is shared.

More than half of the work of a short run of ``python -m envcheck`` is the loading of modules, and tests run it a
thousand times. A run from here is a process of its own all the same, with arguments, directory, environment, streams,
signals and an end of its own; only the modules are there already. What is settled when Python starts (the seed of
hashes, the locale, the encoding of streams, where modules are looked for) is that of the first process, so runs that
are about it have to be started in the ordinary way.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["AVAILABLE", "end", "run"]

ROOT = Path(__file__).parents[2]

AVAILABLE = sys.platform == "linux"
"""Elsewhere there is no ``fork``, or libraries of the system that do not survive one."""

LOADED = (
    "asyncio",
    "concurrent.futures.thread",
    "cyclonedx.model.component",
    "jinja2",
    "msgspec.json",
    "packaging.metadata",
    "pysat.examples.rc2",
    "rapidfuzz.process",
    "rattler",
    "requests",
    "rich.console",
    "rich.padding",
    "rich.progress",
    "rich.table",
    "tree_sitter_bash",
    "yaml",
)
"""What the program loads only once it needs it. Nothing of it starts a thread; libmambapy is left out, since it may."""

LEFT_OUT = ("envcheck.__main__", "envcheck.conda_plugin", "envcheck.engines.libmamba")

NUMBER = struct.Struct("!i")
DESCRIPTORS = 5
"""What comes with a request: where to answer, what to run, and the three streams."""


def run(
    arguments: Sequence[str | bytes], *, directory: Path, environment: Mapping[str, str], data: bytes, timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """Run ``envcheck`` to its end, as `subprocess.run` does with captured output.

    Raises:
        subprocess.TimeoutExpired: It did not end in time, and was killed.
    """
    request = {
        "arguments": [os.fsdecode(one) for one in arguments],
        "directory": str(directory),
        "environment": dict(environment),
    }
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(4)]
        asked, given, output, errors = files
        asked.write(json.dumps(request).encode())
        given.write(data)
        for file in files:
            file.seek(0)
        answers, answer = socket.socketpair()
        with answers, answer:
            descriptors = [answer.fileno(), *(file.fileno() for file in files)]
            socket.send_fds(_ready_program().requests, [b"?"], descriptors)
            answer.close()
            status = _status(answers, arguments, timeout)
        for file in (output, errors):
            file.seek(0)
        return subprocess.CompletedProcess(["envcheck", *arguments], status, output.read(), errors.read())


def _status(answers: socket.socket, arguments: Sequence[str | bytes], timeout: float) -> int:
    """How a run ended, as `subprocess.Popen.returncode` tells it."""
    with answers.makefile("rb") as stream:
        answers.settimeout(timeout)
        (process,) = NUMBER.unpack(stream.read(NUMBER.size))
        try:
            (status,) = NUMBER.unpack(stream.read(NUMBER.size))
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["envcheck", *map(str, arguments)], timeout) from None
    return os.waitstatus_to_exitcode(status)


@functools.cache
def _ready_program() -> _ReadyProgram:
    return _ReadyProgram()


class _ReadyProgram:
    """The process that is forked; it leaves when this one does."""

    def __init__(self) -> None:
        self.requests, other = socket.socketpair()
        with other:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.ready_program", str(other.fileno())],
                cwd=ROOT,
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )


def end() -> None:
    """Have the process that is forked leave, where there is one."""
    if _ready_program.cache_info().currsize:
        _ready_program().requests.close()
        _ready_program().process.wait()
        _ready_program.cache_clear()


def _serve(requests: socket.socket) -> None:
    """Fork for every request, until there is nobody to make any; returns in a run, and there only once it is over."""
    kept = 0
    while True:
        message, descriptors, *_ = socket.recv_fds(requests, 1, DESCRIPTORS)
        if not message:
            break
        if os.fork() == 0:
            requests.close()
            _keep(*descriptors)
            return
        kept += 1
        for descriptor in descriptors:
            os.close(descriptor)
        # Their time is counted as this process's own.
        while kept and os.waitpid(-1, os.WNOHANG)[0]:
            kept -= 1
    for _ in range(kept):
        os.wait()


def _keep(answer: int, asked: int, *streams: int) -> None:
    """Start a run, and tell its number and, when it is over, how it ended."""
    process = os.fork()
    if process == 0:
        os.close(answer)
        with open(asked, encoding="utf-8") as file:
            request = json.load(file)
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        _become(request["arguments"], request["directory"], request["environment"])
        return
    os.write(answer, NUMBER.pack(process))
    status = os.waitpid(process, 0)[1]
    # Whoever has killed it does not wait for the answer.
    with contextlib.suppress(BrokenPipeError):
        os.write(answer, NUMBER.pack(status))
    os._exit(0)


def _become(arguments: list[str], directory: str, environment: dict[str, str]) -> None:
    """Be ``python -m envcheck``; its `SystemExit` goes up to the end of this process."""
    # As Python sets it where no locale is set (PEP 538).
    locale = {name: os.environ[name] for name in ("LC_CTYPE",) if name in os.environ}
    os.environ.clear()
    os.environ.update({**locale, **environment})
    time.tzset()
    os.chdir(directory)
    tempfile.tempdir = None  # found anew, with the run's own TMPDIR
    sys.path[0] = directory
    sys.argv[1:] = arguments
    runpy.run_module("envcheck", run_name="__main__", alter_sys=True)


def _load() -> None:
    """Load everything that a run may need."""
    import envcheck

    inside = [module.name for module in pkgutil.walk_packages(envcheck.__path__, "envcheck.")]
    for name in (*LOADED, *inside):
        if not name.startswith(LEFT_OUT):
            # What an extra of the package brings need not be there.
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    _load()
    with socket.socket(fileno=int(sys.argv[1])) as made:
        _serve(made)
