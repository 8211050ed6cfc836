"""Legacy completions: as `chat`, but prompts for messages and nothing but text. A prompt of token ids is heard as nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aiproxy.providers.demo.chat import MOST_CHOICES, MOST_TOKENS
from aiproxy.providers.demo.faults import Send
from aiproxy.providers.demo.reading import flag, integer, invalid, stops
from aiproxy.providers.demo.script import Script
from aiproxy.providers.demo.wire import DONE, json_event
from aiproxy.providers.demo.words import cut_at, say, tokens

DEFAULT_TOKENS = 16
"""`max_tokens` when absent (OpenAI API reference, completions)."""

MOST_PROMPTS = 128
"""Prompts of one request."""


@dataclass(frozen=True, slots=True)
class Choice:
    pieces: Sequence[str]
    finish: str


@dataclass(frozen=True, slots=True)
class Completion:
    id: str
    created: int
    model: str
    choices: Sequence[Choice]
    prompt_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        written = sum(len(choice.pieces) for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": self.prompt_tokens + written,
        }


def complete(body: Mapping[str, Any], script: Script, serial: int, now: float) -> Completion:
    prompts, prompt_tokens = _prompts(body.get("prompt"))
    limit = integer(body, "max_tokens", 1, MOST_TOKENS) or DEFAULT_TOKENS
    stopped, echo = stops(body), flag(body, "echo")
    choices = []
    for prompt in prompts:
        needed = tokens(cut_at(say(script, prompt), stopped))
        spoken = [*(tokens(prompt) if echo else ()), *needed[:limit]]
        choice = Choice(spoken, "length" if len(needed) > limit else "stop")
        choices += [choice] * (integer(body, "n", 1, MOST_CHOICES) or 1)
    return Completion(f"cmpl-demo{serial}", int(now), str(body["model"]), choices, prompt_tokens)


def _prompts(prompt: Any) -> tuple[Sequence[str], int]:
    """The prompts, and the tokens in them."""
    match prompt:
        case None:
            return [""], 0
        case str():
            return [prompt], len(tokens(prompt))
        case [str(), *_] if len(prompt) <= MOST_PROMPTS and all(isinstance(one, str) for one in prompt):
            return prompt, sum(len(tokens(one)) for one in prompt)
        case [int(), *_] if all(isinstance(one, int) for one in prompt):
            return [""], len(prompt)
        case [list(), *_] if len(prompt) <= MOST_PROMPTS and all(isinstance(one, list) for one in prompt):
            return [""] * len(prompt), sum(len(one) for one in prompt)
        case _:
            raise invalid("prompt", f"`prompt` must be a string, tokens, or an array of up to {MOST_PROMPTS} of them.")


def _choice(index: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": finish, "logprobs": None}


def whole(completion: Completion) -> bytes:
    choices = [_choice(index, "".join(one.pieces), one.finish) for index, one in enumerate(completion.choices)]
    return orjson.dumps({**_head(completion), "choices": choices, "usage": completion.usage})


def events(completion: Completion, *, include_usage: bool) -> Iterator[Send]:
    head = _head(completion) | ({"usage": None} if include_usage else {})
    for index, choice in enumerate(completion.choices):
        for piece in choice.pieces:
            yield Send(json_event({**head, "choices": [_choice(index, piece, None)]}), 1)
        yield Send(json_event({**head, "choices": [_choice(index, "", choice.finish)]}))
    if include_usage:
        yield Send(json_event({**head, "choices": [], "usage": completion.usage}))
    yield Send(DONE)


def _head(completion: Completion) -> dict[str, Any]:
    return {
        "id": completion.id,
        "object": "text_completion",
        "created": completion.created,
        "model": completion.model,
    }
