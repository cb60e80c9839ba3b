"""Two requests are one by their content, whatever they are called; a request id belongs to one content and name."""

from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest
from google.protobuf import json_format

from server.converters.identity import Identity, identity_of

WHOLE = {"requestId": "r", "label": "l", "optimizationId": "o", "confidenceLevel": 0.9}


def identity(**changes: Any) -> Identity[OptimizeRequest]:
    request = json_format.ParseDict({**WHOLE, **changes}, OptimizeRequest())
    return identity_of(request, "optimization_id")


def test_the_bare_request_has_neither_ids_nor_label() -> None:
    assert json_format.MessageToDict(identity().bare) == {"confidenceLevel": 0.9}


def test_the_request_itself_is_not_changed() -> None:
    request = json_format.ParseDict(WHOLE, OptimizeRequest())
    identity_of(request, "optimization_id")
    assert (request.request_id, request.label, request.optimization_id) == ("r", "l", "o")


@pytest.mark.parametrize(
    ("change", "same_content", "same_body"),
    [
        ({"requestId": "other"}, True, True),
        ({"label": "other"}, True, False),
        ({"optimizationId": "other"}, True, False),
        ({"label": "", "optimizationId": ""}, True, False),
        ({"confidenceLevel": 0.8}, False, False),
    ],
)
def test_what_changes_a_hash(change: dict[str, Any], same_content: bool, same_body: bool) -> None:
    one, other = identity(), identity(**change)
    assert (one.content == other.content, one.body == other.body) == (same_content, same_body)


def test_label_and_id_are_not_mistaken_for_each_other() -> None:
    assert identity(label="a", optimizationId="").body != identity(label="", optimizationId="a").body


def test_without_names_both_hashes_are_one() -> None:
    bare = identity(label="", optimizationId="")
    assert bare.body == bare.content


def test_fields_that_do_not_count() -> None:
    requests = [OptimizeRequest(validate_only=yes) for yes in (False, True)]
    first, second = (identity_of(request, "optimization_id", "validate_only") for request in requests)
    assert first.content == second.content
    plain = [identity_of(request, "optimization_id").content for request in requests]
    assert plain[0] != plain[1]
