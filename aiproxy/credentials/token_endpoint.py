"""One exchange with an OAuth token endpoint (RFC 6749 §5), whatever the grant."""

from collections.abc import Mapping

from twisted.logger import Logger

from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import Answer, Ask, error_code, granted, post_form, reason
from aiproxy.credentials.times import seconds
from aiproxy.credentials.token import PATIENCE_SECONDS, Token
from aiproxy.credentials.web import TransportWeb
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.secrets import Secret

LIFETIME_UNSAID = 1800.0
"""Seconds. Half of what nearly every endpoint gives, for one that doesn't say; a token that ends sooner is renewed on 401."""

_log = Logger("aiproxy.credentials")


async def ask_for_token(way: Way, url: str, form: Mapping[str, str]) -> Token:
    """Raises `CredentialRefused` when the endpoint says no for good, `UpstreamFailed` when it gives no sense or no answer.

    The client is told which account to look at, the log what the endpoint said."""
    question = post_form(url, form)
    answer = await TransportWeb(way, PATIENCE_SECONDS).ask(question)
    try:
        said = granted(question, answer, way.account)
    except UpstreamFailed:
        log_refusal(way.account, question, answer)
        raise
    return Token(Secret(said["access_token"]), seconds(said.get("expires_in"), LIFETIME_UNSAID))


def log_refusal(account: str, question: Ask, answer: Answer) -> None:
    _log.warn(
        "account {account}: {host} gave no token ({code}): {said}",
        account=account,
        host=question.host,
        code=error_code(answer) or f"status {answer.status}",
        said=reason(answer),
    )
