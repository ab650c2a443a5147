"""The OpenAPI 3.1 document, made from the rows of the API (spec.openapis.org/oas/v3.1.0)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from web.api import shapes
from web.api.operation import PREFIX, Operation, Parameter

_WORDS = """\
Everything that people can do with pages, for programs. Sign in with a bearer token: \
`groundswell token create PERSON`, or in your account. Live editing is over WebSockets at \
`/sync/{page id}` (y-websocket's protocol)."""


def document(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """The whole document, ready for JSON."""
    models = _models(operations)
    *found, parts = shapes.schemas(models)
    schemas = dict(zip(models, found, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(PREFIX + one.path, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Groundswell", "version": version, "description": _WORDS},
        "paths": paths,
        "components": {
            "schemas": parts,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _models(operations: Sequence[Operation]) -> list[Any]:
    used = [shape for one in operations for shape in (one.takes, one.gives)]
    named = [shape for shape in used if shape not in (None, "markdown")]
    return list(dict.fromkeys([*named, shapes.Problem]))


def _operation(one: Operation, schemas: dict[Any, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{one.handler.__module__.rsplit('.', 1)[-1]}_{one.handler.__name__}",
        "summary": one.words,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in re.findall(r"{(\w+)}", one.path)
        ]
        + [_parameter(parameter) for parameter in one.parameters],
        "responses": {str(one.status): _response(one.status, one.gives, schemas)},
    }
    for status in sorted({401, *one.fails}):
        told["responses"][str(status)] = _response(status, shapes.Problem, schemas)
    if one.takes is not None:
        told["requestBody"] = {"required": True, "content": _content(one.takes, schemas)}
    if one.may_be_anonymous:
        told["security"] = [{}, {"bearer": []}]
    return told


def _parameter(one: Parameter) -> dict[str, Any]:
    return {
        "name": one.name,
        "in": "header" if one.is_header else "query",
        "required": one.is_required,
        "description": one.words,
        "schema": one.schema,
    }


def _response(status: int, gives: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": _content(gives, schemas)}


def _content(shape: Any, schemas: dict[Any, Any]) -> dict[str, Any]:
    if shape == "markdown":
        return {"text/markdown": {"schema": {"type": "string"}}}
    return {"application/json": {"schema": schemas[shape]}}
