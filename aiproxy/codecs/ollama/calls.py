"""Tool calls on the wire: the arguments are an object, and the id is often missing."""

from collections.abc import Mapping

from aiproxy.codecs.arguments import RAW, as_object, as_text
from aiproxy.codecs.fields import restore
from aiproxy.codecs.ollama.notes import ARGUMENTS, INDEX, MADE_ID, TYPE, note, riding
from aiproxy.codecs.ollama.table import NAME
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import ToolCallPart


def read_call(found: Json, made_id: str) -> ToolCallPart:
    """`made_id` is for a call without one. Raises `ValueError` for what isn't a call."""
    function = found.get("function") if isinstance(found, dict) else None
    if not isinstance(function, dict) or not isinstance(name := function.get("name"), str) or not name:
        raise ValueError("must be an object whose `function` has a name")
    arguments, call_id, index = function.get("arguments"), found.get("id"), function.get("index")
    if not isinstance(arguments, dict | str | None) or not isinstance(call_id, str | None):
        raise ValueError("must have an object of arguments, and a string for its id")
    notes: dict[str, Json] = {}
    if not call_id:
        notes[MADE_ID] = "empty" if call_id == "" else "absent"
    if isinstance(arguments, str) or (arguments and RAW in arguments):
        notes[ARGUMENTS] = arguments
    notes[INDEX] = index if type(index) is int else "absent"
    if found.get("type") == "function":
        notes[TYPE] = "function"
    text = arguments if isinstance(arguments, str) else "" if arguments is None else as_text(arguments)
    return ToolCallPart(call_id or made_id, name, text, extensions=_extensions(found, function, notes))


def _extensions(found: Mapping[str, Json], function: Mapping[str, Json], notes: Mapping[str, Json]) -> Extensions:
    known = {"id"} if found.get("id") is not None else set()
    known |= {"function", *(("type",) if TYPE in notes else ())}
    inner_known = {"name", *(("index",) if type(function.get("index")) is int else ())}
    if function.get("arguments") is not None:
        inner_known.add("arguments")
    rest = {key: value for key, value in found.items() if key not in known}
    if inner := {key: value for key, value in function.items() if key not in inner_known}:
        rest["function"] = inner
    return riding(rest, (), notes)


def write_call(call: ToolCallPart) -> dict[str, Json]:
    """As it came by this codec."""
    function: dict[str, Json] = {"name": call.name}
    written: dict[str, Json] = {"function": function}
    if (made := note(call.extensions, MADE_ID)) is None:
        written["id"] = call.call_id
    elif made == "empty":
        written["id"] = ""
    if type(index := note(call.extensions, INDEX)) is int:
        function["index"] = index
    if note(call.extensions, TYPE) is not None:
        written["type"] = "function"
    if (arguments := note(call.extensions, ARGUMENTS)) is not None:
        function["arguments"] = arguments
    elif call.arguments_text:
        function["arguments"] = as_object(call.arguments_text)[0]
    restore(call.extensions, NAME, written)
    return written


def call_object(call_id: str, index: int, name: str, arguments: Mapping[str, Json]) -> dict[str, Json]:
    """A call from elsewhere; some protocols' old ones have no id."""
    function = {"index": index, "name": name, "arguments": arguments}
    return {"id": call_id, "function": function} if call_id else {"function": function}
