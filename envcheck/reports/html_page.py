"""One HTML page in one file: its templates, its style and script written into it, and what it may load (nothing).

Every value that a template shows passes `shown` and is escaped, so that no template can forget to: credentials are
hidden, control and bidirectional characters stand as code points. The Content-Security-Policy
(https://www.w3.org/TR/CSP3/) names the hashes of the page's own style and script and allows nothing else: even if
some text of a source became markup, it could neither run nor load anything.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from typing import TYPE_CHECKING, Any

from envcheck.language import ENGLISH, language, say, tell, tell_plural, told
from envcheck.reports.groups import SEVERITY_WORDS, verdict_word
from envcheck.reports.plain import plain
from envcheck.secrets import mask

if TYPE_CHECKING:
    import jinja2

__all__ = ["page", "shown"]


def page(template: str, **values: Any) -> str:
    """A page as text, with a final newline.

    Args:
        template: The name of its template.
        values: What the template shows.
    """
    from markupsafe import Markup

    environment = _environment()
    style, script = (_resource(environment, name) for name in ("report.css", "report.js"))
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    # Both are files of this package; neither holds a word of an input.
    trusted = {"style": Markup(style), "script": Markup(script), "policy": Markup(policy)}  # noqa: S704
    spoken = {"html_language": _HTML_LANGUAGES[language()], "words": _script_words()}
    return environment.get_template(template).render(**trusted, **spoken, **values).rstrip("\n") + "\n"


_HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def _script_words() -> str:
    """An attribute with the words of the page's script in the language that is spoken; nothing in English."""
    from markupsafe import Markup

    if language() == ENGLISH:
        return ""
    words = {
        "Light colours": tell("Light colours"),
        "Dark colours": tell("Dark colours"),
        "Copy": tell("Copy"),
        "Copied": tell("Copied"),
        "Selected": tell("Selected"),
        "Selected, ready to be copied": tell("Selected, ready to be copied"),
        "All {whole} {noun} shown": say("All {whole} {noun} shown", whole="{whole}", noun="{noun}"),
        "{shown} of {whole} {noun} shown": say(
            "{shown} of {whole} {noun} shown", shown="{shown}", whole="{whole}", noun="{noun}"
        ),
        "Sorted by {name}, ascending": say("Sorted by {name}, ascending", name="{name}"),
        "Sorted by {name}, descending": say("Sorted by {name}, descending", name="{name}"),
    }
    document = json.dumps({english: told(word) for english, word in words.items()}, ensure_ascii=False)
    return Markup(' data-words="{}"').format(document)


def shown(value: Any) -> Any:
    """A value as a template may show it: text without credentials and without invisible characters.

    Markup, which only this package's own templates make, and what is no text stay as they are.
    """
    from markupsafe import Markup

    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    masked = mask(value)
    # What is printable has nothing for `plain` to replace, and asking is faster.
    return masked if masked.isprintable() else plain(masked)


@functools.cache
def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("envcheck.reports"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "_": tell,
        "_n": tell_plural,
        "verdict_word": verdict_word,
        "severity_word": lambda severity: told(SEVERITY_WORDS[severity]),
    }
    return environment


def _resource(environment: jinja2.Environment, name: str) -> str:
    """A file beside the templates, its lines ended as HTML ends them: a browser hashes what it has parsed."""
    loader = environment.loader
    return "" if loader is None else loader.get_source(environment, name)[0].replace("\r\n", "\n")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
