"""The configuration that `init` writes: short, commented, and valid as it is."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

_HEAD = """\
# The configuration of aiproxy. `aiproxy-config validate` checks it; the gateway reads it again when it changes.
# Every key there is: configs/full.yaml of the project, or configs/README.md.
# Text may hold ${NAME} or ${NAME:-default} (environment variables); a secret may be {file: PATH}.

# Where to listen. "" is every address of this machine.
host: 127.0.0.1
port: 8317

# Keys that clients must show, as a bearer token or `x-api-key`. This one was made at random for you.
api-keys:
"""

_OPENAI = """\

# Accounts at OpenAI. With several, the gateway takes turns and fails over.
openai-api-key:
  - api-key: ${OPENAI_API_KEY}
"""

_OPENAI_ABSENT = """\

# Accounts at OpenAI. With several, the gateway takes turns and fails over.
# openai-api-key:
#   - api-key: ${OPENAI_API_KEY}
"""

_REST = """\

# Any OpenAI-compatible upstream: OpenRouter, Groq, vLLM, llama.cpp, Ollama, …
# openai-compatibility:
#   - name: openrouter
#     base-url: https://openrouter.ai/api/v1
#     api-key-entries:
#       - api-key: ${OPENROUTER_API_KEY}
#     models:
#       - name: deepseek/deepseek-chat   # the upstream's name
#         alias: deepseek                # what clients ask for
"""


def starter(environ: Mapping[str, str]) -> str:
    """The text, made for this environment: variables are referred to, their values never written."""
    text = f"{_HEAD}  - aiproxy-{secrets.token_urlsafe(32)}\n"
    if environ.get("OPENAI_API_KEY"):
        text += _OPENAI
        if environ.get("OPENAI_BASE_URL"):
            text += "    base-url: ${OPENAI_BASE_URL}\n"
    else:
        text += _OPENAI_ABSENT
    return text + _REST


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only its owner can read; when it replaces one, a reader sees the old or the new, never half.

    Raises `FileExistsError` when it exists and may not be replaced."""
    if replace:
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            file.write(text)
        try:
            os.replace(file.name, path)
        except OSError:
            os.unlink(file.name)
            raise
    else:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as new:
            new.write(text)
