"""`aiproxy-config log …`: what becomes of a prompt log."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from aiproxy.codecs import openai_chat
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.neutral.errors import GatewayError
from aiproxy.registry import PROTOCOLS
from aiproxy.secrets import Secret
from aiproxy_config.formats import counted
from aiproxy_config.options import one_sentence


@click.group()
def log() -> None:
    """Make use of what `prompt-log` wrote."""


@log.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--format", "form", type=click.Choice(["openai-jsonl"]), default="openai-jsonl", show_default=True)
@one_sentence
def export(files: tuple[Path, ...], form: str) -> None:  # noqa: ARG001 - the only one there is
    """Make a data set for training and evaluation of FILEs (prompts.jsonl and its rotated predecessors, the oldest first): one
    conversation a line, as OpenAI's fine-tuning takes them, whichever protocol the client spoke. Calls that failed, or whose answer
    is not whole, are left out."""
    taken = left = 0
    for entry in _entries(files):
        example = _example(entry)
        if example is None:
            left += 1
        else:
            taken += 1
            sys.stdout.write(orjson.dumps(example).decode() + "\n")
    click.echo(f"{counted(taken, 'conversation')} exported, {left} left out.", err=True)


def _entries(files: tuple[Path, ...]) -> Iterator[dict[str, Any]]:
    for path in files:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    entry = orjson.loads(line)
                except orjson.JSONDecodeError:
                    raise click.ClickException(f"{path}: line {number} is not JSON") from None
                if not isinstance(entry, dict) or "request" not in entry:
                    raise click.ClickException(f"{path}: line {number} is not of a prompt log")
                yield entry


def _example(entry: dict[str, Any]) -> dict[str, Any] | None:
    """None for a call that nothing can be learnt from."""
    answer, codec = entry.get("answer"), PROTOCOLS.get(entry.get("protocol", ""))
    if codec is None or not isinstance(answer, dict) or not answer.get("whole") or "text" not in answer:
        return None
    operation = entry.get("operation", "")
    incoming = Incoming(
        orjson.dumps(entry["request"]), model=entry.get("model"), operation=operation if operation != "chat" else ""
    )
    sealer = Sealer(Secret("nothing is sealed"))
    try:
        request = codec.decode_request(incoming, sealer, Report())
        asked = openai_chat.CODEC.encode_request(Exchange(request, sealer, entry.get("request_id", ""), codec.name))
    except GatewayError:
        return None
    body = orjson.loads(asked.body)
    said: dict[str, Any] = {"role": "assistant", "content": answer["text"] or None}
    if calls := answer.get("tool_calls"):
        said["tool_calls"] = [
            {
                "id": call["id"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in calls
        ]
    example: dict[str, Any] = {"messages": [*body["messages"], said]}
    if tools := body.get("tools"):
        example["tools"] = tools
    return example
