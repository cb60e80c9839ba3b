"""Frames, and what is done with those that are none."""

import pytest

from server.ports.errors import StorageUnavailable
from server.ports.scope import Scope
from server.storage.supabase.frames import ForeignRow, Frame, require_owner


def frame(header: bytes, contents: bytes = b"") -> bytes:
    return len(header).to_bytes(4, "big") + header + contents


def test_contents_are_taken_one_after_the_other() -> None:
    found = Frame(frame('{"é": [3, null]}'.encode(), b"abcdef"))
    assert found.header == {"é": [3, None]}
    assert [found.take(3), found.take(0), found.take(3)] == [b"abc", b"", b"def"]
    with pytest.raises(StorageUnavailable, match="incomplete"):
        found.take(1)


@pytest.mark.parametrize("data", [b"", b"\0\0", b"\0\0\0\0", b"\0\0\0\5null", frame(b"null")[:-1], b"\xff" * 9])
def test_an_incomplete_answer_is_refused(data: bytes) -> None:
    with pytest.raises(StorageUnavailable, match="incomplete"):
        Frame(data)


def test_a_row_of_another_owner_is_refused() -> None:
    require_owner({"owner": "users/a"}, Scope("users/a"))
    require_owner({"owner": "users/b"}, Scope("users/a", everyone=True))
    with pytest.raises(ForeignRow):
        require_owner({"owner": "users/b"}, Scope("users/a"))
