"""Rules that span keys, each with its code. They see settings that were read, and skip what could not be."""

from collections.abc import Iterator
from ipaddress import ip_address

from aiproxy.config.problems import Problem, Severity, problem_at
from aiproxy.config.read import Reading
from aiproxy.config.schema import Settings


def check(settings: Settings, reading: Reading) -> list[Problem]:
    return list(_exposure(settings, reading))


def _exposure(settings: Settings, reading: Reading) -> Iterator[Problem]:
    if settings.api_keys or reading.failed("api-keys") or is_loopback(settings.host):
        return
    message = "listening beyond this machine needs `api-keys`, or anyone who reaches it spends your accounts"
    yield problem_at(reading.place("host"), Severity.ERROR, "exposed-without-keys", message, path="host")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
