"""Values that can be shared: frozen, slotted, keyword-only, tuples inside."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import types
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

from envcheck import model
from envcheck.model import (
    Channel,
    ChannelState,
    ChannelStatus,
    EngineInfo,
    Environment,
    Export,
    Plan,
    Report,
    SourceKind,
    Target,
    Verdict,
)

TYPES = [
    value
    for name in model.__all__
    if inspect.isclass(value := getattr(model, name)) and not issubclass(value, enum.Enum)
]
ENUMS = [
    value for name in model.__all__ if inspect.isclass(value := getattr(model, name)) and issubclass(value, enum.Enum)
]
SHARED = (str, int, bool, type(None), *ENUMS, *TYPES)
"""What a field may hold, besides tuples of it."""


def leaves(annotation: object) -> Iterator[object]:
    """The types that an annotation is made of, tuples and unions taken apart."""
    origin = typing.get_origin(annotation)
    if origin in (tuple, typing.Union, types.UnionType):
        for argument in typing.get_args(annotation):
            if argument is not Ellipsis:
                yield from leaves(argument)
    else:
        yield annotation


def test_all_lists_every_type_that_a_module_of_it_defines() -> None:
    modules = [value for value in vars(model).values() if inspect.ismodule(value)]
    defined = {
        name
        for module in modules
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }

    assert len(modules) == len(list(Path(model.__file__).parent.glob("[!_]*.py")))
    assert set(model.__all__) == defined | {"Outcome"}
    assert list(model.__all__) == sorted(model.__all__)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_is_a_frozen_slotted_keyword_only_dataclass(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert "__dict__" not in dir(kind)
    assert all(field.kw_only for field in dataclasses.fields(kind))
    assert all(name in kind.__slots__ for name in (field.name for field in dataclasses.fields(kind)))


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_fields_hold_nothing_that_can_change(kind: type) -> None:
    hints = typing.get_type_hints(kind)

    assert [
        (field.name, leaf)
        for field in dataclasses.fields(kind)
        for leaf in leaves(hints[field.name])
        if leaf not in SHARED
    ] == []


@pytest.mark.parametrize("kind", [*TYPES, *ENUMS], ids=lambda kind: kind.__name__)
def test_every_type_says_what_it_is(kind: type) -> None:
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_values_of_enumerations_are_their_names_in_lower_case(kind: type[enum.Enum]) -> None:
    assert [member.value for member in kind] == [member.name.lower().replace("_", "-") for member in kind]


def test_the_locations_of_a_channel_are_not_shown() -> None:
    one = Channel(name="x", url="https://host.example/x", locations=("https://me:secret@host.example/x",))

    assert "secret" not in repr(one)


@pytest.mark.parametrize("state", list(ChannelState))
def test_a_report_is_complete_unless_a_channel_could_not_be_read(state: ChannelState) -> None:
    channel = Channel(name="x", url="https://host.example/x", locations=())
    report = Report(
        envcheck_version="0",
        export=Export(path="x", kind=SourceKind.LIST_EXPORT, encoding="utf-8"),
        environment=Environment(platform="linux-64", name="x", requirements=(), pip=()),
        target=Target(platform="linux-64", virtual_packages=(), channels=(channel,)),
        engine=EngineInfo(name="rattler", version="0"),
        verdict=Verdict.READY,
        findings=(),
        plan=Plan(),
        channel_statuses=(ChannelStatus(channel=channel, state=state),),
    )

    assert report.complete is (state in (ChannelState.LOADED, ChannelState.NO_SUBDIR, ChannelState.NOT_FOUND))
