"""The options of a command line apart from its other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from envcheck.docker.shell import Word

__all__ = ["Parsed", "last", "parse"]


_BARE = {
    **dict.fromkeys(("-y", "--yes", "--assume-yes"), "yes"),
    "--override-channels": "override",
    "--strict-channel-priority": "strict",
    "--no-channel-priority": "no-priority",
    **dict.fromkeys(("--dry-run", "-d"), "dry"),
    "--all": "all",
}


@dataclass(slots=True)
class Parsed:
    """Options and positional words of one command."""

    values: list[tuple[str, Word]] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)
    positional: list[Word] = field(default_factory=list)


def parse(words: Sequence[Word], takes: Mapping[str, str]) -> Parsed:
    """Options apart from positional words; ``-yn base``, ``-nbase`` and ``--name=base`` are all understood."""
    parsed = Parsed()
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        text = word.text
        if not text.startswith("-") or text == "-":
            if text:
                parsed.positional.append(word)
            continue
        name, equals, value = text.partition("=")
        if name in takes:
            if equals:
                parsed.values.append((takes[name], replace(word, text=value)))
            elif position < len(words):
                parsed.values.append((takes[name], words[position]))
                position += 1
        elif text.startswith("--") or len(text) == 2:
            parsed.flags.add(_BARE.get(name, name))
        else:
            position = _cluster(word, words, position, takes, parsed)
    return parsed


def _cluster(word: Word, words: Sequence[Word], position: int, takes: Mapping[str, str], parsed: Parsed) -> int:
    """Short options in one word; the first that takes a value takes the rest."""
    letters = word.text[1:]
    for index, letter in enumerate(letters):
        option = f"-{letter}"
        if option in takes:
            rest = letters[index + 1 :].removeprefix("=")
            if rest:
                parsed.values.append((takes[option], replace(word, text=rest)))
            elif position < len(words):
                parsed.values.append((takes[option], words[position]))
                position += 1
            return position
        parsed.flags.add(_BARE.get(option, option))
    return position


def last(parsed: Parsed, key: str) -> Word | None:
    """The value of an option, of several the last; ``None`` where it is not given."""
    return next((word for name, word in reversed(parsed.values) if name == key), None)
