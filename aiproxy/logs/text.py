"""Lines for people: time, level, who, what. On a terminal the day is left out and the level coloured.

What comes from outside can't draw on the terminal or fake a line: control characters are shown as escapes, and the further
lines of a text are indented."""

import time

from aiproxy.logs.record import Record

_COLOURS = {"debug": "2", "info": "32", "warn": "33", "error": "31", "critical": "1;31"}
"""Select Graphic Rendition: faint, green, yellow, red, bold red."""

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}

_INDENT = "\n    "


def as_text(record: Record, *, terminal: bool) -> str:
    local = time.localtime(record.time)
    clock = time.strftime("%H:%M:%S" if terminal else "%Y-%m-%d %H:%M:%S", local)
    level = f"{record.level:<5}"
    if terminal:
        level = f"\x1b[{_COLOURS[record.level]}m{level}\x1b[0m"
    said = record.message
    request_id = record.fields.get("request_id")
    if isinstance(request_id, str) and request_id not in said:
        said = f"{said} [{request_id}]"
    trace_id = record.fields.get("trace_id")
    if isinstance(trace_id, str) and trace_id not in said:
        said = f"{said} trace={trace_id}"
    if record.traceback:
        said = f"{said}\n{record.traceback}" if said else record.traceback
    if not said.isprintable():
        said = said.translate(_CONTROL).replace("\n", _INDENT)
    return f"{clock}.{int(record.time % 1 * 1000):03d} {level} {record.logger.removeprefix('aiproxy.')}: {said}\n"
