"""The `openai` SDK's Responses over a WebSocket: each turn says only what is new, and nothing is stored."""

from collections.abc import Sequence
from threading import Event

from openai.types.responses import Response
from openai.types.responses.responses_server_event import ResponseWsError

from tests.conformance.sdks.conversation import Failed, Question, Seen, seconds
from tests.conformance.sdks.openai_responses import Responses


class SocketResponses(Responses):
    def __init__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> None:
        super().__init__(address, model, question, streamed=streamed, begun=begun)
        self._begun = begun
        self._manager = self._client.responses.connect()
        self._socket = self._manager.enter()

    def close(self) -> None:
        self._socket.close()
        super().close()

    def give(self, results: Sequence[str]) -> Seen:
        self._input = []
        return super().give(results)

    def _stream(self, pieces: list[str]) -> Response:
        self._socket.response.create(input=self._input, **self._parameters)
        numbers = []
        for event in self._socket:
            self._begun.set()
            if isinstance(event, ResponseWsError):
                headers = (event.model_extra or {}).get("headers")
                raise Failed(event.status, event.error.message, seconds(headers), pieces)
            numbers.append(event.sequence_number)
            match event.type:
                case "response.output_text.delta" | "response.refusal.delta":
                    pieces.append(event.delta)
                case "response.completed" | "response.incomplete" | "response.failed":
                    assert numbers == sorted(set(numbers))
                    assert event.response.previous_response_id == self._parameters.get("previous_response_id")
                    self._parameters["previous_response_id"] = event.response.id
                    return event.response
        raise AssertionError("the socket closed amid a stream")
