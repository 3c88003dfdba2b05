"""``environment.yml``: ``conda env export`` with and without builds, ``--from-history``, hand-written (CEP 24).

conda-lock's selectors in comments (``# [win]``) and micromamba's selector keys (``sel(win): x``) are read as Linux
would: conda itself ignores the former, so their lines stay; of the latter those for Linux stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from envcheck.errors import SourceError
from envcheck.language import say
from envcheck.model import ChannelReference, Damage, DamageKind, SourceKind
from envcheck.sources.conda_specs import read_spec
from envcheck.sources.document import Document
from envcheck.sources.list_export import header_evidence
from envcheck.sources.pip_lines import read_pip_line
from envcheck.sources.reading import Entry, Reading, damaged, reading_of
from envcheck.sources.yaml_nodes import Mapping, Node, Scalar, Sequence, key_text, parse_yaml

__all__ = ["KIND", "matches", "read"]

KIND = SourceKind.ENVIRONMENT_YAML

#: CEP 24's keys, and ``platforms`` and ``category`` of conda-lock's environment files.
_KNOWN_KEYS = frozenset({"name", "channels", "dependencies", "prefix", "variables", "platforms", "category"})

_TELLING_KEY = re.compile(r"""^[ \t]*["']?(?:dependencies|channels|prefix)["']?[ \t]*:(?:[ \t]|$)""", re.MULTILINE)
_FIRST_KEY = re.compile(r"""\{|(?:---\s*)?["']?[A-Za-z_][\w. -]{0,60}["']?[ \t]*:(?:[ \t]|$)|-[ \t]+[\w"']""")

_SELECTOR_KEY = re.compile(r"sel\((?P<platform>[^)]*)\)")
_SELECTOR_COMMENT = re.compile(r"#[^\[\]#]*\[(?P<selector>[^\[\]]{1,80})\]\s*$")
_SELECTOR_WORD = re.compile(
    r"(?:not|and|or|win|win32|win64|linux|linux32|linux64|unix|osx|osx64|arm64|aarch64|ppc64le|x86|x86_64|emscripten)"
)
#: The selectors that hold on Linux.
_LINUX_SELECTORS = frozenset({"linux", "linux64", "linux-64", "unix"})

#: Words in a channel list that name no conda channel.
_NON_CHANNELS = frozenset({"pypi", "pip", "<unknown>", "unknown", "<pip>"})


def matches(document: Document) -> bool:
    """Whether the text is a YAML mapping: it has a key of an environment, or begins with some other key.

    YAML that is no environment is claimed too, so that `read` can say what it lacks.
    """
    if _TELLING_KEY.search(document.text):
        return True
    first = next((line for _, line in document.numbered() if not line.startswith("#") and line != "---"), "")
    return _FIRST_KEY.match(first) is not None


def read(document: Document) -> Reading:
    """Read an environment file.

    Raises:
        SourceError: It is not valid YAML, or no environment.
    """
    stream = parse_yaml(document.text, document.path)
    root = stream.root
    if not isinstance(root, Mapping):
        raise SourceError(
            say("The YAML is not a mapping with `dependencies`, so it is no environment file."),
            path=document.path,
            hint=say("Export the environment with: conda env export > environment.yml"),
        )
    keys = [key_text(key) for key, _ in root.pairs]
    if not {"dependencies", "channels", "prefix"} & set(keys):
        raise SourceError(
            say("The YAML is no environment file: it has no `dependencies` (its keys: {keys}).", keys=_shown(keys)),
            path=document.path,
            line=root.line,
            hint=say("Export the environment with: conda env export > environment.yml"),
        )
    damage = list(_key_damage(root))
    if stream.second_document_line is not None:
        line = stream.second_document_line
        damage.append(damaged(DamageKind.UNREADABLE_LINE, "---", say("a second YAML document"), line=line))
    entries: list[Entry] = []
    for node in _values(root, "dependencies"):
        entries.extend(_dependencies(node, document.lines))
    damage.extend(_missing_pip(root, entries))
    channels, channel_damage = _channels(root)
    name, name_damage = _single(root, "name")
    prefix, prefix_damage = _single(root, "prefix")
    return reading_of(
        entries,
        environment_name=None if name is None else name.text,
        prefix=None if prefix is None else prefix.text,
        prefix_line=None if prefix is None else prefix.line,
        channels=channels,
        damage=[*damage, *channel_damage, *name_damage, *prefix_damage],
        # The environment files that envcheck writes say what they are for, in the words of conda's own headers.
        evidence=header_evidence(document),
    )


def _shown(keys: list[str]) -> str:
    return ", ".join(key[:40] for key in keys[:5]) + (", ..." if len(keys) > 5 else "")


def _values(root: Mapping, wanted: str) -> list[Node]:
    return [value for key, value in root.pairs if key_text(key) == wanted]


def _single(root: Mapping, wanted: str) -> tuple[Scalar | None, list[Damage]]:
    """The text of a key that should have one; a list with one item in it is read, and reported."""
    damage: list[Damage] = []
    found: Scalar | None = None
    for value in _values(root, wanted):
        if isinstance(value, Scalar):
            found = found if value.null else value
            continue
        items = value.items if isinstance(value, Sequence) else ()
        first = next((item for item in items if isinstance(item, Scalar) and not item.null), None)
        found = first or found
        read_as = None if first is None else first.text
        damage.append(
            damaged(
                DamageKind.UNREADABLE_LINE,
                wanted,
                say("{key}: not a text", key=wanted),
                line=value.line,
                read_as=read_as,
            )
        )
    return found, damage


def _key_damage(root: Mapping) -> Iterator[Damage]:
    seen: set[str] = set()
    for key, value in root.pairs:
        text = key_text(key)
        if text in seen:
            # conda refuses such a file; both values are read, for the user wrote both.
            yield damaged(DamageKind.DUPLICATE_KEY, text, f"{text}:", line=key.line, read_as=say("both are read"))
        elif text not in _KNOWN_KEYS:
            yield damaged(DamageKind.UNKNOWN_KEY, text or "?", f"{text or value.__class__.__name__}:", line=key.line)
        seen.add(text)


def _channels(root: Mapping) -> tuple[tuple[ChannelReference, ...], list[Damage]]:
    channels: list[ChannelReference] = []
    damage: list[Damage] = []
    for value in _values(root, "channels"):
        for node in value.items if isinstance(value, Sequence) else (value,):
            if not isinstance(node, Scalar):
                damage.append(damaged(DamageKind.NON_CHANNEL, "channels", say("not a text"), line=node.line))
            elif node.null or not node.text.strip():
                continue
            elif node.text.strip().lower() in _NON_CHANNELS:
                damage.append(damaged(DamageKind.NON_CHANNEL, node.text.strip(), node.text, line=node.line))
            else:
                channels.append(ChannelReference(text=node.text.strip(), line=node.line))
    asked = next((key for key, _ in root.pairs if key_text(key) == "channels"), None)
    if asked is not None and not channels and not damage:
        damage.append(damaged(DamageKind.NO_CHANNELS, "channels", "channels:", line=asked.line))
    return tuple(channels), damage


def _dependencies(node: Node, lines: tuple[str, ...]) -> Iterator[Entry]:
    """The entries of ``dependencies``: a list as it should be, or a mapping or single text written in its place."""
    if isinstance(node, Sequence):
        for item in node.items:
            yield from _dependencies(item, lines)
    elif isinstance(node, Mapping):
        for key, value in node.pairs:
            yield from _pair(key, value, lines)
    elif not node.null and node.text.strip():
        yield _with_selector(read_spec(node.text, line=node.line), node, lines)


def _pair(key: Node, value: Node, lines: tuple[str, ...]) -> Iterator[Entry]:
    name = key_text(key).strip()
    selector = _SELECTOR_KEY.fullmatch(name)
    if name == "pip":
        yield from _pip_section(value, lines)
    elif selector is not None:
        yield from _selected(selector["platform"].strip(), value, lines)
    elif isinstance(value, Scalar) and name:
        # ``python: 3.8`` for ``python=3.8``, and ``numpy:`` for ``numpy``: conda fails on both.
        version = "" if value.null else value.text.strip()
        constraint = version if version[:1] in ("<", ">", "=", "!", "~") else f"={version}"
        spec = f"{name}{constraint}" if version else name
        entry = read_spec(spec, line=key.line)
        understood = entry.requirement is not None or entry.pip is not None
        text = f"{name}: {version}".rstrip()
        read_as = spec if understood else None
        yield entry.with_damage(damaged(DamageKind.UNREADABLE_LINE, name, text, line=key.line, read_as=read_as))
    else:
        yield Entry(damage=(damaged(DamageKind.UNKNOWN_KEY, name or "?", f"{name}:", line=key.line),))


def _selected(platform: str, value: Node, lines: tuple[str, ...]) -> Iterator[Entry]:
    """Micromamba's ``sel(win): x``; conda itself fails on it."""
    holds = platform.lower() in _LINUX_SELECTORS
    for node in value.items if isinstance(value, Sequence) else (value,):
        text = node.text if isinstance(node, Scalar) else "?"
        damage = damaged(
            DamageKind.SELECTOR,
            text,
            f"sel({platform}): {text}",
            line=node.line,
            read_as=text if holds else None,
        )
        yield Entry(damage=(damage,))
        if holds:
            yield from _dependencies(node, lines)


def _pip_section(value: Node, lines: tuple[str, ...]) -> Iterator[Entry]:
    if isinstance(value, Sequence):
        for item in value.items:
            yield from _pip_section(item, lines)
    elif isinstance(value, Mapping):
        yield Entry(damage=(damaged(DamageKind.UNREADABLE_LINE, "pip", say("a mapping under pip:"), line=value.line),))
    elif not value.null:
        # A block scalar holds several lines; pip gets each as its own.
        for offset, text in enumerate(value.text.split("\n")):
            yield _with_selector(read_pip_line(text, line=value.line + offset), value, lines)


def _with_selector(entry: Entry, node: Scalar, lines: tuple[str, ...]) -> Entry:
    """Report a conda-lock selector in the comment behind an entry; conda ignores it, so the entry stays."""
    line = lines[node.line - 1] if node.line <= len(lines) else ""
    comment = _SELECTOR_COMMENT.search(line)
    if comment is None or (entry.requirement is None and entry.pip is None):
        return entry
    words = re.split(r"[\s()]+", comment["selector"].strip())
    if not all(_SELECTOR_WORD.fullmatch(word) for word in words if word):
        return entry
    text = f"{node.text}  # [{comment['selector']}]"
    subject = entry.requirement.name if entry.requirement is not None else (entry.pip and entry.pip.name) or node.text
    return entry.with_damage(damaged(DamageKind.SELECTOR, subject, text, line=node.line, read_as=node.text))


def _missing_pip(root: Mapping, entries: list[Entry]) -> Iterator[Damage]:
    """A pip section in an environment that does not ask for pip (conda warns and adds it, other tools do not)."""
    if any(entry.requirement is not None and entry.requirement.name == "pip" for entry in entries):
        return
    if not any(entry.pip is not None and entry.pip.origin == "pip section" for entry in entries):
        return
    for node in _values(root, "dependencies"):
        pairs = [pair for item in getattr(node, "items", ()) if isinstance(item, Mapping) for pair in item.pairs]
        pairs.extend(node.pairs if isinstance(node, Mapping) else ())
        for key, _ in pairs:
            if key_text(key).strip() == "pip":
                yield damaged(DamageKind.PIP_SECTION_WITHOUT_PIP, "pip", "pip:", line=key.line, read_as="pip")
                return
