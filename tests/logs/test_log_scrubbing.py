"""No canary comes through: known secrets in every spelling, unknown ones by their shape."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.logs.scrubbing import Scrubbing, spellings
from aiproxy.secrets import Scrubber, Secret

KNOWN = 'can/ary+of a "known" sëcret'
CANARY = "canary123CANARY"


@pytest.mark.parametrize(
    "text",
    [
        KNOWN,
        f"before{KNOWN}after",
        quote(KNOWN),
        quote(KNOWN, safe=""),
        f"https://u:{quote(KNOWN, safe='')}@host/",
        json.dumps({"key": KNOWN}, ensure_ascii=False),
        repr(KNOWN),
        repr(ValueError(KNOWN)),
    ],
)
def test_known_secrets_in_every_spelling(text: str) -> None:
    scrubbed = Scrubbing(Scrubber(spellings([Secret(KNOWN)])))(text)
    assert "[secret]" in scrubbed
    assert not any(part in scrubbed for part in ("ary", "known"))


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("after", range(4))
def test_known_secrets_in_somebodys_base64(before: int, after: int) -> None:
    text = base64.b64encode(b"u" * before + KNOWN.encode() + b"t" * after).decode()
    left, mask, right = Scrubbing(Scrubber(spellings([Secret(KNOWN)])))(text).partition("[secret]")
    assert mask
    assert len(left) <= -(-before * 8 // 6)  # nothing but the text before, and bits it shares with the secret's first
    assert len(right.rstrip("=")) <= 1 - (-after * 8 // 6)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "authorization: bearer {}",
        "Authorization: Token {}",
        "Proxy-Authorization: Basic {}==",
        "Headers({{b'authorization': [b'Bearer {}']}})",
        "Headers({{b'x-api-key': [b'{}']}})",
        "(('x-api-key', '{}'), ('accept', '*/*'))",
        "(('Authorization', '{}'),)",
        "x-goog-api-key: {}",
        "api-key: {}",
        "Cookie: session={}; other=1",
        "{{'set-cookie': 'a={}'}}",
        "GET /v1/models?key={}&x=1",
        "/v1/ws?auth_token={}",
        "?x=1&access_token={}",
        "refresh_token={}&client_secret={}",
        "/callback?code={}&state=x",
        "http://user:{}@proxy.example:3128",
        "socks5://:{}@[::1]:1080/",
        "invalid key sk-{}",
        "sk-proj-{}",
        "(AIza{})",
        "ya29.{}",
        "nvapi-{}",
        "eyJhbGciOi.{}.{}",
    ],
)
def test_unknown_secrets_by_their_shape(text: str) -> None:
    scrubbed = Scrubbing()(text.replace("{}", CANARY).replace("{{", "{").replace("}}", "}"))
    assert CANARY not in scrubbed
    assert "[secret]" in scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "aiproxy.yaml:5:3: error: openai-api-key: must be a list",
        "POST /v1/chat/completions 200 openai-1 gpt-5.4 212/1204 ms 3456 B client=team-a",
        "connected to https://api.openai.com:443/v1",
        "max_tokens=5 is not a task-sk-ill",
        "exit code=78",
        "the authorization was refused, try another",
        "http://127.0.0.1:8317/v1",
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert Scrubbing()(text) == text


def test_a_reload_brings_new_secrets() -> None:
    scrub = Scrubbing()
    assert scrub("the new canary") == "the new canary"
    scrub.scrubber = Scrubber([Secret("canary")])
    assert scrub("the new canary") == "the new [secret]"


@given(st.text(min_size=6, max_size=40), st.text(), st.text())
def test_no_known_secret_survives(secret: str, before: str, after: str) -> None:
    scrubbed = Scrubbing(Scrubber(spellings([Secret(secret)])))(before + secret + after)
    assert secret not in scrubbed.replace("[secret]", "")  # a text around it may happen to make it anew
    assert "[secret]" in scrubbed


def test_secrets_that_came_since_are_looked_for_too() -> None:
    scrubbing = Scrubbing(Scrubber([Secret("the-first-secret")]))
    scrubbing.recurring("a-renewed-token")
    scrubbing.add(Scrubber([Secret("a-renewed-token")]))
    assert scrubbing("the-first-secret a-renewed-token") == "[secret] [secret]"
    assert scrubbing.recurring("a-renewed-token") == "[secret]"
    scrubbing.scrubber = Scrubber([Secret("a-renewed-token")])
    assert scrubbing("the-first-secret a-renewed-token") == "the-first-secret [secret]"
