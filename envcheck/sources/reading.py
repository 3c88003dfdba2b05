"""What a dialect reader returns, and the pieces it is put together from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from envcheck.model import ChannelReference, Damage, DamageKind, Evidence, PipRequirement, Requirement

__all__ = ["Entry", "Reading", "channels_in_order", "damaged", "reading_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one line of a source came to: a conda requirement, a pip requirement, damage, or several of them."""

    requirement: Requirement | None = None
    pip: PipRequirement | None = None
    damage: tuple[Damage, ...] = ()

    def with_damage(self, *damage: Damage) -> Entry:
        """The same entry with more damage, put before what was there."""
        return Entry(requirement=self.requirement, pip=self.pip, damage=(*damage, *self.damage))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything that a dialect's reader found; `envcheck.sources.read_source` makes an `Export` of it.

    ``evidence`` holds only what this dialect alone can see (a header, a prompt); what follows from names, builds,
    prefix and references is added for all dialects by `envcheck.sources.platform`.
    """

    environment_name: str | None = None
    prefix: str | None = None
    prefix_line: int | None = None
    channels: tuple[ChannelReference, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    pip: tuple[PipRequirement, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    damage: tuple[Damage, ...] = ()


def damaged(kind: DamageKind, subject: str, text: str, *, line: int, read_as: str | None = None) -> Damage:
    """A `Damage`, with its text cut to a length that can be shown."""
    shown = text if len(text) <= 200 else f"{text[:197]}..."
    return Damage(kind=kind, subject=subject, line=line, text=shown, read_as=read_as)


def channels_in_order(
    requirements: Iterable[Requirement], *, unnamed: str | None = None
) -> tuple[ChannelReference, ...]:
    """The channels that rows name, in order of first appearance.

    Args:
        requirements: Rows with their channel as written.
        unnamed: What a row without a channel comes from (``defaults`` in conda's table), if that is known.
    """
    seen: dict[str, ChannelReference] = {}
    for requirement in requirements:
        text = requirement.channel or unnamed
        if text is not None:
            seen.setdefault(text, ChannelReference(text=text, line=requirement.line))
    return tuple(seen.values())


def reading_of(
    entries: Iterable[Entry],
    *,
    environment_name: str | None = None,
    prefix: str | None = None,
    prefix_line: int | None = None,
    channels: tuple[ChannelReference, ...] = (),
    evidence: Iterable[Evidence] = (),
    damage: Iterable[Damage] = (),
) -> Reading:
    """Sort entries into a `Reading`; damage is put in the order of lines."""
    kept = tuple(entries)
    every_damage = [*damage, *(item for entry in kept for item in entry.damage)]
    return Reading(
        environment_name=environment_name,
        prefix=prefix,
        prefix_line=prefix_line,
        channels=channels,
        requirements=tuple(entry.requirement for entry in kept if entry.requirement is not None),
        pip=tuple(entry.pip for entry in kept if entry.pip is not None),
        evidence=tuple(evidence),
        damage=tuple(sorted(every_damage, key=lambda item: item.line)),
    )
