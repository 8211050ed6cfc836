"""Every code a problem can carry, explained with an example. Codes are stable: people put them into their CI."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code means and what to do about it, YAML that has the problem, and the same mended.

    Comments at the start of an example say what is needed besides: variables, options, files."""

    words: str
    example: str
    mended: str


CODES: Mapping[str, Explanation] = {
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
        "ws-auth: true",
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
    # Who may call
    "exposed-without-keys": Explanation(
        "The gateway would answer other machines without asking for a key. Add `api-keys`, or listen on 127.0.0.1.",
        'host: ""',
        'host: ""\napi-keys: ["${TEAM_KEY}"]',
    ),
    "duplicate-client-key": Explanation(
        "The same client key twice. Only one of the holders would be known.",
        "api-keys: [a-key-that-is-long-enough, a-key-that-is-long-enough]",
        "api-keys: [a-key-that-is-long-enough, another-key-that-is-long]",
    ),
    "duplicate-name": Explanation(
        "Two client keys, or two upstream accounts, have the same name; logs could not tell them apart.",
        "api-keys:\n  - {name: a, key: first-long-enough-key}\n  - {name: a, key: second-long-enough-key}",
        "api-keys:\n  - {name: a, key: first-long-enough-key}\n  - {name: b, key: second-long-enough-key}",
    ),
    "duplicate-account": Explanation(
        "The same key at the same upstream twice. It has one limit, and would be tried twice when it is reached.",
        "openai-api-key: [some-upstream-key, some-upstream-key]",
        "openai-api-key: [some-upstream-key, another-upstream-key]",
    ),
    "example-key": Explanation(
        "A key that was copied from an example. Everyone knows it. `aiproxy-config init` makes a random one.",
        "api-keys: [your-api-key-1]",
        'api-keys: ["${TEAM_KEY}"]',
    ),
    "short-key": Explanation(
        "A client key of fewer than 16 characters, or a management key of fewer than 12, can be guessed.",
        "api-keys: [opensesame]",
        "api-keys: [open-sesame-said-forty-thieves]",
    ),
    "long-key": Explanation(
        "A management key of more than 72 bytes: its hash (bcrypt) would cover only the beginning.",
        "remote-management:\n  secret-key: "
        "one-two-three-four-five-six-seven-eight-nine-ten-eleven-twelve-thirteen-fourteen",
        "remote-management:\n  secret-key: a-key-that-is-long-enough",
    ),
    "bad-date": Explanation(
        "A date is written `2099-12-31`, which counts to its end, or with a time: `2099-12-31T18:00`, in UTC unless it names "
        "a zone (`+01:00`).",
        "api-keys: [{key: a-client-key-of-some-length, expires: next year}]",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2099-12-31}]",
    ),
    "expired-key": Explanation(
        "The key's `expires` is past: whoever calls with it is refused. Leave it out, or give it a later date.",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2020-01-01}]",
        "api-keys: [{key: a-client-key-of-some-length, expires: 2099-12-31}]",
    ),
    "bad-key": Explanation(
        "A key travels in an HTTP header: one line of printable ASCII, without blanks.",
        'api-keys: ["two words"]',
        "api-keys: [two-words-without-blank]",
    ),
    "readable-secret": Explanation(
        "The file holds secrets in plain text, and everyone on this machine may read it. `chmod 600` it, or write "
        "`${NAME}` or `{file: PATH}` instead.",
        "# a file of mode 0644\napi-keys: [a-key-that-is-long-enough]",
        "# a file of mode 0600\napi-keys: [a-key-that-is-long-enough]",
    ),
    # Listening
    "tls-incomplete": Explanation(
        "TLS needs both a certificate and its key.",
        "tls: {enable: true}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-unusable": Explanation(
        "The certificate or the key is not PEM, is encrypted, or the two don't belong together.",
        "# cert.pem holds no certificate\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-expired": Explanation(
        "The certificate is not valid today: clients will refuse it.",
        "# cert.pem ended yesterday\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "tls-expiring": Explanation(
        "The certificate ends within 14 days. A renewed one is picked up without a restart.",
        "# cert.pem ends tomorrow\ntls: {enable: true, cert: cert.pem, key: key.pem}",
        "# cert.pem and key.pem are good\ntls: {enable: true, cert: cert.pem, key: key.pem}",
    ),
    "privileged-port": Explanation(
        "Only root may listen on so low a port, unless the service is given CAP_NET_BIND_SERVICE.",
        "# not as root\nport: 443",
        "# not as root\nport: 8443",
    ),
    # The store
    "incomplete-store": Explanation(
        "A store of this type lacks something that it can't be reached without.",
        "store: {type: s3}",
        'store: {type: s3, s3: {endpoint: s3.example, bucket: gateway, access-key: gateway, secret-key: "${S3_KEY}"}}',
    ),
    "bad-store-address": Explanation(
        "The address of a store is not one, or holds a login that belongs into keys of its own.",
        "store: {git: {url: 'https://me:secret@git.example/gateway.git'}}",
        "store: {git: {url: 'https://git.example/gateway.git', username: me, token: \"${GIT_TOKEN}\"}}",
    ),
    # State
    "bad-state": Explanation(
        "State is kept in a SQLite file (a name, also of a file that doesn't exist yet), in PostgreSQL (a `postgresql://` "
        "URL; needs `pip install 'aiproxy[postgres]'`), or in `memory`.",
        "state: mysql://localhost/aiproxy",
        "state: /var/lib/aiproxy/state.db",
    ),
    # Upstreams
    "bad-proxy-url": Explanation(
        "A proxy is `http://`, `https://`, `socks5://` or `socks5h://`, with `USER:PASSWORD@` where needed, then a host "
        "and a port; special characters in a password are percent-encoded. `direct` uses none.",
        "proxy-url: proxy.example:3128",
        "proxy-url: http://proxy.example:3128",
    ),
    "bad-base-url": Explanation(
        "An upstream's address is `http://` or `https://` and a host, with the path up to the version: no endpoint, no "
        "query, no password.",
        "openai-compatibility:\n  - {name: a, base-url: https://api.example/v1/chat/completions}",
        "openai-compatibility:\n  - {name: a, base-url: https://api.example/v1}",
    ),
    "base-url-without-version": Explanation(
        "The address does not end in a version such as `/v1`, which nearly every OpenAI-compatible server wants.",
        "openai-compatibility:\n  - {name: a, base-url: https://api.example}",
        "openai-compatibility:\n  - {name: a, base-url: https://api.example/v1}",
    ),
    "bad-network": Explanation(
        "A network is an address with the length of its prefix, such as `10.1.2.0/24` or `fd00::/8`, without bits beyond it.",
        "media-fetch: {enabled: true, allow: [10.1.2.3/24]}",
        "media-fetch: {enabled: true, allow: [10.1.2.0/24]}",
    ),
    "bad-header": Explanation(
        "Not a header: its name is no HTTP token, its value has a line break or is not Latin text, or aiproxy sets it "
        "itself.",
        "openai-api-key:\n  - {api-key: some-upstream-key, headers: {a b: c}}",
        "openai-api-key:\n  - {api-key: some-upstream-key, headers: {a-b: c}}",
    ),
    "bad-name": Explanation(
        "A prefix or a provider's name that can't stand in a model name or a header: printable ASCII, without `/` in a "
        "prefix.",
        "openai-api-key:\n  - {api-key: some-upstream-key, prefix: a/b}",
        "openai-api-key:\n  - {api-key: some-upstream-key, prefix: a-b}",
    ),
    "bad-service-account": Explanation(
        "Not the JSON of a Google service account, or one that can't sign: a field is missing, the key is not PEM, is "
        "encrypted or not RSA, or the token address is not https.",
        'vertex-api-key:\n  - service-account: "{}"',
        "# account.json is from Google\nvertex-api-key:\n  - service-account: {file: account.json}",
    ),
    "two-logins": Explanation(
        "An entry is one account: it has a key or a service account, not both.",
        'vertex-api-key:\n  - {api-key: some-upstream-key, service-account: "{}"}',
        "# account.json is from Google\nvertex-api-key:\n  - api-key: some-upstream-key\n  - service-account: {file: account.json}",
    ),
    "without-effect": Explanation(
        "A setting that changes nothing where it stands.",
        "vertex-api-key:\n  - {api-key: some-upstream-key, location: europe-west4}",
        "vertex-api-key:\n  - {api-key: some-upstream-key}",
    ),
    # Models
    "duplicate-model": Explanation(
        "The same model under the same name twice in one entry. Different models under one alias stand in for one another; "
        "the same one can't.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [{name: a, alias: x}, {name: a, alias: x}]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [{name: a, alias: x}, {name: b, alias: x}]}",
    ),
    "unknown-provider": Explanation(
        "No upstream in this file is at a provider of this name.",
        "openai-api-key: [some-upstream-key]\nrouting: {default-provider: gemini}",
        "openai-api-key: [some-upstream-key]\nrouting: {default-provider: openai}",
    ),
    "all-models-excluded": Explanation(
        "`excluded-models` leaves this entry without any model.",
        'openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4], excluded-models: ["gpt-*"]}',
        'openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4], excluded-models: ["*-preview"]}',
    ),
    "unreachable-model": Explanation(
        "Clients can't reach this model: it is excluded by its own entry, or no client key's `models` allow it.",
        "api-keys: [{key: a-key-that-is-long-enough, models: [gpt-*]}]\n"
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [o9]}",
        "api-keys: [{key: a-key-that-is-long-enough, models: [gpt-*, o9]}]\nopenai-api-key:\n  - {api-key: some-upstream-key, models: [o9]}",
    ),
    "shadowed-alias": Explanation(
        "An alias is also the own name of another listed model. Whoever asks for that name gets the one or the other, or never "
        "the one that was there first.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [{name: small, alias: large}, large]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [{name: small, alias: quick}, large]}",
    ),
    "hidden-by-prefix": Explanation(
        "A `prefix` takes names away: what begins with `PREFIX/` is looked for at entries of that prefix only, and with "
        "`force-model-prefix` their models have no other names.",
        "force-model-prefix: true\nopenai-api-key:\n  - {api-key: some-upstream-key, prefix: team}",
        "openai-api-key:\n  - {api-key: some-upstream-key, prefix: team}",
    ),
    "open-key": Explanation(
        "Some client keys are limited to certain models, and this one is not: it may use all. If that is meant, say it.",
        "api-keys:\n  - {key: a-key-that-is-long-enough, models: [gpt-*]}\n  - another-key-that-is-long-enough",
        'api-keys:\n  - {key: a-key-that-is-long-enough, models: [gpt-*]}\n  - {key: another-key-that-is-long-enough, models: ["*"]}',
    ),
    # What upstreams say (`--online`)
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
    # What is changed in requests
    "bad-json-path": Explanation(
        "A path into a JSON body is made of names and numbers with dots between them: `generationConfig.topK`, `stop.0`, "
        '`messages.-1` (append), `messages.#.name` (every element), `tools.#(type=="web_search")` (the first that matches, '
        "with `#` after it all of them). A dot that belongs to a name is written `\\.`.",
        "payload:\n  filter:\n    - {models: [gpt-*], params: [metadata..user]}",
        "payload:\n  filter:\n    - {models: [gpt-*], params: [metadata.user]}",
    ),
    "bad-json": Explanation(
        "`default-raw` and `override-raw` take JSON; this text is none.",
        'payload:\n  override-raw:\n    - {models: [gpt-*], params: {stop: "[1"}}',
        'payload:\n  override-raw:\n    - {models: [gpt-*], params: {stop: "[1]"}}',
    ),
    "prompt-twice": Explanation(
        "A system prompt comes from `file` or from `text`, not from both.",
        "# prompt.txt is there\nsystem-prompt: {file: prompt.txt, text: Be brief.}",
        "system-prompt: {text: Be brief.}",
    ),
    # Fallbacks and failures
    "unknown-fallback": Explanation(
        "A provider that doesn't exist, or a model that no account offers, is to stand in for another.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4]}\nmodel-fallback: {gpt-5.4: [gpt-6]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4, gpt-6]}\nmodel-fallback: {gpt-5.4: [gpt-6]}",
    ),
    "fallback-loop": Explanation(
        "What stands in for a provider or a model leads back to it, over one link or several.",
        "provider-fallback-chain: {openai: [claude], claude: [openai]}",
        "openai-api-key: [some-upstream-key]\nclaude-api-key: [another-upstream-key]\nprovider-fallback-chain: {openai: [claude]}",
    ),
    "idle-fallback": Explanation(
        "What is to stand in never can: the provider lists no model that the other one has, or nobody offers the model that "
        "is to be stood in for.",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4]}\nmodel-fallback: {gpt-6: [gpt-5.4]}",
        "openai-api-key:\n  - {api-key: some-upstream-key, models: [gpt-5.4, gpt-6]}\nmodel-fallback: {gpt-6: [gpt-5.4]}",
    ),
    "bad-pattern": Explanation(
        "`match-regexr` holds regular expressions in Python's spelling.",
        'request-scoped-errors:\n  - {status: 400, match-regexr: ["("], action: continue}',
        'request-scoped-errors:\n  - {status: 400, match-regexr: ["[(]"], action: continue}',
    ),
    "rule-for-everything": Explanation(
        "A rule on failures names neither a status nor words, so that it fits them all.",
        "request-scoped-errors:\n  - {action: continue}",
        "request-scoped-errors:\n  - {status: 400, action: continue}",
    ),
}

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
"""Codes of findings about other gateways' files: those of `aiproxy-config import`."""

EXPLANATIONS: Mapping[str, Explanation] = {**CODES, **OF_IMPORTS}
