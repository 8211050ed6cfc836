"""The OpenAPI document of the management API, made from its table of routes. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy import __version__
from aiproxy.web.management.routes import Route

CLIPROXYAPIS = "CLIProxyAPI"
"""The tag of what tools written for CLIProxyAPI ask."""

OURS = "aiproxy"

_VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")

_ERROR = {
    "type": "object",
    "required": ["error", "code", "request_id"],
    "properties": {name: {"type": "string"} for name in ("error", "code", "request_id")},
}


def document(root: str, routes: Sequence[Route]) -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_VARIABLE.sub(r"{\2}", root + route.path), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "aiproxy management", "version": __version__},
        "security": [{"key": []}, {"header": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-Management-Key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "aiproxy_session"},
            },
            "schemas": {"Error": _ERROR},
        },
    }


def _operation(route: Route) -> Mapping[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for _, name in _VARIABLE.findall(route.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}
        for name, words in route.query.items()
    ]
    told: dict[str, Any] = {
        "summary": route.words,
        "tags": [CLIPROXYAPIS if route.theirs else OURS],
        "responses": {
            "200": {"description": "Done.", "content": {route.gives: {}}},
            "default": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if parameters:
        told["parameters"] = parameters
    if route.takes:
        fields = {name: {"description": words} for name, words in route.takes.items()}
        told["requestBody"] = {"content": {route.reads: {"schema": {"type": "object", "properties": fields}}}}
    elif route.reads != "application/json":
        told["requestBody"] = {"required": True, "content": {route.reads: {}}}
    if route.open:
        told["security"] = []
    return told
