"""What a newcomer reads when the gateway listens: its address and a line to copy. Pure."""

from collections.abc import Sequence

from aiproxy.config.schema import Settings

_ANY = ("", "0.0.0.0", "::")  # noqa: S104 - addresses to recognise, not to bind


def base_url(settings: Settings, port: int, *, here: str = "0.0.0.0") -> str:  # noqa: S104 - what is shown
    """`here` stands for every address of the machine."""
    scheme = "https" if settings.tls.enable else "http"
    host = here if settings.host in _ANY else settings.host
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def welcome_text(settings: Settings, port: int, models: Sequence[str]) -> str:
    """A curl line that works as it stands; with client keys it names the variable to put one in, never a key."""
    base = base_url(settings, port, here="127.0.0.1")
    key = ' -H "Authorization: Bearer $AIPROXY_KEY"' if settings.api_keys else ""
    model = models[0] if models else "MODEL"
    body = f'{{"model": "{model}", "stream": true, "messages": [{{"role": "user", "content": "Hello!"}}]}}'
    lines = [
        "",
        f"  aiproxy is ready at {base}  (base URL for OpenAI clients: {base}/v1)",
        "",
        "  Try it:",
        f"    curl -N {base}/v1/chat/completions{key} -H 'Content-Type: application/json' -d '{body}'",
        "",
        "",
    ]
    return "\n".join(lines)


def setup_text(settings: Settings, port: int, token: str) -> str:
    """What stands behind `#` stays in the browser: no log and no proxy sees the token."""
    base = base_url(settings, port, here="127.0.0.1")
    return (
        f"  Open the console and choose a management key (once, within an hour):\n    {base}/console/#setup={token}\n\n"
    )
