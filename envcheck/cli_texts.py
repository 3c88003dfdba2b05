"""``envcheck normalize`` and ``envcheck rules``: what is told without loading or solving anything."""

from __future__ import annotations

import click

from envcheck.cli_language import Command
from envcheck.cli_support import emit
from envcheck.completion import codes, files, platforms
from envcheck.language import tell, translation

__all__ = ["normalize", "rules"]


@click.command(cls=Command)
@click.argument("source", metavar="SOURCE", shell_complete=files)
@click.option("-p", "--platform", default="linux-64", show_default=True, metavar="SUBDIR", shell_complete=platforms)
@click.option("--keep-variants", is_flag=True, help="Keep cuda/mkl/cpu builds as constraints.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="Write to a file instead of standard output.")
def normalize(source: str, platform: str, keep_variants: bool, output: str | None) -> int:
    """Write the cleaned environment.yml only: nothing is loaded and nothing solved.

    \b
    Example:
      envcheck normalize requirements.txt > environment.yml
    """
    from envcheck.cli_input import read
    from envcheck.normalize import normalize as normalize_export
    from envcheck.outputs import normalized_text
    from envcheck.sources import read_source

    environment = normalize_export(read_source(read(source), source), platform, keep_variants=keep_variants)
    emit(normalized_text(environment), output, data=True)
    return 0


@click.command(cls=Command)
@click.argument("code", required=False, shell_complete=codes)
def rules(code: str | None) -> int:
    """Say what each finding means, or all about one.

    \b
    Example:
      envcheck rules EC402
    """
    from inspect import cleandoc

    from envcheck.rules.documented import DOCUMENTED_RULES, find_rule

    if code is None:
        emit("".join(f"{rule.code}  {translation(rule.title)}\n" for rule in DOCUMENTED_RULES), None)
        return 0
    found = find_rule(code)
    if found is None:
        raise click.UsageError(tell("There is no finding {code!r}; 'envcheck rules' lists them.", code=code))
    title, documentation = translation(found.title), translation(cleandoc(found.documentation))
    emit(tell("{code}: {title}", code=found.code, title=title) + f"\n\n{documentation}\n", None)
    return 0
