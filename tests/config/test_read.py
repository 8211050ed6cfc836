"""Values of the file: types, limits, plain forms, interpolation, secrets, and every kind of misspelling."""

from pathlib import Path

import pytest

from aiproxy.config.problems import ConfigurationInvalid, render_problems
from aiproxy.config.schema import LogLevel, ModelEntry, Settings, Strategy
from aiproxy.secrets import Secret
from tests.config.reading import KEY, codes, load, problems


def test_an_empty_file_is_the_built_in_configuration() -> None:
    for text in ("", "# nothing\n", "---\n", "null"):
        assert load(text).settings == Settings()


def test_keys_with_nothing_behind_them_are_as_good_as_absent() -> None:
    assert load("port:\ntls:\napi-keys:\nproxy-url: ~\nrouting:\n  strategy:\n").settings == Settings()


def test_every_kind_of_value() -> None:
    settings = load(
        """
        port: 0x50
        disable-cooling: true
        max-retry-interval: 1e1
        routing: {strategy: fill-first}
        logging: {level: warn, file: /dev/null}
        demo: {enabled: false}
        openai-api-key:
          - api-key: upstream-key
            models: [plain, {name: long, alias: short}]
            headers: {X-Team: a}
            disable-cooling: ~
        """,
        overrides=["port=8081"],
    ).settings
    assert settings.port == 8081
    assert settings.disable_cooling is True
    assert settings.max_retry_interval == 10
    assert settings.routing.strategy is Strategy.FILL_FIRST
    assert (settings.logging.level, settings.logging.file) == (LogLevel.WARN, "/dev/null")
    assert settings.demo.enabled is False
    (entry,) = settings.openai_api_key
    assert entry.models == (ModelEntry("plain"), ModelEntry("long", "short"))
    assert entry.headers == {"X-Team": "a"}
    assert entry.disable_cooling is None


def test_plain_forms() -> None:
    settings = load(
        f"""
        api-keys: [{KEY}, "{{a}}bcdefghijklmnopqr"]
        openai-api-key: [first-upstream-key]
        openai-compatibility:
          - {{name: a, base-url: https://a.example/v1, models: [m], api-key-entries: [second-upstream-key, ""]}}
        """
    ).settings
    assert [client.key.reveal() for client in settings.api_keys] == [KEY, "{a}bcdefghijklmnopqr"]
    assert settings.openai_api_key[0].api_key == Secret("first-upstream-key")
    entry = settings.openai_compatibility[0]
    assert [each.api_key.reveal() for each in entry.api_key_entries] == ["second-upstream-key", ""]
    assert entry.models == (ModelEntry("m"),)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("prot: 1", ("unknown-key", 1, 1)),
        ("port: x", ("wrong-type", 1, 7)),
        ("port: '80'", ("wrong-type", 1, 7)),
        ("port: 80.5", ("wrong-type", 1, 7)),
        ("port: [80]", ("wrong-type", 1, 7)),
        ("port: true", ("wrong-type", 1, 7)),
        ("port: 65536", ("out-of-range", 1, 7)),
        ("port: " + "9" * 90, ("out-of-range", 1, 7)),
        ("port: -1", ("out-of-range", 1, 7)),
        ("timeouts: {idle: .inf}", ("wrong-type", 1, 18)),
        ("timeouts: {idle: .nan}", ("wrong-type", 1, 18)),
        ("timeouts: {idle: 30s}", ("wrong-type", 1, 18)),
        ("tls: {enable: yes}", ("wrong-type", 1, 15)),
        ("tls: on", ("wrong-type", 1, 6)),
        ("routing: {strategy: random}", ("unknown-value", 1, 21)),
        ("api-keys: one-key-only", ("wrong-type", 1, 11)),
        ("api-keys: {a: b}", ("wrong-type", 1, 11)),
        ("api-keys: [[a]]", ("wrong-type", 1, 12)),
        ("api-keys:\n  - \n", ("wrong-type", 2, 4)),
        ("api-keys: [12345678901234567]", ("wrong-type", 1, 12)),
        ("api-keys: [1e3]", ("wrong-type", 1, 12)),
        ("api-keys: [true]", ("wrong-type", 1, 12)),
        ("api-keys: [{name: a}]", ("missing-key", 1, 12)),
        ("api-keys: ['']", ("missing-key", 1, 12)),
        ("proxy-url: 5", ("wrong-type", 1, 12)),
        ('proxy-url: "a\\0b"', ("bad-text", 1, 12)),
        ('proxy-url: "\\ud800"', ("bad-text", 1, 12)),
        ("openai-api-key: [{api-key: some-key, headers: [a]}]", ("wrong-type", 1, 47)),
        ("openai-api-key: [{api-key: some-key, headers: {a: 1}}]", ("wrong-type", 1, 51)),
        ("openai-compatibility: [{name: a}]", ("missing-key", 1, 24)),
        ("[1, 2]", ("wrong-type", 1, 1)),
        ("text", ("wrong-type", 1, 1)),
        ("proxy-providers: []", ("not-yet", 1, 1)),
    ],
)
def test_one_problem_at_its_place(text: str, found: tuple[str, int, int]) -> None:
    assert codes(text) == [found]


