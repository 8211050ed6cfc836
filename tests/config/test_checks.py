"""The rules across keys: one row a rule, and what is close to it but fine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from aiproxy.catalogue.providers import WITH_LOGINS
from aiproxy.config import load_config
from aiproxy.config.listening_rules import UNPRIVILEGED_PORTS
from aiproxy.config.problems import ConfigurationInvalid, Severity
from aiproxy.registry import load_registry
from tests.config.reading import KEY, codes, problems

UPSTREAM = "openai-api-key: [{api-key: some-upstream-key, "
COMPATIBLE = "openai-compatibility: [{name: a, base-url: "


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('host: ""', ("exposed-without-keys", 1, 7)),
        ("host: 0.0.0.0", ("exposed-without-keys", 1, 7)),
        ("host: '::'", ("exposed-without-keys", 1, 7)),
        (f"host: 192.0.2.1\napi-keys: [{KEY}]", ("bad-host", 1, 7)),
        ("tls: {enable: true}", ("tls-incomplete", 1, 6)),
        ("tracing: {otlp-endpoint: 'collector:4318'}", ("bad-tracing", 1, 26)),
        ("tracing: {otlp-endpoint: 'http://me:secret@collector:4318'}", ("bad-tracing", 1, 26)),
        ("tracing: {headers: {authorization: 'ключ'}}", ("bad-tracing", 1, 36)),
        (f"api-keys: [{KEY}, {KEY}]", ("duplicate-client-key", 1, 41)),
        (f"api-keys:\n  - {{name: a, key: {KEY}}}\n  - {{name: a, key: {KEY}2}}", ("duplicate-name", 3, 12)),
        ("api-keys: [fifteen-letters]", ("short-key", 1, 12)),
        ("api-keys: ['two words of a key']", ("bad-key", 1, 12)),
        ("api-keys: [schlüssel-mit-umlaut]", ("bad-key", 1, 12)),
        ('openai-api-key: ["two\\nlines"]', ("bad-key", 1, 18)),
        ("openai-api-key: [same-key, same-key]", ("duplicate-account", 1, 28)),
        ("openai-api-key:\n  - {api-key: key-a, name: n}\n  - {api-key: key-b, name: n}", ("duplicate-name", 3, 28)),
        (f"{COMPATIBLE}'http://a/v1'}}, {{name: a, base-url: 'http://b/v1'}}]", ("duplicate-name", 1, 67)),
        (f"{UPSTREAM}models: [{{name: a, alias: x}}, {{name: a, alias: x}}]}}]", ("duplicate-model", 1, 77)),
        (f"{UPSTREAM}models: [a, a]}}]", ("duplicate-model", 1, 59)),
        ("routing: {default-provider: nobody}", ("unknown-provider", 1, 29)),
        (f"{UPSTREAM}}}]\nprovider-fallback-chain: {{openai: [nobody]}}", ("unknown-fallback", 2, 36)),
        (f"{UPSTREAM}}}]\nprovider-fallback-chain:\n  openai: [claude]", ("unknown-provider", 3, 12)),
        (f"{UPSTREAM}}}]\nhealth-check: {{providers: [nobody]}}", ("unknown-fallback", 2, 28)),
        (f"{UPSTREAM}models: [a]}}]\nmodel-fallback: {{a: [b]}}", ("unknown-fallback", 2, 22)),
        ("request-scoped-errors:\n  - {status: 400, match-regexr: ['(']}", ("bad-pattern", 2, 34)),
        ("request-scoped-errors:\n  - {action: continue}", ("rule-for-everything", 2, 5)),
        (f"{UPSTREAM}}}]\nmodel-alias:\n  claude: [{{name: a, alias: b}}]", ("unknown-provider", 3, 3)),
        (f"{UPSTREAM}}}]\noauth-excluded-models: {{grok: [a]}}", ("unknown-provider", 2, 25)),
        (f"{UPSTREAM}}}]\noauth-request-scoped-errors: {{kimi: [{{match-regexr: ['(']}}]}}", ("bad-pattern", 2, 54)),
        (f"{UPSTREAM}models: [a]}}]\nmodel-alias: {{openai: [{{name: b, alias: c}}]}}", ("without-effect", 2, 24)),
        (f"{UPSTREAM}models: [a, c]}}]\nmodel-alias: {{openai: [{{name: a, alias: c}}]}}", ("shadowed-alias", 2, 24)),
        (f"{UPSTREAM}models: [{{name: a, alias: b}}, b]}}]", ("shadowed-alias", 1, 73)),
        (f"{UPSTREAM}models: [x/a]}}]\nclaude-api-key: [{{api-key: k, prefix: x}}]", ("hidden-by-prefix", 1, 56)),
        (f"force-model-prefix: true\n{UPSTREAM}prefix: x}}]", ("hidden-by-prefix", 1, 21)),
        (f"{UPSTREAM}prefix: x}}]\napi-keys: [{{key: {KEY}, prefixes: [y]}}]", ("without-effect", 2, 58)),
        (f"api-keys: [{{key: {KEY}, models: [m]}}, {KEY}2]", ("open-key", 1, 61)),
        (f"{UPSTREAM}models: [a]}}]\nmodel-fallback: {{b: [a]}}", ("idle-fallback", 2, 18)),
        (
            f"{UPSTREAM}models: [a]}}]\nclaude-api-key: [{{api-key: k, models: [b]}}]\n"
            "provider-fallback-chain: {openai: [claude]}",
            ("idle-fallback", 3, 36),
        ),
        ("upstreams: {codec: {base-url: 'https://a.example'}}", ("unknown-provider", 1, 13)),
        ("oauth-clients: {gemini: {client-id: a}}", ("unknown-provider", 1, 17)),
        ("payload:\n  default:\n    - {models: [m], params: {a..b: 1}}", ("bad-json-path", 3, 30)),
        ("payload:\n  filter:\n    - {models: [m], params: [a, 'b.#(x)']}", ("bad-json-path", 3, 33)),
        ("payload:\n  filter:\n    - {models: [{name: m, exist: ['']}], params: [a]}", ("bad-json-path", 3, 35)),
        ("payload:\n  filter:\n    - {models: [{name: m, match: [{'a.': 1}]}], params: [a]}", ("bad-json-path", 3, 36)),
        ("payload:\n  override-raw:\n    - {models: [m], params: {a: '{'}}", ("bad-json", 3, 30)),
        ("payload:\n  filter:\n    - {models: [{name: m, protocol: opneai}], params: [a]}", ("unknown-value", 3, 37)),
        ("payload:\n  filter:\n    - {params: [a]}", ("missing-key", 3, 7)),
        ("system-prompt: {file: no-such-file}", ("unreadable-file", 1, 23)),
        (f"{UPSTREAM}models: [gpt-a, gpt-b], excluded-models: ['gpt-*']}}]", ("all-models-excluded", 1, 88)),
        (f"{UPSTREAM}excluded-models: ['*']}}]", ("all-models-excluded", 1, 64)),
        (f"{UPSTREAM}models: [gpt-a, b], excluded-models: ['GPT-*']}}]", ("unreachable-model", 1, 56)),
        (f"{UPSTREAM}models: [o9]}}]\napi-keys: [{{key: {KEY}, models: ['gpt-*']}}]", ("unreachable-model", 1, 56)),
        (f"{UPSTREAM}headers: {{'a b': c}}}}]", ("bad-header", 1, 57)),
        (f"{UPSTREAM}headers: {{Host: c}}}}]", ("bad-header", 1, 57)),
        (f'{UPSTREAM}headers: {{X-Y: "a\\r\\nb: c"}}}}]', ("bad-header", 1, 57)),
        (f"{UPSTREAM}prefix: a/b}}]", ("bad-name", 1, 55)),
        ("openai-compatibility: [{name: 名, base-url: 'http://a/v1'}]", ("bad-name", 1, 31)),
        (f"{COMPATIBLE}ftp://a/v1}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}a.example/v1}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}'http://u:p@a/v1'}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}'http://a/v1?k=v'}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}'http://a:99999/v1'}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}'http://a/v1/chat/completions'}}]", ("bad-base-url", 1, 44)),
        (f"{COMPATIBLE}'http://a/api'}}]", ("base-url-without-version", 1, 44)),
        ("proxy-url: proxy.example:3128", ("bad-proxy-url", 1, 12)),
        ("proxy-url: 127.0.0.1:3128", ("bad-proxy-url", 1, 12)),
        ("proxy-url: socks4://proxy.example:3128", ("bad-proxy-url", 1, 12)),
        ("proxy-url: 'http://u:p@ss/word@proxy.example:3128'", ("bad-proxy-url", 1, 12)),
        ("proxy-url: 'http://:3128'", ("bad-proxy-url", 1, 12)),
        (f"{UPSTREAM}proxy-url: none}}]", ("bad-proxy-url", 1, 58)),
    ],
)
def test_one_finding(text: str, found: tuple[str, int, int]) -> None:
    assert codes(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        f"host: 0.0.0.0\napi-keys: [{KEY}]",
        "host: localhost",
        "host: '::1'",
        "host: 127.8.8.8",
        "tls: {enable: false, cert: absent.pem}",
        "openai-api-key: [same-key, {api-key: same-key, base-url: 'http://a/v1'}]",
        "openai-api-key: [dummy]",
        f"{UPSTREAM}models: [a, {{name: a, alias: b}}]}}]",
        f"{UPSTREAM}models: [a], prefix: p}}]\napi-keys: [{{key: {KEY}, models: ['p/*']}}]",
        f"{UPSTREAM}models: [o9]}}]\napi-keys: [{{key: {KEY}, models: ['*']}}, {{key: {KEY}2, models: ['gpt-*']}}]",
        f"{COMPATIBLE}'https://a.example/api/paas/v4/'}}]",
        f"{COMPATIBLE}'https://a.example/v1beta/openai/'}}]",
        f"{COMPATIBLE}'http://[::1]:8000/v1', proxy-url: direct}}]",
        "proxy-url: socks5h://user:pass%40word@proxy.example",
    ],
)
def test_nothing_to_find(text: str) -> None:
    assert problems(text) == ()


@pytest.mark.parametrize(
    "key",
    ["your-api-key-1", "YOUR_API_KEY", "sk-your-key-here", "changeme", "sk-xxxxxxxx", "sk-...", "<key>", "sk-1234"],
)
def test_keys_of_examples(key: str) -> None:
    assert ("example-key", 1, 12) in codes(f"api-keys: ['{key}']")
    assert codes(f"openai-api-key: ['{key}']") == [("example-key", 1, 18)]


def test_what_could_not_be_read_is_not_absent() -> None:
    assert codes("host: 0.0.0.0\napi-keys: [{key: [x]}]") == [("wrong-type", 2, 18)]
    assert codes("host: 0.0.0.0\napi-keys: nonsense") == [("wrong-type", 2, 11)]
    assert codes("openai-api-key: [[], a, a]") == [("wrong-type", 1, 18), ("duplicate-account", 1, 25)]


def test_low_ports_belong_to_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert UNPRIVILEGED_PORTS.is_absolute()
    monkeypatch.setattr("aiproxy.config.listening_rules.UNPRIVILEGED_PORTS", tmp_path / "absent")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert codes("port: 443") == [("privileged-port", 1, 7)]
    assert codes("port: 0") == codes("port: 1024") == []
    (tmp_path / "absent").write_text("80\n")
    assert codes("port: 443") == []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert codes("port: 79") == []


@pytest.mark.parametrize(
    ("mode", "text", "found"),
    [
        (0o644, f"api-keys: [{KEY}]", [("readable-secret", 1, 12)]),
        (0o644, "port: 1024\nproxy-url: http://u:password@h:1", [("readable-secret", 2, 12)]),
        (0o640, f"api-keys: [{KEY}]", []),
        (0o644, "api-keys: ['${KEY}']", []),
        (0o644, "port: 1024", []),
    ],
)
def test_secrets_that_everyone_can_read(mode: int, text: str, found: list[object], tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(text)
    file.chmod(mode)
    warnings = load_config(str(file), environ={"KEY": KEY}).warnings
    assert [(problem.code, problem.line, problem.column) for problem in warnings] == found


class Certificates:
    """Certificates and keys in a directory, by name."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._authority = trustme.CA()

    def add(self, name: str, begins_in: float, ends_in: float) -> None:
        now = datetime.now(UTC)
        leaf = self._authority.issue_cert(
            "localhost", not_before=now + timedelta(days=begins_in), not_after=now + timedelta(days=ends_in)
        )
        leaf.private_key_pem.write_to_path(str(self._directory / f"{name}.key"))
        for blob in leaf.cert_chain_pems:
            blob.write_to_path(str(self._directory / f"{name}.pem"), append=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    made = Certificates(directory)
    made.add("good", -1, 90)
    made.add("other", -1, 90)
    made.add("ended", -10, -1)
    made.add("early", 5, 90)
    made.add("ending", -10, 13)
    (directory / "junk.pem").write_text("no certificate")
    (directory / "junk.key").write_text("no key")
    encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"
    (directory / "locked.key").write_text(encrypted)
    return directory


@pytest.mark.parametrize(
    ("cert", "key", "found"),
    [
        ("good.pem", "good.key", []),
        ("ending.pem", "ending.key", [("tls-expiring", "tls.cert", Severity.WARNING)]),
        ("ended.pem", "ended.key", [("tls-expired", "tls.cert", Severity.ERROR)]),
        ("early.pem", "early.key", [("tls-expired", "tls.cert", Severity.ERROR)]),
        ("good.pem", "other.key", [("tls-unusable", "tls.key", Severity.ERROR)]),
        ("junk.pem", "good.key", [("tls-unusable", "tls.cert", Severity.ERROR)]),
        ("good.pem", "junk.key", [("tls-unusable", "tls.key", Severity.ERROR)]),
        ("good.pem", "locked.key", [("tls-unusable", "tls.key", Severity.ERROR)]),
        ("good.pem", "absent.key", [("unreadable-file", "tls.key", Severity.ERROR)]),
        (".", "good.key", [("unreadable-file", "tls.cert", Severity.ERROR)]),
        ("good.pem", "", [("tls-incomplete", "tls", Severity.ERROR)]),
    ],
)
def test_certificates(cert: str, key: str, found: list[object], certificates: Path) -> None:
    file = certificates / "a.yaml"
    file.write_text(f"tls:\n  enable: true\n  cert: {cert}\n  key: {key}\n")
    try:
        read = load_config(str(file), environ={})
    except ConfigurationInvalid as invalid:
        report = invalid.problems
    else:
        report = read.warnings
        assert read.files == (file, certificates / cert, certificates / key)
    assert [(problem.code, problem.path, problem.severity) for problem in report] == found


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("model-fallback:\n  a: [b]\n  b: [c]\n  c: [a]", [2, 3, 4]),
        ("model-fallback:\n  a: [b]\n  b: [b]", [3]),
        ("model-fallback:\n  a: [b, c]\n  b: [d]\n  c: [d]", []),
        ("model-fallback:\n  a: [b]\n  b: [c]\n  c: [b]", [3, 4]),
    ],
)
def test_whoever_stands_in_does_not_lead_back(text: str, lines: list[int]) -> None:
    assert codes(text) == [("fallback-loop", line, 3) for line in lines]


