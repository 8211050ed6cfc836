"""How clients are told of the gateway: lines to copy, each with its place. A key is never in them: `$AIPROXY_KEY` stands for it. Pure."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

NO_KEY = "none"
"""What clients that insist on a key may say where none is asked for."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """`kind` is what `text` is: `shell`, `json`, `toml`, `python`, or `form` (fields of a dialog); `where` is where it goes."""

    client: str
    where: str
    kind: str
    text: str


def snippets(base: str, model: str, *, needs_key: bool) -> Iterator[Snippet]:
    key = "$AIPROXY_KEY" if needs_key else NO_KEY
    name = shlex.quote(model)  # it may be an upstream's word, and goes into somebody's shell
    yield Snippet(
        "Claude Code",
        "a shell",
        "shell",
        f"export ANTHROPIC_BASE_URL={base}\nexport ANTHROPIC_AUTH_TOKEN={key}\nexport ANTHROPIC_MODEL={name}\nclaude\n",
    )
    yield Snippet("Codex", "~/.codex/config.toml", "toml", _codex(base, model))
    yield Snippet(
        "Gemini CLI",
        "a shell",
        "shell",
        f"export GOOGLE_GEMINI_BASE_URL={base}\nexport GEMINI_API_KEY={key}\ngemini --model {name}\n",
    )
    yield Snippet("OpenAI SDK", "Python", "python", _openai(base, model, needs_key=needs_key))
    yield Snippet(
        "Cherry Studio",
        "Settings, Model Provider, Add: OpenAI",
        "form",
        json.dumps({"API Host": base, "API Key": key, "Model": model}, indent=2),
    )
    yield Snippet(
        "Cline",
        "Settings, API Provider: OpenAI Compatible",
        "form",
        json.dumps({"Base URL": f"{base}/v1", "API Key": key, "Model ID": model}, indent=2),
    )
    yield Snippet("Ollama clients", "a shell", "shell", f"export OLLAMA_HOST={base}\nollama run {name}\n")


def _codex(base: str, model: str) -> str:
    return (
        f'model = {_quoted(model)}\nmodel_provider = "aiproxy"\n\n[model_providers.aiproxy]\nname = "aiproxy"\n'
        f'base_url = "{base}/v1"\nenv_key = "AIPROXY_KEY"\nwire_api = "responses"\n'
    )


def _openai(base: str, model: str, *, needs_key: bool) -> str:
    key = 'os.environ["AIPROXY_KEY"]' if needs_key else f'"{NO_KEY}"'
    head = "import os\n\n" if needs_key else ""
    return (
        f'{head}from openai import OpenAI\n\nclient = OpenAI(base_url="{base}/v1", api_key={key})\n'
        f"answer = client.chat.completions.create(\n    model={_quoted(model)},\n"
        f'    messages=[{{"role": "user", "content": "Hello!"}}],\n)\nprint(answer.choices[0].message.content)\n'
    )


def _quoted(text: str) -> str:
    """As TOML and Python have it. They know no pairs of surrogates."""
    return json.dumps(text, ensure_ascii=False)
