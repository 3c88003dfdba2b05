"""The languages that envcheck speaks to people: sentences that know how they were made, and their translation.

A sentence of a finding is a `Message`: English text like any other, with the template and the arguments it was made
of. Whoever compares, stores or prints it as English has a ``str``. A report for people that is wanted in another
language looks the template up in the catalogue of that language (gettext's, in ``envcheck/locale``) and fills in the
arguments again. Rules and other makers of facts `say`; whatever writes to a person has `tell`.

Which language is spoken is set at the edge alone, with `speaking` or `speak`. JSON, JSON Lines, SARIF and JUnit are
always English: other programs read them. No catalogue is opened as long as the language is English.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from gettext import NullTranslations

__all__ = [
    "ENGLISH",
    "LANGUAGES",
    "Argument",
    "Message",
    "clause",
    "in_language",
    "joined",
    "language",
    "language_of",
    "message_document",
    "message_from_document",
    "messages_in",
    "plural",
    "say",
    "speak",
    "speaking",
    "tell",
    "tell_plural",
    "told",
    "translation",
    "with_messages",
]

ENGLISH = "en"
LANGUAGES = (ENGLISH, "zh")
"""The languages that there are; the first is the one that the program is written in."""

_SPOKEN: ContextVar[str] = ContextVar("envcheck_language", default=ENGLISH)

Argument = str | int | float | None
"""What a template may hold; a `Message` among them is translated in turn."""

_T = TypeVar("_T")


class Message(str):
    """A sentence in English that can be told in another language.

    It is the English text: equal to it, hashed like it, written to JSON like it. What is cut out of it is a ``str``
    without the rest. Two messages put together with ``+`` are a message.
    """

    template: str
    many: str | None
    number: int
    arguments: tuple[tuple[str, Argument], ...]

    __slots__ = ("arguments", "many", "number", "template")

    def __add__(self, other: str) -> Message:
        return joined("", (self, other)) if other else self

    def __radd__(self, other: str) -> Message:
        return joined("", (other, self)) if other else self

    def __reduce__(self) -> tuple[object, ...]:
        return _made, (self.template, self.many, self.number, self.arguments)


def _made(template: str, many: str | None, number: int, arguments: tuple[tuple[str, Argument], ...]) -> Message:
    message = Message((template if many is None or number == 1 else many).format_map(dict(arguments)))
    message.template, message.many, message.number, message.arguments = template, many, number, arguments
    return message


def say(template: str, /, **arguments: Argument) -> Message:
    """A message.

    Args:
        template: English with named places as `str.format` has them; always a literal, as translators find it in the
            source.
        arguments: What goes into the places.
    """
    return _made(template, None, 1, tuple(arguments.items()))


def plural(count: int, one: str, many: str, /, **arguments: Argument) -> Message:
    """A message about a number of things, which is ``{count}`` in the templates.

    Args:
        count: The number.
        one: The template for one thing.
        many: The template for any other number.
        arguments: What else goes into the places.
    """
    return _made(one, many, count, (("count", count), *arguments.items()))


def joined(separator: str, parts: Iterable[str]) -> Message:
    """Some parts in a row, each translated by itself.

    Args:
        separator: What stands between them; ``", "``, ``"; "`` and the like are translated, too.
        parts: Messages and other texts; empty ones are kept, as `str.join` keeps them.
    """
    pieces = tuple(parts)
    if not separator:
        return _made("".join(f"{{part{number}}}" for number in range(len(pieces))), None, 1, _numbered(pieces))
    template = "{separator}".join(f"{{part{number}}}" for number in range(len(pieces)))
    return _made(template, None, 1, (("separator", say(separator)), *_numbered(pieces)))


def clause(sentence: str) -> str:
    """A sentence without its full stop, as it stands within another one: a message stays one.

    Args:
        sentence: A message or another text; where it ends with an argument, the full stop of that is left out.
    """
    if not isinstance(sentence, Message):
        return sentence.rstrip(".")
    arguments = tuple(
        (name, clause(value) if isinstance(value, str) and sentence.template.endswith(f"{{{name}}}") else value)
        for name, value in sentence.arguments
    )
    many = None if sentence.many is None else sentence.many.removesuffix(".")
    return _made(sentence.template.removesuffix("."), many, sentence.number, arguments)


def _numbered(pieces: Sequence[str]) -> tuple[tuple[str, Argument], ...]:
    return tuple((f"part{number}", piece) for number, piece in enumerate(pieces))


# ---------------------------------------------------------------------------------------------------------------------
# Telling
# ---------------------------------------------------------------------------------------------------------------------


def language() -> str:
    """The language that is spoken now."""
    return _SPOKEN.get()


def speak(name: str) -> None:
    """Speak a language of `LANGUAGES` from now on."""
    _SPOKEN.set(name)


@contextlib.contextmanager
def speaking(name: str) -> Iterator[None]:
    """Speak a language of `LANGUAGES` for a while."""
    token = _SPOKEN.set(name)
    try:
        yield
    finally:
        _SPOKEN.reset(token)


def told(text: str) -> str:
    """A text in the language that is spoken: a message is translated, any other text is what it is."""
    spoken = _SPOKEN.get()
    if spoken == ENGLISH or not isinstance(text, Message):
        return text
    return _translated(text, _catalogue(spoken))


def tell(template: str, /, **arguments: Argument) -> str:
    """What `say` says, in the language that is spoken."""
    return told(say(template, **arguments))


def tell_plural(count: int, one: str, many: str, /, **arguments: Argument) -> str:
    """What `plural` says, in the language that is spoken."""
    return told(plural(count, one, many, **arguments))


def translation(text: str) -> str:
    """A fixed text of the program (help, the documentation of a rule) in the language that is spoken."""
    spoken = _SPOKEN.get()
    return text if spoken == ENGLISH or not text else _catalogue(spoken).gettext(text)


def in_language(value: _T) -> _T:
    """A value whose messages are told, however deep in tuples and dataclasses they are; in English the value itself.

    What leaves the program in another language goes through here once, at the beginning of its page.
    """
    return value if _SPOKEN.get() == ENGLISH else _mapped(value, told)


def _mapped(value: _T, function: Callable[[str], str]) -> _T:
    """A value with what a function makes of each of its texts; what does not change stays the very object."""
    import dataclasses

    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return function(value)  # type: ignore[return-value]  # a str for a str
    if isinstance(value, tuple):
        items = tuple(_mapped(item, function) for item in value)
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value  # type: ignore[return-value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changes = {
            field.name: new
            for field in dataclasses.fields(value)
            if field.init and (new := _mapped(old := getattr(value, field.name), function)) is not old
        }
        return dataclasses.replace(value, **changes) if changes else value
    return value


def _translated(message: Message, catalogue: NullTranslations) -> str:
    arguments = {
        name: _translated(value, catalogue) if isinstance(value, Message) else value
        for name, value in message.arguments
    }
    template = _template(message.template, message.many, message.number, catalogue)
    if template in (message.template, message.many):
        # Catalogues have a `clause` as the sentence that it was.
        many = None if message.many is None else f"{message.many}."
        sentence = _template(f"{message.template}.", many, message.number, catalogue)
        if sentence not in (f"{message.template}.", many):
            template = sentence.rstrip(".\u3002")
    return template.format_map(arguments)


def _template(one: str, many: str | None, number: int, catalogue: NullTranslations) -> str:
    if many is not None:
        return catalogue.ngettext(one, many, number)
    # The empty text stands for the catalogue's own heading.
    return catalogue.gettext(one) if one else ""


@cache
def _catalogue(name: str) -> NullTranslations:
    from gettext import translation as found_translation
    from pathlib import Path

    return found_translation("envcheck", Path(__file__).parent / "locale", [name])


# ---------------------------------------------------------------------------------------------------------------------
# Keeping
# ---------------------------------------------------------------------------------------------------------------------


def message_document(message: Message) -> list[object]:
    """How a message was made, as JSON holds it; `message_from_document` reads it."""
    arguments = [
        [name, {"message": message_document(value)} if isinstance(value, Message) else value]
        for name, value in message.arguments
    ]
    return [message.template, message.many, message.number, arguments]


def message_from_document(document: Sequence[object]) -> Message:
    """The message that `message_document` gave.

    Raises:
        KeyError, TypeError, ValueError, IndexError: The document is none of them.
    """
    template, many, number, arguments = document
    if not isinstance(template, str) or not isinstance(number, int) or not isinstance(arguments, list):
        raise TypeError("no message")
    if many is not None and not isinstance(many, str):
        raise TypeError("no message")
    return _made(template, many, number, tuple((name, _argument(value)) for name, value in arguments))


def messages_in(value: object) -> dict[str, Message]:
    """The messages of a value, however deep they are, by their English."""
    found: dict[str, Message] = {}

    def note(text: str) -> str:
        if isinstance(text, Message):
            found[str(text)] = text
        return text

    _mapped(value, note)
    return found


def with_messages(value: _T, messages: Mapping[str, Message]) -> _T:
    """A value whose texts are messages again, if they were among those of `messages_in`."""
    return _mapped(value, lambda text: messages.get(text, text)) if messages else value


def _argument(value: object) -> Argument:
    if isinstance(value, dict):
        return message_from_document(value["message"])
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError("no argument of a message")


# ---------------------------------------------------------------------------------------------------------------------
# Choosing
# ---------------------------------------------------------------------------------------------------------------------


def language_of(environ: Mapping[str, str], system: str | None = None) -> str:
    """The language that the user's locale asks for, in gettext's order.

    The locale is the first of ``LC_ALL``, ``LC_MESSAGES`` and ``LANG`` that is not empty. ``LANGUAGE``, a list, goes
    before it, except where it is ``C`` or ``POSIX`` (https://www.gnu.org/software/gettext/manual/html_node/
    Locale-Environment-Variables.html). There is one Chinese, which is written in simplified characters; it is spoken
    in every Chinese locale.

    Args:
        environ: The environment variables.
        system: The locale of the system, for when no variable says anything.

    Returns:
        One of `LANGUAGES`.
    """
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    if locale in ("C", "POSIX"):
        return ENGLISH
    asked = [*environ.get("LANGUAGE", "").split(":"), locale or system or ""]
    return next((name for one in asked if (name := _known(one)) is not None), ENGLISH)


def _known(locale: str) -> str | None:
    """The language of a locale such as ``zh_CN.UTF-8``, or of Windows' ``Chinese (Simplified)_China``."""
    word = locale.replace("-", "_").partition(".")[0].partition("@")[0].partition("_")[0].lower()
    if word.startswith("chinese"):
        return "zh"
    return word if word in LANGUAGES else None
