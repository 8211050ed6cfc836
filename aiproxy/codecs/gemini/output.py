"""What form the answer takes: `responseMimeType` with one of two kinds of schema.

Source: Gemini API, structured output."""

from collections.abc import Mapping

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.report import Report
from aiproxy.codecs.schema import VALUE, convert, lower_types
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import OutputFormat

FIELDS = ("responseMimeType", "responseSchema", "responseJsonSchema")

_JSON = "application/json"


def decode_format(config: Mapping[str, Json]) -> OutputFormat | None:
    """None when nothing is said that we have a word for (`text/x.enum`, both schemas at once)."""
    kind, *schemas = (config.get(name) for name in FIELDS)
    given = [schema for schema in schemas if schema is not None]
    if given:
        if kind not in (None, _JSON) or len(given) > 1 or not isinstance(given[0], dict):
            return None
        return OutputFormat("json_schema", schema=lower_types(given[0]))
    if kind == _JSON:
        return OutputFormat("json_object")
    return OutputFormat("text") if kind == "text/plain" else None


def plain_format(wanted: OutputFormat) -> dict[str, Json]:
    """What a Gemini client would have written."""
    match wanted.kind:
        case "text":
            return {"responseMimeType": "text/plain"}
        case "json_object":
            return {"responseMimeType": _JSON}
        case "json_schema":
            return {"responseMimeType": _JSON, "responseJsonSchema": dict(wanted.schema or {})}


def encode_format(wanted: OutputFormat, can: Capabilities, report: Report) -> dict[str, Json]:
    if wanted.kind == "text":
        return {}
    if wanted.kind == "json_schema" and can.json_schema is False:
        report.emulate("output_format.json_schema")
    if wanted.kind == "json_object" or can.json_schema is False:
        return {"responseMimeType": _JSON}
    if can.json_schema_tools is not False:
        schema = convert(wanted.schema, "gemini-json", tool=False).schema
        return {"responseMimeType": _JSON, "responseJsonSchema": schema or {}}
    converted = convert(wanted.schema, "gemini", tool=False)
    schema = converted.schema or {}
    # Google's Schema takes any root for an answer, so that there is nothing to wrap and the reply comes as it was asked for.
    return {"responseMimeType": _JSON, "responseSchema": schema["properties"][VALUE] if converted.wrapped else schema}
