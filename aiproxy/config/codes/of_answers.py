"""Codes about what upstreams say when they are asked: those of `validate --online`."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_ANSWERS: Mapping[str, Explanation] = {
    "upstream-unreachable": Explanation(
        "Nobody answers at this upstream's address, or its proxy won't go there. Check the address, the name server, the "
        "firewall, `proxy-url`.",
        "# nobody listens at port 9 here\nopenai-api-key:\n  - {api-key: a-good-key, base-url: http://127.0.0.1:9/v1}",
        "# port 8000 is an upstream's\nopenai-api-key:\n  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v1}",
    ),
    "upstream-untrusted": Explanation(
        "The upstream's certificate is of an authority that this machine doesn't know, of another name, or expired. "
        "`SSL_CERT_FILE` names further authorities.",
        "# the certificate at port 8000 is of an unknown authority\nopenai-api-key:\n"
        "  - {api-key: a-good-key, base-url: https://localhost:8000/v1}",
        "# the same, and SSL_CERT_FILE names that authority\nopenai-api-key:\n"
        "  - {api-key: a-good-key, base-url: https://localhost:8000/v1}",
    ),
    "upstream-refuses-key": Explanation(
        "The upstream answers that this key is not valid, or not for this.",
        "# port 8000 is an upstream's\nopenai-api-key:\n  - {api-key: a-bad-key, base-url: http://127.0.0.1:8000/v1}",
        "# port 8000 is an upstream's\nopenai-api-key:\n  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v1}",
    ),
    "upstream-without-list": Explanation(
        "The upstream answers, but not with a list of models: often the version at the end of `base-url` is missing. Some "
        "small servers have no list at all.",
        "# port 8000 is an upstream's\nopenai-api-key:\n  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v2}",
        "# port 8000 is an upstream's\nopenai-api-key:\n  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v1}",
    ),
    "model-not-listed": Explanation(
        "The upstream's own list has no model of this name. It may be misspelt, retired, or one that the key may not use.",
        "# port 8000 is an upstream's\nopenai-api-key:\n"
        "  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v1, models: [gpt-0]}",
        "# port 8000 is an upstream's\nopenai-api-key:\n"
        "  - {api-key: a-good-key, base-url: http://127.0.0.1:8000/v1, models: [gpt-5.4]}",
    ),
}
