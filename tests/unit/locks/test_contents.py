from __future__ import annotations

from dataclasses import replace

import pytest

from envcheck.locks.contents import LockError, require_lockable
from tests.unit.locks.making import conda


@pytest.mark.parametrize(("sha256", "listable"), [("a" * 64, True), (None, False)])
def test_an_explicit_list_is_offered_only_where_it_can_be_written(sha256: str | None, *, listable: bool) -> None:
    package = replace(conda("old"), md5=None, sha256=sha256)

    with pytest.raises(LockError, match="old") as raised:
        require_lockable([package, conda("new")], hashes=("md5",))

    assert ("explicit list" in (raised.value.hint or "")) is listable
