"""The normalized environment.yml (CEP 24): what a person keeps and edits, readable by conda, mamba and pixi."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.locks.contents import split_dependency
from envcheck.locks.scalars import scalar_text
from envcheck.secrets import strip_secrets

__all__ = ["DEFAULT_FILENAME", "FORMAT", "render"]

FORMAT = "environment-yaml"
DEFAULT_FILENAME = "environment.linux-64.yml"


def render(
    name: str,
    *,
    channels: Sequence[str],
    specs: Sequence[str],
    pip: Sequence[str] = (),
    platform: str | None = None,
) -> str:
    """An environment file, as text, with everything in the order given.

    A pip section needs pip: it is added where no spec asks for it, because conda would add it too, with a warning.

    Args:
        name: The environment's name.
        channels: Channel names or URLs in order of priority; credentials are taken off.
        specs: MatchSpecs (``numpy 1.26.*``), one per package.
        pip: The lines of the pip section.
        platform: What the file is for, said in a comment like conda's own, which envcheck reads back.
    """
    lines = [] if platform is None else [f"# platform: {platform}"]
    lines.append(f"name: {scalar_text(name)}")
    if channels:
        lines.append("channels:")
        lines += [f"  - {scalar_text(strip_secrets(channel))}" for channel in channels]
    dependencies = list(specs)
    if pip and all(split_dependency(spec)[0] != "pip" for spec in specs):
        dependencies.append("pip")
    if not dependencies:
        # A key without a value would be null, which conda refuses.
        lines.append("dependencies: []")
        return "\n".join(lines) + "\n"
    lines.append("dependencies:")
    lines += [f"  - {scalar_text(spec)}" for spec in dependencies]
    if pip:
        lines.append("  - pip:")
        lines += [f"      - {scalar_text(line)}" for line in pip]
    return "\n".join(lines) + "\n"
