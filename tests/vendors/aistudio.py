"""generateContent, as AI Studio lets a page speak it: fewer settings, and a conversation that the user begins.

Source: CLIProxyAPI for what it refuses. Models are called gemini-SCENARIO."""

from dataclasses import replace

from tests.rig.upstream import Received
from tests.vendors.gemini import GEMINI
from tests.vendors.vendor import Asked

PREFIX = "/aistudio"
REFUSED = ("maxOutputTokens", "responseMimeType", "responseJsonSchema")


def asked(received: Received) -> Asked:
    body = received.json
    for name in REFUSED:
        assert name not in body.get("generationConfig", {}), f"{name} is refused"
    assert body["contents"][0]["role"] == "user", "the user begins"
    assert "session_id" not in body
    path = received.path.removeprefix(PREFIX).replace("/models/gemini-", "/models/")
    return GEMINI.asked(replace(received, path=path))


AISTUDIO = replace(GEMINI, name="aistudio", protocol="gemini", asked=asked)
