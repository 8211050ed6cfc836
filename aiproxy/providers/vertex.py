"""Google's Vertex AI: Gemini's wire format at the address of a project and a location, or, for keys, of none.

Source: Vertex AI API reference, publishers.models v1; google-genai 3.6 for hosts, paths and the body of countTokens;
CLIProxyAPI for what Vertex refuses and Gemini takes."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.codecs import gemini
from aiproxy.codecs.json_bytes import dump
from aiproxy.config.schema import Settings, VertexEntry
from aiproxy.config.service_account import read_service_account
from aiproxy.credentials.service_account import ServiceAccountGrant
from aiproxy.credentials.token import TokenCredential
from aiproxy.providers.base import ANY_NAME, LoggedIn, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.vertex_repairs import begin_with_user, count_bare_contents, leave_out_call_ids, say_who_speaks

MODEL = "/publishers/google/models/{model}"

ANYWHERE = "global"
"""The location where a service account's calls are served when nobody says: google-genai's choice, and the only one that has
every model."""

MULTI_REGIONAL = ("us", "eu")

MODELS = (
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash-image",
    "gemini-3-pro",
    "gemini-3-pro-image",
    "gemini-3-flash",
    "gemini-3.1-pro",
    "gemini-3.1-pro-preview",
    "gemini-3.1-flash-image",
    "gemini-3.1-flash-lite",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.6-flash",
    "gemini-3.7-flash",
)
"""What Vertex serves by generateContent, as of August 2026: it has no list that a key may ask for. Embedding models are
reached by their names, unlisted."""


def host(location: str) -> str:
    if location == ANYWHERE:
        return "https://aiplatform.googleapis.com"
    if location in MULTI_REGIONAL:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    entries = settings.vertex_api_key
    for entry, upstream in zip(entries, from_key_entries(VERTEX, entries), strict=True):
        if entry.service_account:
            yield _as_service_account(upstream, entry)
        else:
            yield replace(upstream, base_url=_versioned(upstream.base_url))


def _as_service_account(upstream: Upstream, entry: VertexEntry) -> Upstream:
    account = read_service_account(entry.service_account.reveal())
    return replace(
        upstream,
        credential=TokenCredential(ServiceAccountGrant(account)),
        base_url=_place(entry.base_url, entry.project or account.project, entry.location or account.location),
    )


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """A service account among the credential files."""
    account = read_service_account(dump(dict(login.record)).decode())
    found = account_of(VERTEX, login, ANY_NAME)
    base_url = text(login.record, "base_url") or login.base_url
    yield replace(found, base_url=_place(base_url, account.project, account.location))


def _place(base_url: str, project: str, location: str) -> str:
    location = location or ANYWHERE
    return f"{_versioned(base_url or host(location))}/projects/{project}/locations/{location}"


def _versioned(address: str) -> str:
    return f"{address.rstrip('/').removesuffix('/v1')}/v1"


VERTEX = Provider(
    name="vertex",
    base_url=host(ANYWHERE),
    endpoints=(
        speaking(
            gemini.CODEC,
            Operation.CHAT,
            f"{MODEL}:generateContent",
            f"{MODEL}:streamGenerateContent?alt=sse",
            repairs=(leave_out_call_ids, say_who_speaks, begin_with_user),
        ),
        speaking(
            gemini.CODEC,
            Operation.COUNT_TOKENS,
            f"{MODEL}:countTokens",
            repairs=(count_bare_contents, leave_out_call_ids, say_who_speaks, begin_with_user),
        ),
        speaking(gemini.PREDICT_CODEC, Operation.EMBEDDINGS, f"{MODEL}:predict"),
    ),
    upstreams=_upstreams,
    accounts=_accounts,
    vendor="google",
    binds_state=("*",),  # signatures of another project are refused
    models=MODELS,
    key_header="x-goog-api-key",
    key_scheme="",
)