@pytest.mark.parametrize(
    ("short", "strategy"),
    [("rr", Strategy.ROUND_ROBIN), ("wrr", Strategy.WEIGHTED_ROUND_ROBIN), ("ff", Strategy.FILL_FIRST)],
)
def test_strategies_by_their_short_names(short: str, strategy: Strategy) -> None:
    assert load(f"routing: {{strategy: {short}}}").settings.routing.strategy is strategy


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("prot", "port"),
        ("api_keys", "api-keys"),
        ("apiKeys", "api-keys"),
        ("API_KEYS", "api-keys"),
        ("api-kyes", "api-keys"),
        ("master_key", "api-keys"),
        ("model_list", "openai-compatibility"),
        ("proxy", "proxy-url"),
        ("proxy_url", "proxy-url"),
        ("num_retries", "request-retry"),
        ("openai", "openai-api-key"),
        ("debug", "logging"),
        ("zzz", ""),
        ("port2", "port"),
    ],
)
def test_a_misspelt_key_names_the_nearest(key: str, meant: str) -> None:
    problem, *rest = problems(f"{key}: 1")
    assert not rest
    assert problem.suggestion == meant
    assert (f"did you mean `{meant}`" in problem.message) == bool(meant)


def test_a_key_at_the_wrong_level_is_told_where_it_belongs() -> None:
    assert "belongs under tls" in problems("cert: x")[0].message
    assert "belongs under the top of the file" in problems("tls: {host: x}")[0].message


def test_a_misspelt_required_key_is_one_problem() -> None:
    assert codes("openai-api-key: [{api_key: some-key}]") == [("unknown-key", 1, 19)]
    assert codes("host: 0.0.0.0\napiKeys: [some-long-enough-key]") == [("unknown-key", 2, 1)]


def test_all_problems_at_once_sorted_by_line() -> None:
    text = "port: x\nhost: 0.0.0.0\napi-keys: [{nam: x}, short-key, short-key]\ntls: {enable: 1}\nprot: 5\n"
    assert codes(text) == [
        ("wrong-type", 1, 7),
        ("missing-key", 3, 12),
        ("unknown-key", 3, 13),
        ("short-key", 3, 22),
        ("duplicate-client-key", 3, 33),
        ("short-key", 3, 33),
        ("wrong-type", 4, 15),
        ("unknown-key", 5, 1),
    ]


def test_an_anchor_used_twice_is_wrong_once_where_it_stands() -> None:
    text = """x-both: &both {api-key: some-key, priority: high}
openai-api-key:
  - <<: *both
  - <<: *both
    api-key: another-key
"""
    assert codes(text) == [("wrong-type", 1, 45)]


def test_suggested_values() -> None:
    assert problems("tls: {enable: yes}")[0].suggestion == "true"
    assert problems("timeouts: {idle: 2m}")[0].suggestion == "120"
    assert problems("port: 8317.0")[0].suggestion == "8317"
    assert problems("routing: {strategy: roundrobin}")[0].suggestion == "round-robin"
    assert problems("port: 70000")[0].suggestion == "65535"
    assert "quote it" in problems("api-keys: [12345678901234567]")[0].message


