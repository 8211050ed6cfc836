"""One daemon in front of all stand-in vendors."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.sdks.conversation import KEY
from tests.rig.authority import one_authority
from tests.rig.daemon import Daemon, daemon
from tests.vendors import xai
from tests.vendors.back_ends import PROVIDERS, credential_file, settings_of
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn, vendors


def configuration(address: str) -> str:
    def models(vendor: str) -> str:
        return "[" + ", ".join(f"{{name: {name}, alias: {vendor}.{name}}}" for name in SCENARIOS) + "]"

    return f"""
api-keys: [{KEY}]
request-retry: 0
auth-dir: auth
disable-cooling: true
openai-compatibility:
  - name: chat
    base-url: {address}/v1
    api-key-entries: [chat-key-0123456789]
    models: {models("openai-chat")}
codex-api-key:
  - {{api-key: responses-key-0123456789, base-url: "{address}/v1", models: {models("openai-responses")}}}
claude-api-key:
  - {{api-key: messages-key-0123456789, base-url: "{address}", models: {models("anthropic-messages")}}}
gemini-api-key:
  - {{api-key: gemini-key-0123456789, base-url: "{address}", models: {models("gemini")}}}
vertex-api-key:
  - {{service-account: {{file: account.json}}, location: europe-west4, base-url: "{address}", models: {models("vertex")}}}
xai-api-key:
  - {{api-key: {xai.KEY}, base-url: "{address}{xai.PREFIX}", models: [{models("xai")[1:-1]}, {models("xai-chat")[1:-1]}]}}
ollama:
  - {{base-url: "{address}", models: {models("ollama")}}}
"""


@pytest.fixture(scope="package", autouse=True)
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with one_authority(tmp_path_factory.mktemp("authority")):
        yield


@pytest.fixture(scope="package")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


def write_private(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


@pytest.fixture(scope="package")
def gateway(stand_in: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    directory = tmp_path_factory.mktemp("matrix")
    (directory / "account.json").write_text(stand_in.service_account())
    for provider in PROVIDERS:
        write_private(directory / "auth" / f"{provider}.json", json.dumps(credential_file(provider)))
    text = configuration(stand_in.address) + settings_of(stand_in.address)
    with daemon(directory, text) as running:
        yield running
    worse = [line for line in running.output if json.loads(line)["level"] != "info"]
    assert not worse, "nothing here is the gateway's fault"
