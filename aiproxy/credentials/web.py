"""Questions to login endpoints, carried by the gateway's transport, on the way that the account's calls go."""

from twisted.internet.defer import TimeoutError as TookTooLong

from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import ANSWER_BYTES, Answer, Ask
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.transports.base import Request
from aiproxy.transports.body import read_body


class TransportWeb:
    """A `Web`. `patience` is in seconds, for an answer to begin, and once more for its body."""

    def __init__(self, way: Way, patience: float) -> None:
        self._way = way
        self._patience = patience

    async def ask(self, question: Ask) -> Answer:
        way = self._way
        request = Request(question.method, question.url, question.headers, question.body, way.proxy)
        try:
            response = await way.transport.send(request).addTimeout(self._patience, way.clock)
        except TookTooLong:
            told = f"{question.host} began no answer within {self._patience:g} s."
            raise UpstreamFailed(f"No token for the account {way.account!r}: {told}") from None
        except GatewayError as error:
            # Whoever could not be reached, it is the account that can't be used, with all its models.
            raise UpstreamFailed(f"No token for the account {way.account!r}: {error.message}") from error
        return Answer(
            response.status, response.headers, await read_body(response, ANSWER_BYTES, way.clock, self._patience)
        )
