"""The official SDKs, each behind the same few words. They judge by what their users see: nothing here repairs it."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from tests.conformance.sdks.anthropic_messages import Messages
from tests.conformance.sdks.conversation import Conversation, Question
from tests.conformance.sdks.gemini import GenerateContent
from tests.conformance.sdks.ollama import OllamaChat
from tests.conformance.sdks.openai_chat import Chat
from tests.conformance.sdks.openai_responses import Responses


@dataclass(frozen=True, slots=True)
class Sdk:
    name: str
    """Of the client protocol it speaks, as the vendors are named."""
    begin: Callable[..., Conversation]
    gateway_path: str = ""
    """What stands between the gateway's address and the SDK's own paths."""

    def __call__(self, address: str, model: str, question: Question, *, streamed: bool, begun: Event) -> Conversation:
        return self.begin(address, model, question, streamed=streamed, begun=begun)


SDKS = (
    Sdk("openai-chat", Chat),
    Sdk("openai-responses", Responses),
    Sdk("anthropic-messages", Messages),
    Sdk("gemini", GenerateContent),
    Sdk("ollama", OllamaChat, "/ollama"),
)
