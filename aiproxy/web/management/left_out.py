"""What CLIProxyAPI's management API has and ours has not, each with its reason, which is what whoever asks for it is told."""

from collections.abc import Mapping

LEFT_OUT: Mapping[str, str] = {
    "api-call": "no address of a client's choice is asked with an account's token; POST /v0/management/accounts/ACCOUNT/test asks an account",
    "plugins": "extensions are Python packages, installed beside the gateway; none is loaded or fetched while it runs",
    "plugin-store": "extensions are Python packages, installed beside the gateway; none is loaded or fetched while it runs",
    "interactions-api-key": "Google's Interactions API is not spoken; `gemini-api-key` reaches the same models by the Gemini API",
    "xai-auth-url": "xAI's login is for xAI's own program; `xai-api-key` takes API keys",
}
"""By the path's first step.

Headers are left out, too: `X-CPA-VERSION`, `X-CPA-COMMIT`, `X-CPA-BUILD-DATE` and `X-CPA-SUPPORT-PLUGIN` would say that this is CLIProxyAPI, of a
version of theirs."""


def why_not(path: str) -> str:
    """The reason, for a path below the root; "" where it isn't one of these."""
    return LEFT_OUT.get(path.strip("/").partition("/")[0], "")
