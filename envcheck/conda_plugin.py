"""``conda envcheck …``: envcheck as a subcommand of conda, where both are installed in conda's own environment.

conda finds this module by the entry point of the group ``conda``, imports it at each of its own starts, and calls the
hook; nothing of envcheck imports it, and envcheck does not need conda
(https://docs.conda.io/projects/conda/en/stable/dev-guide/plugins/subcommands.html).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from conda.plugins import hookimpl
from conda.plugins.types import CondaSubcommand

if TYPE_CHECKING:
    from subprocess import Popen

__all__ = ["conda_subcommands"]


@hookimpl  # type: ignore[untyped-decorator]  # conda is nowhere that mypy looks
def conda_subcommands() -> Iterable[CondaSubcommand]:
    """The one subcommand; without a parser of its own, conda hands over whatever follows its name."""
    yield CondaSubcommand(
        name="envcheck",
        summary="Will this conda environment build on Linux? Every reason at once, and the closest one that does.",
        action=_run,
    )


def _run(arguments: tuple[str, ...]) -> int:
    """Run envcheck's command line in a process of its own, to its end.

    In conda's process it would share the signals, the global state of libmambapy and the end of the process, which
    envcheck cuts short (see `envcheck.cli.main`), with conda and its other plugins.

    Args:
        arguments: What the user typed after ``conda envcheck``.

    Returns:
        envcheck's exit status, 128 and its number where a signal ended it.
    """
    import signal
    import subprocess
    import sys

    # Neither `-m` nor `-c` may look for modules in the working directory first, which is the user's and not envcheck's.
    program = "import sys; sys.path[:] = [place for place in sys.path if place]; from envcheck.cli import main; main()"
    before = {}
    with subprocess.Popen([sys.executable, "-c", program, *arguments]) as process:  # noqa: S603  # envcheck's own
        try:
            for name in ("SIGTERM", "SIGHUP"):
                number = getattr(signal, name, None)
                if number is not None:
                    before[number] = signal.signal(number, lambda got, _: process.send_signal(got))
            status = _wait(process)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return status if status >= 0 else 128 - status


def _wait(process: Popen[bytes]) -> int:
    """Wait for the end, beyond an interrupt: a terminal sends it to both, and envcheck has something to say to it."""
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # noqa: PERF203
            continue
