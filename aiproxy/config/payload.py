"""Payload rules as they are configured: what is wrong with them, and the rules they make."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.schema import Payload, PayloadFilter, PayloadModel, PayloadProtocol, PayloadRule
from aiproxy.rewriting.paths import Path, parse_path
from aiproxy.rewriting.payload import Condition, PayloadRules, Rule

WIRES: Mapping[PayloadProtocol | None, str] = {
    None: "",
    PayloadProtocol.OPENAI: "openai-chat",
    PayloadProtocol.RESPONSES: "openai-responses",
    PayloadProtocol.CODEX: "openai-responses",
    PayloadProtocol.CLAUDE: "anthropic",
    PayloadProtocol.GEMINI: "gemini",
    PayloadProtocol.ANTIGRAVITY: "code-assist",
    PayloadProtocol.OLLAMA: "ollama",
}
"""What protocols are called inside."""


def payload_problems(payload: Payload) -> Iterator[Finding]:
    for section, rules in _sections(payload):
        for number, rule in enumerate(rules):
            at = f"payload.{section}[{number}]"
            for index, model in enumerate(rule.models):
                yield from _condition_problems(model, f"{at}.models[{index}]")
            yield from _path_problems(list(rule.params), f"{at}.params")
            if section.endswith("-raw") and isinstance(rule, PayloadRule):
                for index, value in enumerate(rule.params.values()):
                    if isinstance(value, str) and not _is_json(value):
                        yield Severity.ERROR, "bad-json", "this text is not JSON", f"{at}.params[{index}]"


def payload_rules(payload: Payload) -> PayloadRules:
    """Of a payload without problems."""
    return PayloadRules(
        (
            *_rules("default", payload.default),
            *_rules("default", payload.default_raw, raw=True),
            *_rules("override", payload.override),
            *_rules("override", payload.override_raw, raw=True),
            *(
                Rule("filter", _conditions(rule), tuple((parse_path(path), None) for path in rule.params))
                for rule in payload.filter
            ),
        )
    )


def _sections(payload: Payload) -> Sequence[tuple[str, Sequence[PayloadRule | PayloadFilter]]]:
    return (
        ("default", payload.default),
        ("default-raw", payload.default_raw),
        ("override", payload.override),
        ("override-raw", payload.override_raw),
        ("filter", payload.filter),
    )


def _condition_problems(model: PayloadModel, at: str) -> Iterator[Finding]:
    for name, pairs in (("match", model.match), ("not-match", model.not_match)):
        for number, each in enumerate(pairs):
            yield from _path_problems(list(each), f"{at}.{name}[{number}]")
    yield from _path_problems(model.exist, f"{at}.exist")
    yield from _path_problems(model.not_exist, f"{at}.not-exist")


def _path_problems(paths: Sequence[str], at: str) -> Iterator[Finding]:
    for number, path in enumerate(paths):
        try:
            parse_path(path)
        except ValueError as fault:
            yield Severity.ERROR, "bad-json-path", f"this path {fault}", f"{at}[{number}]"


def _rules(
    action: Literal["default", "override"], rules: Sequence[PayloadRule], *, raw: bool = False
) -> Iterator[Rule]:
    for rule in rules:
        params = ((parse_path(path), _value(value, raw=raw)) for path, value in rule.params.items())
        yield Rule(action, _conditions(rule), tuple(params))


def _conditions(rule: PayloadRule | PayloadFilter) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            models=model.name,
            protocol=WIRES[model.protocol],
            from_protocol=WIRES[model.from_protocol],
            headers=tuple((name.lower(), glob) for name, glob in model.headers.items()),
            match=_pairs(model.match),
            not_match=_pairs(model.not_match),
            exist=tuple(parse_path(path) for path in model.exist),
            not_exist=tuple(parse_path(path) for path in model.not_exist),
        )
        for model in rule.models
    )


def _pairs(listed: Sequence[Mapping[str, Any]]) -> tuple[tuple[Path, Any], ...]:
    return tuple((parse_path(path), value) for each in listed for path, value in each.items())


def _value(value: Any, *, raw: bool) -> Any:
    return json.loads(value) if raw and isinstance(value, str) else value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
