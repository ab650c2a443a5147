"""The OpenAPI document is one, tells of every address, and what it says is what happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.front import Browser, Front, a_front
from web.api.routes import OPERATIONS

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 12  # of each operation, in each of two ways
schemathesis.serializer.alias("text/markdown", "text/plain")


async def the_document(front: Front) -> dict[str, Any]:
    answer = await front.browser().get("/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_the_document_is_openapi_3_1_and_has_every_operation(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        document = await the_document(front)
        schemathesis.openapi.from_dict(document).validate()
        told = {
            (method.upper(), path.removeprefix("/api/v1"))
            for path, methods in document["paths"].items()
            for method in methods
        }
        assert told == {(one.method, one.path) for one in OPERATIONS}
        names = [one["operationId"] for path in document["paths"].values() for one in path.values()]
        assert len(names) == len(set(names))


async def test_a_document_that_is_wrong_would_be_found(tmp_path: Path) -> None:
    async with a_front(tmp_path) as front:
        document = await the_document(front)
        document["paths"]["/api/v1/spaces"]["get"]["responses"] = 7
        with pytest.raises(Exception, match="responses"):
            schemathesis.openapi.from_dict(document).validate()


@pytest.mark.parametrize("mode", list(GenerationMode))
async def test_answers_are_as_the_document_says(tmp_path: Path, mode: GenerationMode) -> None:
    async with a_front(tmp_path) as front:
        program = await front.program(await front.ada_herself())
        document = await the_document(front)
        del document["security"]  # the client that sends has a token, whatever is made up
        for one in (one for path in document["paths"].values() for one in path.values()):
            one.pop("security", None)
        schema = schemathesis.openapi.from_dict(document)
        loop, real = asyncio.get_running_loop(), await real_places(front)

        def try_all() -> None:
            for found in schema.get_all_operations():
                operation = found.ok()
                if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
                    continue  # an address alone is never wrong, only unknown
                places = {name: real[name] for name in real if f"{{{name}}}" in operation.path}
                cases = [operation.as_strategy(mode)]
                if places:
                    cases.append(operation.as_strategy(mode, path_parameters=places))

                @settings(
                    max_examples=EXAMPLES,
                    derandomize=True,
                    database=None,
                    deadline=None,
                    phases=(Phase.explicit, Phase.generate),
                    suppress_health_check=list(HealthCheck),
                )
                @given(st.one_of(cases))
                def conforms(case: Any) -> None:
                    asked = asyncio.run_coroutine_threadsafe(sent(program, case), loop)
                    checks = [*CHECKS]
                    if mode is GenerationMode.NEGATIVE and case.media_type != "text/markdown":
                        checks.append(negative_data_rejection)
                    case.validate_response(asked.result(30), checks=checks)

                conforms()

        await asyncio.to_thread(try_all)


async def real_places(front: Front) -> dict[str, str]:
    where = await front.space()
    made = await front.page(where, text="Words.")
    seen = await front.ada.get(f"/api/v1/pages/{made.id}/revisions")
    newest = seen.json()["revisions"][0]["id"]
    told = await front.ada.client.post(
        f"/api/v1/pages/{made.id}/comments",
        json={"body": "Yes."},
        headers={"X-CSRF-Token": await front.ada.token()},
    )
    places = {"space": "ideas", "page_id": made.id, "comment": told.json()["id"]}
    return {**places, "revision": newest, "moment": newest}


async def sent(program: Browser, case: Any) -> httpx2.Response:
    """What schemathesis would have sent, sent to the application."""
    wanted = requests.Request(**case.as_transport_kwargs(base_url="http://test")).prepare()
    headers = {name: value for name, value in wanted.headers.items() if name != "Content-Length"}
    return await program.client.request(
        str(wanted.method), str(wanted.url), content=wanted.body, headers=headers
    )
