"""Readers of exports, one module per dialect, and the table that tells them apart.

What kind a source is follows from its content alone; its name only counts as a claim that the content may contradict.
Bytes come in and an `Export` goes out: nothing is opened, followed, executed or asked.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.limits import MAX_ROWS
from envcheck.model import Damage, DamageKind, Export, SourceKind
from envcheck.sources import (
    conda_lock,
    environment_yaml,
    explicit,
    list_export,
    list_json,
    list_table,
    pip_freeze,
    pixi_lock,
)
from envcheck.sources.document import Document, document_of
from envcheck.sources.encoding import Decoded, decode
from envcheck.sources.platform import gather_evidence, infer_platform, name_claims
from envcheck.sources.reading import Reading, damaged

__all__ = ["DIALECTS", "Dialect", "read_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One kind of source: how it is recognized, and how it is read once it is."""

    kind: SourceKind
    matches: Callable[[Document], bool]
    read: Callable[[Document], Reading]


#: Every dialect, in the order of asking: what has an unmistakable mark first, what is told by counting lines last.
DIALECTS: tuple[Dialect, ...] = (
    Dialect(kind=list_json.KIND, matches=list_json.matches, read=list_json.read),
    Dialect(kind=conda_lock.KIND, matches=conda_lock.matches, read=conda_lock.read),
    Dialect(kind=pixi_lock.KIND, matches=pixi_lock.matches, read=pixi_lock.read),
    Dialect(kind=explicit.KIND, matches=explicit.matches, read=explicit.read),
    Dialect(kind=list_table.KIND, matches=list_table.matches, read=list_table.read),
    Dialect(kind=environment_yaml.KIND, matches=environment_yaml.matches, read=environment_yaml.read),
    Dialect(kind=list_export.KIND, matches=list_export.matches, read=list_export.read),
    Dialect(kind=pip_freeze.KIND, matches=pip_freeze.matches, read=pip_freeze.read),
)

_DOCKERFILE = re.compile(r"^FROM[ \t]+\S+", re.MULTILINE | re.IGNORECASE)
_KNOWN_KINDS_HINT = say(
    "Known are environment.yml, conda list (plain, --export, --explicit, --json), pip freeze, conda-lock.yml and "
    "pixi.lock; write one with: conda list --export > requirements.txt"
)


def read_source(data: bytes, path: str) -> Export:
    """Read an export of any known kind.

    Args:
        data: The whole file; at most `envcheck.limits.MAX_BYTES`.
        path: Its name as the user gave it, for messages and for what the name claims; it is not opened.

    Returns:
        Everything the source says, with damage reported and the platform it comes from inferred.

    Raises:
        SourceError: The bytes are no text, or the text is no export of a known kind.
    """
    decoded = decode(data, path)
    document = document_of(decoded.text, path)
    dialect = next((dialect for dialect in DIALECTS if dialect.matches(document)), None)
    if dialect is None:
        hint = _KNOWN_KINDS_HINT
        if _DOCKERFILE.search(document.text):
            hint = say("It looks like a Dockerfile; it is checked with: envcheck docker {path}", path=shlex.quote(path))
        raise SourceError(say("This is no export of a known kind."), path=path, hint=hint)
    reading = dialect.read(document)
    if len(reading.requirements) + len(reading.pip) > MAX_ROWS:
        raise SourceError(
            say("The file has more than {most} packages; no environment has.", most=format(MAX_ROWS, ",")),
            path=path,
        )
    evidence = gather_evidence(reading, document)
    return Export(
        path=path,
        kind=dialect.kind,
        encoding=decoded.encoding,
        environment_name=reading.environment_name,
        prefix=reading.prefix,
        channels=reading.channels,
        requirements=reading.requirements,
        pip=reading.pip,
        platform=infer_platform(evidence),
        name_claims=name_claims(path),
        evidence=evidence,
        damage=(*_encoding_damage(decoded), *_console_damage(document, dialect.kind), *reading.damage),
    )


def _encoding_damage(decoded: Decoded) -> tuple[Damage, ...]:
    if decoded.remark is None:
        return ()
    kind = DamageKind.UNUSUAL_ENCODING
    return (damaged(kind, decoded.encoding, decoded.remark, line=1, read_as=decoded.encoding),)


def _console_damage(document: Document, kind: SourceKind) -> tuple[Damage, ...]:
    """One report for all prompts of a paste."""
    if not document.prompts:
        return ()
    first = document.prompts[0]
    return (damaged(DamageKind.CONSOLE_PASTE, "console prompt", first.text, line=first.line, read_as=kind.value),)