def test_variables_in_text() -> None:
    environ = {"KEY": KEY, "PORT": "9000", "ON": "true", "EMPTY": "", "HALF": "abc"}
    settings = load(
        """
        port: ${PORT}
        tls: {http2: "${ON}"}
        api-keys: ["${KEY}", '${UNSET:-another-client-key}', "${EMPTY:-a-third-client-key}", "$HALF-$${HALF}-${HALF}-of-it"]
        """,
        environ,
    ).settings
    assert settings.port == 9000
    assert settings.tls.http2 is True
    assert [client.key.reveal() for client in settings.api_keys] == [
        KEY,
        "another-client-key",
        "a-third-client-key",
        "$HALF-${HALF}-abc-of-it",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("api-keys:\n  - ${NOPE}", ("unset-variable", 2, 5)),
        ("proxy-url: http://u:${NOPE}@h:1", ("unset-variable", 1, 12)),
        ("proxy-url: ${}", ("bad-reference", 1, 12)),
        ("proxy-url: ${1A}", ("bad-reference", 1, 12)),
        ("proxy-url: ${OPEN", ("bad-reference", 1, 12)),
        ("port: ${WORD}", ("wrong-type", 1, 7)),
        ("api-keys:\n  - ${EMPTY}", ("missing-key", 2, 5)),
    ],
)
def test_variables_that_do_not_work(text: str, found: tuple[str, int, int]) -> None:
    assert codes(text, {"WORD": "word", "EMPTY": ""}) == [found]


def test_secrets_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    text = "api-keys: [{file: key}, {name: b, key: {file: '${DIR}/other'}}]"
    (tmp_path / "other").write_text("another-client-key\r\n")
    read = load(text, {"DIR": str(tmp_path)}, directory=tmp_path)
    assert [client.key.reveal() for client in read.settings.api_keys] == [KEY, "another-client-key"]
    assert read.files == (tmp_path / "key", tmp_path / "other")
    assert {secret.reveal() for secret in read.secrets} == {KEY, "another-client-key"}


def test_secret_files_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    text = "api-keys:\n  - {file: absent}\n  - {file: binary}\n  - {file: large}\n  - {file: .}\n"
    with pytest.raises(ConfigurationInvalid) as caught:
        load(text, directory=tmp_path)
    found = [(problem.code, problem.line, problem.column) for problem in caught.value.problems]
    assert found == [("unreadable-file", line, 12) for line in (2, 3, 4, 5)]


def test_every_secret_is_known_to_the_scrubber() -> None:
    read = load(
        """
        api-keys: [first-client-key-here]
        proxy-url: http://user:proxy%40password@h:1
        openai-api-key:
          - api-key: upstream-key
            proxy-url: socks5://u:another-password@h:1
            headers: {Authorization: Bearer header-secret, X-Team: team}
        """
    )
    assert {secret.reveal() for secret in read.secrets} == {
        "first-client-key-here",
        "proxy%40password",
        "proxy@password",
        "upstream-key",
        "another-password",
        "Bearer header-secret",
        "header-secret",
    }


def test_a_problem_shows_no_value() -> None:
    text = """
api-keys: sk-canary-1
openai-api-key:
  - {sk-canary-2}
  - {api-key: 77777777, headers: [sk-canary-3]}
port: sk-canary-4
proxy-url: sk-canary-5
tls: {enable: canary, sk-canary-6: 1}
routing: {strategy: sk-canary-7}
openai-compatibility: [{name: a, base-url: "http://u:sk-canary-8@h"}]
"""
    report = render_problems(problems(text))
    assert report.count("\n") >= 9
    assert "canary" not in report
    assert "77777777" not in report


@pytest.mark.parametrize(
    ("written", "seconds"), [("90", 90.0), ("90s", 90.0), ("1h30m", 5400.0), ('"10m"', 600.0), ("1500ms", 1.5)]
)
def test_a_duration_in_its_many_forms(written: str, seconds: float) -> None:
    assert load(f"routing: {{session-affinity-ttl: {written}}}").settings.routing.session_affinity_ttl == seconds


def test_a_duration_that_is_none() -> None:
    assert codes("routing: {session-affinity-ttl: soon}") == [("wrong-type", 1, 33)]
