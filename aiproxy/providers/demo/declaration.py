"""The demo as a provider: one account, no key, any name that begins as its scripts do.

It never rests: one script's failure says nothing about the next one."""

from collections.abc import Iterable

from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Alias, named
from aiproxy.config.schema import Settings
from aiproxy.providers.base import NO_KEY, Provider, Upstream
from aiproxy.providers.demo.script import MODELS
from aiproxy.providers.demo.upstream import DemoTransport
from aiproxy.providers.openai import CHAT


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    if settings.demo_in_effect:
        names = named(Alias(name) for name in MODELS)
        scripts = tuple(f"{name}@*" for name in MODELS)
        yield Upstream("demo", DEMO, NO_KEY, DEMO.base_url, names, scripts, cools=False)


def _transport(clock: IReactorTime, settings: Settings) -> DemoTransport:
    return DemoTransport(clock, settings.demo)


DEMO = Provider(name="demo", base_url="demo://here/v1", endpoints=CHAT, upstreams=_upstreams, in_process=_transport)
