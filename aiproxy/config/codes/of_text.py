"""Codes of what is wrong with the text itself: YAML, keys, values, variables."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_TEXT: Mapping[str, Explanation] = {
    # The file
    "unreadable-file": Explanation(
        "A file that is named here can't be read: it is missing, not permitted, too large, or not text. Relative names "
        "start at the configuration's own directory.",
        "# client-key is missing\napi-keys:\n  - {file: client-key}",
        "# client-key is there\napi-keys:\n  - {file: client-key}",
    ),
    "unwritable-file": Explanation(
        "The gateway can't write a file that is named here: its directory doesn't exist, it is a directory itself, or "
        "whoever runs this may not.",
        "logging: {file: no-such-directory/aiproxy.log}",
        "logging: {file: aiproxy.log}",
    ),
    "yaml-syntax": Explanation(
        "The file is not YAML from this place on. The caret shows where reading stopped, or the beginning of what never "
        "ends; the cause is often just before it: a missing space after `:`, a quote that isn't closed, a tab, or `${NAME}` unquoted inside `[…]` or `{…}`.",
        "api-keys: [${TEAM_KEY}]",
        'api-keys: ["${TEAM_KEY}"]',
    ),
    "yaml-alias": Explanation(
        "An alias (`*name`) without a finished anchor (`&name`) above it.",
        "timeouts: *defaults",
        "x-defaults: &defaults {connect: 5}\ntimeouts: *defaults",
    ),
    "yaml-depth": Explanation(
        "Lists and mappings are nested far deeper than any setting.", "host: " + "[" * 41 + "]" * 41, "host: localhost"
    ),
    "yaml-tag": Explanation(
        "A tag other than `!!str`. Variables are written `${NAME}`.",
        "api-keys: [!env TEAM_KEY]",
        'api-keys: ["${TEAM_KEY}"]',
    ),
    # Keys
    "duplicate-key": Explanation(
        "The same key twice in one mapping. YAML readers disagree on which one counts, so neither does.",
        "port: 8317\nport: 8318",
        "port: 8318",
    ),
    "unknown-key": Explanation(
        "No setting of this name exists at this place. Keys are kebab-case. Top-level keys that begin with `x-` are "
        "ignored and may hold anchors.",
        "api_keys: [a-key-that-is-long-enough]",
        "api-keys: [a-key-that-is-long-enough]",
    ),
    "not-yet": Explanation(
        "A key that aiproxy knows of but that this version does not act on. Leaving it out changes nothing.",
        "proxy-providers: []",
        "port: 8317",
    ),
    "missing-key": Explanation(
        "A mapping lacks a key that it needs, or the key holds nothing (a variable that is set but empty, for one).",
        "openai-compatibility:\n  - name: local",
        "openai-compatibility:\n  - name: local\n    base-url: http://127.0.0.1:8000/v1",
    ),
    # Values
    "wrong-type": Explanation(
        "Another kind of value is wanted: text, a number, true or false, a list, a mapping. A key made of digits must be "
        "quoted, or YAML reads a number. `yes` and `on` are text in YAML 1.2.",
        "tls: {enable: yes}",
        "tls: {enable: false}",
    ),
    "out-of-range": Explanation(
        "The number is smaller or larger than this setting allows.", "port: 99999", "port: 9999"
    ),
    "unknown-value": Explanation(
        "Only certain words are allowed here.", "routing: {strategy: random}", "routing: {strategy: round-robin}"
    ),
    "bad-text": Explanation(
        "The text holds a character that nothing can carry: NUL, or half of a surrogate pair.",
        'proxy-url: "\\0"',
        'proxy-url: ""',
    ),
    # Variables and overrides
    "unset-variable": Explanation(
        "`${NAME}` names an environment variable that is not set. `${NAME:-default}` gives a default.",
        "proxy-url: ${NO_SUCH_VARIABLE}",
        "proxy-url: ${NO_SUCH_VARIABLE:-direct}",
    ),
    "bad-reference": Explanation(
        "`${` must be followed by a variable's name and `}`. `$${` stands for a literal `${`.",
        'proxy-url: "${1}"',
        'proxy-url: "${PROXY_URL}"',
    ),
    "unknown-variable": Explanation(
        "A variable of the form `AIPROXY__SECTION__KEY` that names no setting.",
        "# AIPROXY__PROT=8080",
        "# AIPROXY__PORT=8080",
    ),
    "set-twice": Explanation(
        "A variable and its `_FILE` twin are both set.",
        "# AIPROXY__PROXY_URL=http://proxy.example:3128\n# AIPROXY__PROXY_URL_FILE=/run/secrets/proxy",
        "# AIPROXY__PROXY_URL=http://proxy.example:3128",
    ),
    "bad-override": Explanation(
        "`--set` wants `key.path=value`; list entries have numbers.", "# --set port", "# --set port=8080"
    ),
}
