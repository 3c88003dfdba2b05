"""``conda envcheck …``: envcheck as a subcommand of conda, where both are installed in conda's own environment.

conda finds this module by the entry point of the group ``conda``, imports it at each of its own starts, and calls the
hook; nothing of envcheck imports it, and envcheck does not need conda
(https://docs.conda.io/projects/conda/en/stable/dev-guide/plugins/subcommands.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from conda.plugins import hookimpl
from conda.plugins.types import CondaSubcommand

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
    before: dict[int, Any] = {}
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def handle(name: str, handler: Callable[[int, Any], None]) -> None:
        number = getattr(signal, name, None)
        # What conda's parent has set to be ignored stays so (nohup).
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, handler)

    def send_on(number: int, _frame: Any) -> None:
        if process is None:
            early.append(number)
        else:
            process.send_signal(number)

    try:
        # A terminal sends its interrupt to both, and envcheck has something to say to it. An exception here could come
        # when the status has just been collected, and lose it.
        handle("SIGINT", lambda *_: None)
        # One that ended conda while envcheck is being started would leave envcheck behind.
        for name in ("SIGTERM", "SIGHUP"):
            handle(name, send_on)
        with subprocess.Popen([sys.executable, "-c", program, *arguments]) as process:  # noqa: S603  # envcheck's own
            for number in early:
                process.send_signal(number)
            status = process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
