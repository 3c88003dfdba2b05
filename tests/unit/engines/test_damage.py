"""Damaged stores: a question is put again after a reload, and not without end."""

from __future__ import annotations

import pytest

from envcheck.engines.damage import answer_despite_damage, refuse_less
from envcheck.engines.record_store import StoreDamagedError
from envcheck.errors import ChannelError, EngineError
from envcheck.model import Channel, ChannelState, ChannelStatus


@pytest.mark.parametrize("damages", [0, 1, 2])
def test_an_answer_comes_after_as_many_reloads_as_it_takes(damages: int) -> None:
    reloads: list[None] = []

    def ask() -> int:
        if len(reloads) < damages:
            raise StoreDamagedError("torn")
        return 5

    assert answer_despite_damage(ask, lambda: reloads.append(None)) == 5
    assert len(reloads) == damages


def test_damage_without_end_is_an_error_of_envchecks_own() -> None:
    reloads: list[None] = []

    def ask() -> int:
        raise StoreDamagedError("torn")

    with pytest.raises(EngineError, match="did not help") as found:
        answer_despite_damage(ask, lambda: reloads.append(None))
    assert len(reloads) == 2
    assert "--cache-dir" in str(found.value.hint)


def status(name: str, state: ChannelState) -> ChannelStatus:
    return ChannelStatus(channel=Channel(name=name, url=f"https://c/{name}", locations=()), state=state, detail="why")


def test_fewer_channels_than_before_are_refused() -> None:
    loaded, partly = status("a", ChannelState.LOADED), status("b", ChannelState.NO_SUBDIR)
    absent, silent = status("c", ChannelState.NOT_FOUND), status("a", ChannelState.UNREACHABLE)
    refuse_less([loaded, partly, absent], [loaded, partly, absent])
    refuse_less([absent], [status("c", ChannelState.LOADED)])
    with pytest.raises(ChannelError, match="a: why"):
        refuse_less([loaded, partly, absent], [silent, partly, absent])
