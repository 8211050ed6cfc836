"""`validate --online`: every upstream of a configuration asked whether it is there, takes the key, and has the models."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiproxy.config.load import Configuration
from aiproxy.config.problems import Place, Problem, Severity, problem_at
from aiproxy.config.schema import ModelEntry, Settings
from aiproxy.config.urls import DIRECT
from aiproxy.credentials.api_key import ApiKey
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.providers.base import Operation, Upstream
from aiproxy.registry import load_registry
from aiproxy_config.probing import Unreachable, Untrusted, ask
from aiproxy_config.terminal import run

AT_ONCE = 8
"""Upstreams asked at a time: enough to wait for slow ones together, few enough for anybody's firewall."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An upstream, the path of its entry, the path of its key, and its list of models."""

    upstream: Upstream
    path: str
    key: str
    models: Sequence[ModelEntry]


Found = tuple[Severity, str, str, str]


def online_problems(configuration: Configuration, tell: Callable[[str], None]) -> list[Problem]:
    """`tell` hears how it goes, a line an upstream."""
    settings = configuration.settings
    placed = list(_placed(settings))
    problems = []
    with ThreadPoolExecutor(AT_ONCE) as threads:
        asked = threads.map(lambda each: _asked(each, settings), placed)
        for number, (each, (words, found)) in enumerate(zip(placed, asked, strict=True), 1):
            tell(f"[{number}/{len(placed)}] {each.upstream.id}: {words}")
            problems += [
                problem_at(_place(configuration, path), severity, code, message, path=path)
                for severity, code, message, path in found
            ]
    return problems


def _placed(settings: Settings) -> Iterator[Placed]:
    by_name = {provider.name: provider for provider in load_registry().providers}
    for section, entries in settings.key_entries.items():
        upstreams = by_name[section.removesuffix("-api-key")].upstreams(settings)
        for number, (entry, upstream) in enumerate(zip(entries, upstreams, strict=True)):
            path = f"{section}[{number}]"
            yield Placed(upstream, path, f"{path}.api-key", entry.models)
    upstreams = iter(by_name["openai-compatibility"].upstreams(settings))
    for number, compatible in enumerate(settings.openai_compatibility):
        if not compatible.disabled:
            path = f"openai-compatibility[{number}]"
            for index in range(max(1, len(compatible.api_key_entries))):
                yield Placed(next(upstreams), path, f"{path}.api-key-entries[{index}].api-key", compatible.models)


def _asked(placed: Placed, settings: Settings) -> tuple[str, list[Found]]:
    """What to say of an upstream, and what is wrong with it."""
    upstream = placed.upstream
    listing = next((each for each in upstream.provider.endpoints if each.operation is Operation.MODELS), None)
    signed = isinstance(upstream.credential, ApiKey)
    headers = headers_for(upstream, {}, {})
    if signed:
        headers |= dict(run(upstream.credential.sign(None)))  # type: ignore[arg-type] # a key needs no way
    proxy = upstream.proxy_url or settings.proxy_url
    url = upstream.base_url + (listing.path if listing else "")
    where = f"{placed.path}.base-url"
    try:
        status, body, _ = ask(url, headers, "" if proxy == DIRECT else proxy)
    except (Unreachable, UpstreamFailed) as why:
        return "not reached", [
            (Severity.ERROR, "upstream-unreachable", f"this upstream can't be reached: {why}", where)
        ]
    except Untrusted as why:
        return "not trusted", [(Severity.ERROR, "upstream-untrusted", f"this upstream can't be trusted: {why}", where)]
    if listing is None or not signed:
        return "reached; it has no list of models to ask for by a key", []
    if status in (401, 403):
        message = f"the upstream refuses this key, with status {status}"
        return f"refuses its key ({status})", [(Severity.ERROR, "upstream-refuses-key", message, placed.key)]
    names = set(listing.wire.decode_models(body)) if status == 200 else set()
    if not names:
        message = f"the upstream gives no list of models (status {status}); a wrong `base-url` is the usual cause"
        return f"no list of models ({status})", [(Severity.WARNING, "upstream-without-list", message, where)]
    absent = [
        (
            Severity.WARNING,
            "model-not-listed",
            "the upstream lists no model of this name",
            f"{placed.path}.models[{index}]",
        )
        for index, model in enumerate(placed.models)
        if model.name not in names
    ]
    return f"good, {len(names)} models", absent


def _place(configuration: Configuration, path: str) -> Place:
    """Where a key stands, or else the nearest thing around it."""
    while path and path not in configuration.places:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return configuration.places.get(path) or Place(configuration.source)
