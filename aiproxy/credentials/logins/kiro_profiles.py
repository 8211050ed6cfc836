"""The profile by which an organisation's Kiro accounts are served: without it every call of theirs is refused.

Source: provider sheet kiro, section 4; AWS's client model, ListAvailableProfiles."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from aiproxy.credentials.base import Headers
from aiproxy.credentials.exchange import USER_AGENT, Ask, Web, bearer
from aiproxy.credentials.login import Changes, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.ways.desk import Content, Desk, text_of
from aiproxy.neutral.errors import GatewayError

SERVICE_REGIONS = ("us-east-1", "eu-central-1")
"""Where the service is, wherever people log in."""

MOST_PAGES = 10
"""Of a list; real ones have one."""

_RPC: Headers = (
    ("content-type", "application/x-amz-json-1.0"),
    ("x-amz-target", "AmazonCodeWhispererService.ListAvailableProfiles"),
    ("user-agent", USER_AGENT),
)

_BUILDER_PAGE = "view.awsapps.com/start"


def kind(record: Record) -> str:
    """`social`, `idc`, `builder-id`, `external_idp`."""
    method = record.text("authMethod", "auth_method").lower()
    return method or ("idc" if record.text("clientSecret", "client_secret") else "social")


def region(record: Record) -> str:
    """Of the service: the profile's, where one is known."""
    parts = record.text("profileArn", "profile_arn").split(":")
    return parts[3] if len(parts) > 3 and parts[3] else record.text("region") or SERVICE_REGIONS[0]


def token_kind(record: Record) -> Headers:
    """What must be said beside a token that isn't AWS's own."""
    return (("tokentype", "EXTERNAL_IDP"),) if kind(record) == "external_idp" else ()


def wants_profile(record: Record) -> bool:
    """Of an organisation, as far as its file tells, and without a profile."""
    if record.text("profileArn", "profile_arn") or kind(record) in ("social", "builder-id"):
        return False
    return record.text("provider").lower() != "builderid" and _BUILDER_PAGE not in record.text("startUrl", "start_url")


async def profiles(login: Login, record: Record, web: Web) -> Sequence[Mapping[str, Any]]:
    """Of the first region that has any. What a region refuses is no profile."""
    token = record.text(*login.access)
    for place in dict.fromkeys((region(record), *SERVICE_REGIONS)):
        url = login.base.replace("{region}", place) + "/"
        headers = (*_RPC, *bearer(token), *token_kind(record))
        found: list[Mapping[str, Any]] = []
        more: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            try:
                said = (await web.ask(Ask("POST", url, headers, orjson.dumps(more)))).said
            except GatewayError:
                break
            listed = said.get("profiles")
            found += [each for each in listed if isinstance(each, dict) and text_of(each, "arn")] if isinstance(listed, list) else []  # fmt: skip
            if not (token_of_next := text_of(said, "nextToken")):
                break
            more = {"nextToken": token_of_next}
        if found:
            return found
    return ()


async def with_profile(login: Login, content: Content, desk: Desk) -> Content:
    """At a login: the person chooses among several."""
    record = Record("", "kiro", content)
    if not wants_profile(record):
        return content
    found = await profiles(login, record, desk)
    if not found:
        desk.tell("AWS shows no profile for this login. If its calls are refused, ask whoever manages Kiro for you.")
        return content
    if len(found) == 1:
        return {**content, "profileArn": text_of(found[0], "arn")}
    for number, each in enumerate(found, 1):
        desk.tell(f"  {number}  {text_of(each, 'profileName')}  {text_of(each, 'arn')}")
    while True:
        typed = (await desk.enter(f"The profile to use (1 to {len(found)})")).strip()
        if typed.isdecimal() and 1 <= int(typed) <= len(found):
            return {**content, "profileArn": text_of(found[int(typed) - 1], "arn")}
        desk.tell("There is no such number.")


async def find_profile(login: Login, record: Record, web: Web, _now: float) -> Changes:
    """After a renewal, of a file that came without one. Among several nobody is there to choose."""
    if not wants_profile(record):
        return {}
    found = await profiles(login, record, web)
    if len(found) != 1:
        return {}
    name = "profile_arn" if record.get("access_token") is not None else "profileArn"
    return {name: text_of(found[0], "arn")}
