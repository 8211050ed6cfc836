"""The library: what its import costs, and a gateway inside another program, with a provider of an outsider's."""

import subprocess
import sys
from collections.abc import Iterable
from random import Random
from typing import Any

import orjson
import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import aiproxy
from aiproxy.catalogue import Alias, named
from aiproxy.clients import ANYONE
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.openai_chat import WIRE
from aiproxy.config import load_config
from aiproxy.config.schema import Demo, Settings
from aiproxy.gateway import Gateway, build_snapshot
from aiproxy.gateway.call import read_call
from aiproxy.providers.base import NO_KEY, Operation, Provider, Upstream
from aiproxy.providers.demo import DemoTransport
from aiproxy.providers.openai import CHAT
from aiproxy.registry import Registry, load_registry
from aiproxy.transports.base import Network, Transport
from aiproxy.usage import CallRecord, Outcome
from tests.rig.scripted import Sink


@pytest.mark.parametrize(
    "statement", ["import aiproxy", "from aiproxy import Gateway, load_config, build_gateway, Call, Sink"]
)
def test_importing_installs_no_reactor(statement: str) -> None:
    check = f"{statement}; import sys; sys.exit('twisted.internet.reactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_public_names_are_there() -> None:
    assert all(getattr(aiproxy, name) for name in aiproxy.__all__)
    with pytest.raises(AttributeError):
        aiproxy.nothing  # noqa: B018


def _upstreams(_settings: Settings) -> Iterable[Upstream]:
    yield Upstream("theirs", THEIRS, NO_KEY, "theirs://here/v1", named([Alias("demo-echo", "their-model")]), accepts=())


def _transport(clock: Any, _settings: Settings) -> Transport:
    return DemoTransport(clock, Demo(latency=0, tokens_per_second=0))


THEIRS = Provider("theirs", "theirs://here/v1", CHAT, _upstreams, in_process=_transport)
"""A provider as a plugin would declare it: public names only."""


def register(registry: Registry) -> None:
    registry.provider(THEIRS)


class NoNetwork(DemoTransport):
    def resolve(self, host: str) -> Deferred[str]:
        raise AssertionError(f"{host} is asked for")


def no_network(_settings: Settings) -> Network:
    return NoNetwork(Clock(), Demo())


def test_a_plugins_provider_serves_like_ours() -> None:
    clock = Clock()
    registry = load_registry([register])
    settings = load_config(None, environ={}).settings
    gateway = Gateway(clock, Random(1), build_snapshot(settings, (), registry.providers, clock, no_network))
    body = orjson.dumps({"model": "their-model", "messages": [{"role": "user", "content": "said by them"}]})
    call = read_call(WIRE, Operation.CHAT, Incoming(body), ANYONE, CallRecord("req_1", 0.0))
    sink = Sink()
    done = Deferred.fromCoroutine(gateway.answer(call, sink))
    clock.pump([0.1] * 10)
    assert done.called
    assert sink.status == 200
    assert sink.headers["x-aiproxy-provider"] == "theirs"
    assert "said by them" in orjson.loads(sink.body)["choices"][0]["message"]["content"]
    assert call.record.outcome is Outcome.COMPLETE
    assert clock.getDelayedCalls() == []


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="theirs"):
        load_registry([register, register])
