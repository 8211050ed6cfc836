"""Who may manage the gateway over HTTP."""

from dataclasses import dataclass

from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class RemoteManagement:
    secret_key: Secret = setting(
        "The management key, of at least 12 characters. Written in the file as it is, it is replaced there by its bcrypt hash at the "
        "next start. Without one, and without the variable `MANAGEMENT_PASSWORD`, there is no management (404).",
        factory=lambda: Secret(""),
        example="${AIPROXY_MANAGEMENT_KEY}",
    )
    allow_remote: bool = setting(
        "Whether other machines may, too; with `MANAGEMENT_PASSWORD` they may in any case.", False
    )
    disable_control_panel: bool = setting("Whether there is no console at `/console/`, only the API.", False)
    trusted_proxies: tuple[str, ...] = setting(
        "Networks of proxies whose `X-Forwarded-For` tells whose request it is. Requests that others forward are never local.",
        (),
        example=["127.0.0.1/32"],
    )
