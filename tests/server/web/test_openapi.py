"""The document of the methods describes the requests and answers that the pages show, which are real."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from absfinance.v1.optimization_service_pb2 import OptimizeRequest

from scripts.documented_calls import CALL, MORE, Call, documents, shown_documents
from server.web.methods import Method, all_methods
from server.web.openapi import openapi_document
from tests.conftest import ROOT
from tests.docs.test_pages import CALLED

jsonschema = pytest.importorskip("jsonschema")
METHODS = all_methods()
UNARY = [method for method in METHODS.values() if method.is_unary]
DOCUMENT: Mapping[str, Any] = json.loads(openapi_document(METHODS.values()))


def validator(schema: Mapping[str, Any]) -> Any:
    """Of a schema of the document; its references are those of the document."""
    return jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def of_requests(method: Method) -> Any:
    return validator(DOCUMENT["paths"][method.path]["post"]["requestBody"]["content"]["application/json"]["schema"])


def of_answers(method: Method) -> Any:
    return validator(
        DOCUMENT["paths"][method.path]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    )


def shown() -> Iterator[tuple[Method, Any, Any]]:
    """The unary calls of the pages: method, request and answer."""
    for page in CALLED:
        for found in CALL.finditer((ROOT / page).read_text()):
            call = Call(found[1])
            method = METHODS[f"/{call.method}"]
            if method.is_unary:
                [request], [answer] = documents(call.data({})), shown_documents(found[2])
                yield method, request, answer


def test_the_document_has_every_unary_method_and_schemas_that_are_such() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert list(DOCUMENT["paths"]) == [method.path for method in UNARY]
    names = {operation["post"]["operationId"] for operation in DOCUMENT["paths"].values()}
    assert len(names) == len(UNARY)
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = {part.split('"')[0] for part in json.dumps(DOCUMENT).split('"#/components/schemas/')[1:]}
    assert references <= set(DOCUMENT["components"]["schemas"])


def test_what_the_pages_show_is_what_the_document_describes() -> None:
    seen, whole = set(), 0
    for method, request, answer in shown():
        seen.add(method.path)
        of_requests(method).validate(request)
        if MORE not in json.dumps(answer):
            of_answers(method).validate(answer)
            whole += 1
    assert len(seen) >= 30
    assert whole >= 20


@pytest.mark.parametrize(
    "wrong", [{"constraint": []}, {"constraints": {}}, {"moments": {"symbols": [1]}}, {"riskMeasure": "NONE"}, []]
)
def test_what_is_refused_is_not_described(wrong: Any) -> None:
    [method] = [method for method in UNARY if method.request is OptimizeRequest]
    assert not of_requests(method).is_valid(wrong)