def test_providers_lead_back_under_any_of_their_names() -> None:
    entries = f"{UPSTREAM}}}]\nclaude-api-key: [{{api-key: another-key}}]\n"
    text = entries + "provider-fallback-chain:\n  OpenAI: [claude-custom]\n  claude: [openai]"
    assert codes(text) == [("fallback-loop", 4, 3), ("fallback-loop", 5, 3)]


def test_a_login_may_be_what_a_name_means(tmp_path: Path) -> None:
    text = f"auth-dir: {tmp_path}\nrouting: {{default-provider: codex}}\nopenai-api-key: [k]\nmodel-alias: {{codex: [{{name: a, alias: b}}]}}"
    assert [problem.code for problem in problems(text)] == ["unknown-provider", "unknown-provider"]
    (tmp_path / "codex-somebody.json").write_text("{}")
    assert problems(text) == ()


def test_the_providers_that_log_in() -> None:
    assert sorted(load_registry(()).logins) == list(WITH_LOGINS)


def test_tracing_without_its_extra_is_found_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiproxy.config.tracing_rules.find_spec", lambda _name: None)
    (found,) = problems("tracing: {otlp-endpoint: 'http://127.0.0.1:4318'}")
    assert found.code == "bad-tracing"
    assert "aiproxy[otel]" in found.message
