"""Codes of findings about other gateways' files: those of `aiproxy-config import`."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_IMPORTS: Mapping[str, Explanation] = {
    "not-taken-over": Explanation(
        "A key of the other gateway's file that has no equal here, or whose value is refused here; the rest was taken over without it.",
        "# CLIProxyAPI's\ncommercial-mode: true",
        "# CLIProxyAPI's\nport: 8317",
    ),
    "taken-over-differently": Explanation(
        "A key of the other gateway's file that means something a little different here; the message says what.",
        "# CLIProxyAPI's\ngemini-api-key: [{api-key: some-upstream-key, priority: 10}]",
        "# CLIProxyAPI's\ngemini-api-key: [{api-key: some-upstream-key}]",
    ),
}
