"""YAML's parser events under bounds, before anything is made of them.

What composes and constructs (PyYAML, libyaml's binding above all, whose composer recurses without a check) can be made
to overflow the stack by nesting and to fill the memory by aliases ("billion laughs"). Events cost neither: they come
one by one, as the text is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from envcheck.language import say
from envcheck.limits import MAX_LINE_LENGTH, MAX_YAML_DEPTH, MAX_YAML_EVENTS

if TYPE_CHECKING:
    import yaml

__all__ = ["UnboundedYamlError", "bounded_events", "safe_loader"]


class UnboundedYamlError(Exception):
    """The YAML has more of something than is read.

    Args:
        problem: What it has too much of: a sentence without its full stop, for others to go on with.
        line: The 1-based line on which it becomes too much.
    """

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def safe_loader() -> Any:
    """PyYAML's safe loader: libyaml's, which is ten times as fast and which source builds of PyYAML may lack."""
    import yaml

    return yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def bounded_events(
    text: str, *, most: int = MAX_YAML_EVENTS, aliases: int = 0, longest: int | None = MAX_LINE_LENGTH
) -> Iterator[yaml.Event]:
    """The events of a text.

    Args:
        text: YAML.
        most: How many events there may be.
        aliases: How many of them may be aliases.
        longest: How long a scalar may be; ``None`` for any length. Long numbers take long to be made.

    Raises:
        UnboundedYamlError: There is more, deeper nesting than `MAX_YAML_DEPTH`, or a number that no reader takes.
        yaml.YAMLError: The text is no YAML.
    """
    import yaml

    depth = seen = count = 0
    try:
        for event in yaml.parse(text, Loader=safe_loader()):
            count += 1
            line = None if event.start_mark is None else event.start_mark.line + 1
            if count > most:
                raise UnboundedYamlError(say("The YAML has more than {count} values", count=format(most, ",")), line)
            if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                depth += 1
                if depth > MAX_YAML_DEPTH:
                    problem = say("The YAML is nested more than {count} levels deep", count=MAX_YAML_DEPTH)
                    raise UnboundedYamlError(problem, line)
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                depth -= 1
            elif isinstance(event, yaml.AliasEvent):
                seen += 1
                if seen > aliases:
                    problem = (
                        say("The YAML uses more than {count} aliases (*name)", count=aliases)
                        if aliases
                        else say("The YAML uses an alias (*name)")
                    )
                    raise UnboundedYamlError(problem, line)
            elif isinstance(event, yaml.ScalarEvent) and longest is not None and len(event.value) > longest:
                problem = say("The YAML has a value of {count} characters", count=format(len(event.value), ","))
                raise UnboundedYamlError(problem, line)
            yield event
    except (ValueError, OverflowError) as error:
        # PyYAML's own scanner makes numbers of directives and escapes without looking at them first.
        problem = say("The YAML has a number or a character that there is not")
        raise UnboundedYamlError(problem, None) from error
