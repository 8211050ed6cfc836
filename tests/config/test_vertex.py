"""Service accounts as configurations hold them: what is read, what is repaired, what is wrong and where."""

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

from aiproxy.config.problems import ConfigurationInvalid
from aiproxy.config.service_account import TOKEN_URL, Unusable, private_key, read_service_account
from tests.config.reading import load, problems
from tests.vendors.google_tokens import EMAIL, KEY_ID, PROJECT, account_key, pem, service_account

LOOPBACK = "http://127.0.0.1:9/token"
ONE_LINE = pem().replace("\n", " ")
KEYS = {
    "as Google writes it": pem(),
    "PKCS#1": pem(form=PrivateFormat.TraditionalOpenSSL),
    "lines of Windows": pem().replace("\n", "\r\n"),
    "no line breaks": ONE_LINE,
    "none at all": pem().replace("\n", ""),
    "escaped twice": pem().replace("\n", "\\n"),
    "escaped twice, from Windows": pem().replace("\n", "\\r\\n"),
    "a terminal's colours": pem().replace("\n", "\x1b[0m\n\x1b[32m", 3),
    "words around it": f"key: {pem()} end",
}
ENCRYPTED = account_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")).decode()


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_read_however_it_was_pasted(key: str) -> None:
    account = read_service_account(json.dumps(service_account(LOOPBACK, private_key=key)))
    assert private_key(account.key).private_numbers() == account_key().private_numbers()
    assert (account.email, account.project, account.key_id, account.token_url) == (EMAIL, PROJECT, KEY_ID, LOOPBACK)
    assert len(account.secrets) > 20
    assert "PRIVATE" not in repr(account)


def test_the_wrapped_form_and_what_a_file_may_leave_out() -> None:
    inner = service_account(LOOPBACK, token_uri=None, private_key_id=None, project_id=None, type=None)
    wrapper = {"type": "vertex", "service_account": inner, "project_id": "p-1", "location": "europe-west1"}
    account = read_service_account(json.dumps(wrapper))
    assert (account.project, account.location, account.token_url, account.key_id) == (
        "p-1",
        "europe-west1",
        TOKEN_URL,
        "",
    )
    assert read_service_account(json.dumps(inner)).project == ""


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ({"private_key": None}, "has no `private_key`"),
        ({"private_key": None, "client_email": 1}, "has no `client_email` and no `private_key`"),
        ({"private_key": "-----BEGIN"}, "no PEM"),
        ({"private_key": pem().replace("M", "N", 1)}, "no PEM"),
        ({"private_key": ENCRYPTED}, "encrypted"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "not RSA"),
        ({"type": "authorized_user"}, "another kind"),
        ({"token_uri": "http://oauth2.example/token"}, "no https address"),
        ({"token_uri": "https://"}, "no https address"),
        ({"token_uri": "https://a b"}, "no https address"),
    ],
)
def test_what_is_wrong_is_said_and_never_shown(instead: dict[str, Any], words: str) -> None:
    with pytest.raises(Unusable, match=words) as raised:
        read_service_account(json.dumps(service_account(LOOPBACK, **instead)))
    assert "=" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "account.json", "[]", "1", '{"service_account": []}'])
def test_what_is_no_service_account(text: str) -> None:
    with pytest.raises(Unusable):
        read_service_account(text)


def account_file(directory: Path, name: str = "a.json", **instead: object) -> None:
    (directory / name).write_text(json.dumps(service_account(LOOPBACK, **instead)))


