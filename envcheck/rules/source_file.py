"""Findings 1xx: the file itself."""

from __future__ import annotations

from collections.abc import Iterator

from envcheck.language import say
from envcheck.model import DamageKind, Remedy, RemedyAction, Severity, SourceKind
from envcheck.rules.facts import Draft, Facts

__all__ = [
    "console_paste",
    "duplicate_key",
    "encoding",
    "foreign_prefix",
    "misleading_name",
    "nothing_asked",
    "unknown_key",
    "unreadable_line",
]

_SAVE_AS_UTF8 = Remedy(
    action=RemedyAction.EDIT, summary=say("save the file as UTF-8, or use the one that envcheck writes")
)


def encoding(facts: Facts) -> Iterator[Draft]:
    """The file is not UTF-8, so conda, mamba and pip on Linux cannot read it.

    PowerShell's ``>`` writes UTF-16, and some editors write the system's own code page. conda reads UTF-8 and stops
    with a decoding error or, worse, with a message about the first package.

    Fix: save the file as UTF-8, or export with ``conda env export --file environment.yml`` instead of ``>``.
    """
    name = facts.export.encoding
    remark = next((one.text for one in facts.export.damage if one.kind is DamageKind.UNUSUAL_ENCODING), None)
    if name in ("utf-8", "ascii") and remark is None:
        return
    if name == "utf-8-bom":
        yield Draft(
            severity=Severity.WARNING,
            subject=say("encoding"),
            message=say("the file starts with a byte order mark, which some tools take for part of the first line"),
            line=1,
            remedies=(_SAVE_AS_UTF8,),
        )
        return
    yield Draft(
        severity=Severity.ERROR,
        subject=say("encoding"),
        message=say(
            "{remark}; conda and pip on Linux read UTF-8", remark=remark or say("the file is {name}", name=name.upper())
        ),
        line=1,
        remedies=(_SAVE_AS_UTF8,),
    )


def misleading_name(facts: Facts) -> Iterator[Draft]:
    """The file's name speaks of one platform and its content of another.

    A file called ``environment_windows.yml`` may hold a Linux or macOS export. envcheck goes by the content; people and
    build scripts often go by the name.

    Fix: rename the file after what it holds, or export it again where its name says.
    """
    claims, platform = facts.export.name_claims, facts.export.platform
    if claims is None or platform is None or platform.split("-")[0] == claims:
        return
    evidence = facts.export.evidence[0] if facts.export.evidence else None
    because = say(" ({reason})", reason=evidence.reason) if evidence is not None else ""
    yield Draft(
        severity=Severity.WARNING,
        subject=say("file name"),
        message=say(
            "the file name speaks of {claims}, but the content is from {platform}{because}",
            claims=claims,
            platform=platform,
            because=because,
        ),
        line=evidence.line if evidence is not None else None,
        remedies=(
            Remedy(action=RemedyAction.EDIT, summary=say("rename the file after {platform}", platform=platform)),
        ),
    )


def unreadable_line(facts: Facts) -> Iterator[Draft]:
    """A line is neither a requirement nor a comment; envcheck left it out.

    conda stops at such a line. Nothing is guessed from it.

    Fix: correct or remove the line.
    """
    for damage in facts.export.damage:
        if damage.kind is DamageKind.UNREADABLE_LINE:
            yield Draft(
                severity=Severity.ERROR,
                subject=damage.subject,
                message=say("cannot be read as a requirement: {text!r}", text=damage.text),
                line=damage.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("correct or remove the line")),),
            )


def unknown_key(facts: Facts) -> Iterator[Draft]:
    """The YAML has a key that conda does not know (CEP 24).

    conda ignores it, with a warning at most. Whatever stands below it is not installed, which is seldom what was meant.

    Fix: correct the key's spelling or remove it.
    """
    for damage in facts.export.damage:
        if damage.kind is DamageKind.UNKNOWN_KEY:
            yield Draft(
                severity=Severity.WARNING,
                subject=damage.subject,
                message=say("conda does not know the key {subject!r} and ignores it", subject=damage.subject),
                line=damage.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("correct or remove the key")),),
            )


def duplicate_key(facts: Facts) -> Iterator[Draft]:
    """The YAML has a key twice.

    conda's reader keeps one of them and drops the other without a word, so that half of a list may go missing.

    Fix: merge the two.
    """
    for damage in facts.export.damage:
        if damage.kind is DamageKind.DUPLICATE_KEY:
            yield Draft(
                severity=Severity.WARNING,
                subject=damage.subject,
                message=say("the key {subject!r} stands twice; conda uses only one of them", subject=damage.subject),
                line=damage.line,
                remedies=(Remedy(action=RemedyAction.EDIT, summary=say("merge the two")),),
            )


def console_paste(facts: Facts) -> Iterator[Draft]:
    """The file is a paste of a console with its prompts, which no installer reads.

    envcheck reads the table in it and leaves the prompts out.

    Fix: use the environment file that envcheck writes.
    """
    first = next((damage for damage in facts.export.damage if damage.kind is DamageKind.CONSOLE_PASTE), None)
    if first is not None:
        yield Draft(
            severity=Severity.WARNING,
            subject=say("console paste"),
            message=say("the file is a paste of a console, prompts included; no installer reads it"),
            line=first.line,
            remedies=(Remedy(action=RemedyAction.EDIT, summary=say("use the environment file that envcheck writes")),),
        )


def foreign_prefix(facts: Facts) -> Iterator[Draft]:
    """The file names the exporter's directory (``prefix:``), which does not exist in an image.

    conda ignores it when ``-n`` or ``-p`` is given and otherwise tries to create that very path. envcheck drops it.

    Fix: remove the line.
    """
    prefix = facts.export.prefix
    if prefix is None or facts.export.kind is not SourceKind.ENVIRONMENT_YAML:
        return
    yield Draft(
        severity=Severity.INFO,
        subject="prefix",
        message=say("the file names a directory of the machine it was exported on; it is dropped"),
        remedies=(Remedy(action=RemedyAction.EDIT, summary=say("remove the prefix line")),),
    )


_TAKES_NOTHING_AWAY = frozenset(
    {
        DamageKind.NO_CHANNELS,
        DamageKind.NON_CHANNEL,
        DamageKind.PIP_SECTION_WITHOUT_PIP,
        DamageKind.UNKNOWN_KEY,
        DamageKind.UNUSUAL_ENCODING,
    }
)


def nothing_asked(facts: Facts) -> Iterator[Draft]:
    """The file asks for no package, so that its environment would be empty.

    conda makes such an environment without a word. Mostly a list was left empty, or the export was taken from an
    environment with nothing in it.

    Fix: list the packages, or export the environment that was meant.
    """
    export = facts.export
    # What could not be read has findings of its own, and mostly something was asked for there.
    if export.requirements or export.pip or any(one.kind not in _TAKES_NOTHING_AWAY for one in export.damage):
        return
    yield Draft(
        severity=Severity.INFO,
        subject=say("packages"),
        message=say("the file asks for no package: what is made from it is empty"),
        remedies=(
            Remedy(
                action=RemedyAction.EDIT,
                summary=say("list the packages, or export the environment that was meant"),
            ),
        ),
    )
