"""Service accounts of Google's Vertex AI that lie among the credential files: CLIProxyAPI's (`type: vertex`), and Google's own
as it is downloaded. They sign for themselves: nobody logs in, nothing in the file is renewed. Source: provider sheet vertex."""

import json

from aiproxy.config.service_account import Unusable, read_service_account
from aiproxy.config.vertex import SHAPES
from aiproxy.credentials.base import Credential
from aiproxy.credentials.login import Client, Login
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.credentials.service_account import ServiceAccountGrant
from aiproxy.credentials.token import TokenCredential


def signing(record: Record) -> Credential:
    """Raises `Unreadable`."""
    try:
        account = read_service_account(json.dumps(record.content))
    except Unusable as why:
        raise Unreadable(str(why)) from None
    if not account.project:
        raise Unreadable("names no `project_id`")
    for name, value in (("project_id", account.project), ("location", account.location)):
        if value and not SHAPES[name.removesuffix("_id")].fullmatch(value):
            raise Unreadable(f"names an impossible `{name}`")
    return TokenCredential(ServiceAccountGrant(account))


VERTEX = Login(
    provider="vertex",
    types=("vertex", "service_account"),
    client=Client(""),
    renew=None,
    lead=0,
    signing=signing,
)
