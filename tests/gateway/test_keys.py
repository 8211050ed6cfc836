"""What a client key may spend, and whose calls go first."""

from functools import partial

import pytest

from aiproxy.clients import Client
from tests.rig.scripted import SILENT, Asked, Rig

UPSTREAMS = """
routing: {strategy: fill-first, default-provider: one}
request-retry: 0
openai-compatibility:
  - {name: one, base-url: "http://one.test/v1", models: [m, only-one]}
  - {name: two, base-url: "http://two.test/v1", models: [m, only-two]}
  - {name: three, base-url: "http://three.test/v1", prefix: p, models: [m]}
"""


def client_of(rig: Rig) -> Client:
    found = rig.gateway.keyring.find("a-client-key-of-some-length")
    assert found is not None
    return found


def rig_with(key: str, upstreams: str = UPSTREAMS) -> Rig:
    return Rig(f"{upstreams}\napi-keys: [{{key: a-client-key-of-some-length, {key}}}]")


@pytest.mark.parametrize(
    ("key", "model", "provider"),
    [
        ("name: all", "m", "one"),
        ("providers: [two]", "m", "two"),
        ("providers: [TWO, three]", "m", "two"),
        ("providers: [two]", "only-one", ""),
        ("prefixes: [p]", "p/m", "three"),
        ("prefixes: [p]", "m", "three"),
        ("prefixes: [p]", "only-two", ""),
        ("accounts: [tw*]", "m", "two"),
        ("accounts: [nobody]", "m", ""),
        ("providers: [one], accounts: [tw*]", "m", ""),
        ("providers: [nobody]", "m", ""),
        ("models: [only-*]", "m", ""),
    ],
)
def test_a_key_reaches_what_it_may_and_nothing_else(key: str, model: str, provider: str) -> None:
    rig = rig_with(key)
    asked = rig.ask(model, client=client_of(rig))
    assert [attempt.provider for attempt in asked.record.attempts] == [provider] * bool(provider)
    assert (asked.error is None) is bool(provider)
    if not provider:
        assert "may not use it" in str(asked.error)


def test_the_list_of_models_is_what_the_key_reaches() -> None:
    rig = rig_with("providers: [two, three]")
    snapshot = rig.gateway.snapshot
    models = snapshot.catalogue.listing({}, "", snapshot.reach(client_of(rig)))
    assert [model.name for model in models] == ["m", "only-two", "p/m"]


def _note(served: list[Asked], asked: Asked, _: None) -> None:
    served.append(asked)


def test_of_calls_that_wait_the_smaller_priority_is_served_first() -> None:
    one = 'openai-compatibility: [{name: one, base-url: "http://one.test/v1", models: [m], concurrency: 1}]'
    rig = Rig(one)
    rig["one"].script.append(SILENT)
    rig.ask()
    last, usual, first, also_first = (rig.ask(client=Client(str(p), str(p), priority=p)) for p in (200, 100, 1, 1))
    served: list[Asked] = []
    for asked in (last, usual, first, also_first):
        asked.done.addCallback(partial(_note, served, asked))
    rig.gateway.pool.disable("one")
    assert not served
    rig.gateway.pool.enable("one")
    assert not served  # the first call still holds the account
    rig.wait(200)  # until its upstream has been silent for too long
    assert served == [first, also_first, usual, last]


@pytest.mark.parametrize(
    ("key", "everyone", "strict"),
    [("name: a", "lenient", False), ("name: a", "strict", True), ("translation: strict", "lenient", True)],
)
def test_a_key_may_be_translated_for_more_strictly(key: str, everyone: str, strict: bool) -> None:
    rig = rig_with(key, f"{UPSTREAMS}\ntranslation: {everyone}")
    assert rig.gateway.snapshot.strict(client_of(rig)) is strict
