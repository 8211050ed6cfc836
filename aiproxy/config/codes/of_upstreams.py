"""Codes about upstreams, and the models that clients reach by them."""

from collections.abc import Mapping

from aiproxy.config.codes.explanation import Explanation

OF_UPSTREAMS: Mapping[str, Explanation] = {
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
}