@pytest.mark.parametrize(
    ("entry", "code", "at"),
    [
        ("{service-account: {file: gone.json}}", "unreadable-file", "gone.json"),
        ("{service-account: {file: broken.json}}", "bad-service-account", "{file: broken"),
        ("{service-account: a.json}", "bad-service-account", "a.json"),
        ("{name: a}", "missing-key", "{name"),
        ("{service-account: {file: a.json}, api-key: some-vertex-key}", "two-logins", "{file"),
        ("{api-key: some-vertex-key, location: global}", "without-effect", "global"),
        ("{api-key: some-vertex-key, project: p}", "without-effect", "p}"),
        ("{service-account: {file: a.json}, location: EU/../x}", "bad-name", "EU"),
        ("{service-account: {file: a.json}, location: 'eu:1'}", "bad-name", "'eu:1'"),
        ("{service-account: {file: a.json}, project: a/b}", "bad-name", "a/b"),
        ("{service-account: {file: nowhere.json}}", "missing-key", "{service"),
        ("{service-account: {file: odd.json}}", "bad-service-account", "{file"),
        (
            "{service-account: {file: a.json}}, {service-account: {file: a.json}}",
            "duplicate-account",
            "{file: a.json}}]",
        ),
        ("your-api-key", "example-key", "your"),
    ],
)
def test_problems_stand_at_their_place(entry: str, code: str, at: str, tmp_path: Path) -> None:
    account_file(tmp_path)
    (tmp_path / "broken.json").write_text('{"type": "service_account"}')
    account_file(tmp_path, "nowhere.json", project_id=None)
    account_file(tmp_path, "odd.json", project_id="a/b")
    text = f"vertex-api-key: [{entry}]"
    (problem,) = problems(text, directory=tmp_path)
    assert problem.code == code
    assert text[problem.column - 1 :].startswith(at)


GOOD = (
    "vertex-api-key: [some-vertex-key]",
    "vertex-api-key: [{service-account: {file: a.json}}]",
    "vertex-api-key: [{service-account: {file: a.json}, location: eu, project: example.com:p}]",
    "vertex-api-key: [{service-account: {file: a.json}}, {service-account: {file: a.json}, location: europe-west4}]",
    "vertex-api-key: [{service-account: '${ACCOUNT}'}]",
)


@pytest.mark.parametrize("text", GOOD)
def test_what_is_right_is_taken(text: str, tmp_path: Path) -> None:
    account_file(tmp_path)
    read = load(text, {"ACCOUNT": (tmp_path / "a.json").read_text()}, directory=tmp_path)
    assert read.warnings == ()
    if "service-account" in text:
        line = pem().splitlines()[5]
        assert line in {secret.reveal() for secret in read.secrets}


VARIABLES = {
    "GEMINI_API_KEY": "gemini-key",
    "GOOGLE_API_KEY": "google-key",
    "GOOGLE_GENAI_USE_VERTEXAI": "True",
    "GOOGLE_APPLICATION_CREDENTIALS": "a.json",
    "GOOGLE_CLOUD_LOCATION": "europe-west4",
    "GOOGLE_CLOUD_PROJECT": "p-2",
}


@pytest.mark.parametrize(
    ("names", "gemini", "vertex"),
    [
        ("GEMINI_API_KEY GOOGLE_API_KEY", "gemini-key", None),
        ("GOOGLE_API_KEY", "google-key", None),
        ("GOOGLE_API_KEY GOOGLE_GENAI_USE_VERTEXAI", None, "google-key"),
        ("GEMINI_API_KEY GOOGLE_GENAI_USE_VERTEXAI", "gemini-key", None),
        ("GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_PROJECT GOOGLE_GENAI_USE_VERTEXAI", None, None),
        ("GOOGLE_CLOUD_LOCATION GOOGLE_CLOUD_PROJECT", None, None),
        ("GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_LOCATION", None, "europe-west4 "),
        ("GOOGLE_APPLICATION_CREDENTIALS GOOGLE_CLOUD_LOCATION GOOGLE_CLOUD_PROJECT", None, "europe-west4 p-2"),
        (" ".join(VARIABLES), "gemini-key", "europe-west4 p-2"),
    ],
)
def test_googles_variables_imply_an_account_where_they_leave_no_doubt(
    names: str, gemini: str | None, vertex: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    account_file(tmp_path)
    settings = load("", {name: VARIABLES[name] for name in names.split()}).settings
    assert [entry.api_key.reveal() for entry in settings.gemini_api_key] == ([gemini] if gemini else [])
    told = [
        f"{entry.location} {entry.project}" if entry.service_account else entry.api_key.reveal()
        for entry in settings.vertex_api_key
    ]
    assert told == ([vertex] if vertex else [])


def test_a_variable_that_names_no_service_account_is_named(tmp_path: Path) -> None:
    environ = {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "gone"), "GOOGLE_CLOUD_LOCATION": "global"}
    with pytest.raises(ConfigurationInvalid, match="GOOGLE_APPLICATION_CREDENTIALS"):
        load("", environ)
