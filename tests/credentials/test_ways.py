"""Every way to log in, against the vendor's stand-in and a scripted person. No clock, no socket: the ways have none."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from aiproxy.config.schema import OAuthClient, Settings, UpstreamUrls
from aiproxy.credentials.exchange import Answer, Ask
from aiproxy.credentials.login import Login
from aiproxy.credentials.logins import LOGINS
from aiproxy.credentials.naming import file_name
from aiproxy.credentials.record import Record
from aiproxy.credentials.ways.desk import Content, LoginFailed, Options, Redirect, read_callback
from aiproxy.neutral.errors import CredentialRefused, GatewayError, UpstreamFailed
from aiproxy.secrets import Secret
from tests.rig.upstream import Received
from tests.vendors.logins import LoginVendor

T = TypeVar("T")
BY_PROVIDER = {login.provider: login for login in LOGINS}
SECRET = OAuthClient(client_secret=Secret("the-clients-secret"))
CLIENTS = Settings(oauth_clients={"gemini-cli": SECRET, "antigravity": SECRET, "iflow": SECRET})
NO_OPTIONS = Options()
AT = 1_790_000_000.0


def agreed(redirect: str, state: str) -> str:
    return f"{redirect}?code=code-1&state={state}"


@dataclass
class Scripted:
    """A `Desk`: the vendor answers from memory, the person does what a vendor's page would make of the address."""

    vendor: LoginVendor = field(default_factory=LoginVendor)
    typed: str = "me"
    pages: list[tuple[str, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    paused: float = 0
    begins_with: list[str] = field(default_factory=list)
    """Addresses that come before the right one."""
    sends: Callable[[str, str], str] = field(default_factory=lambda: agreed)
    wrong: list[str] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)

    async def ask(self, question: Ask) -> Answer:
        self.asks.append(question)
        if self.vendor.instead:
            status, body = self.vendor.instead.pop(0)
            return Answer(status, {}, body)
        received = Received(question.method, question.url, dict(question.headers), question.body)
        said = self.vendor.said(received)
        status, answer = self.vendor.answer(urlsplit(question.url).path, said, received)
        return Answer(status, {}, orjson.dumps(answer))

    def now(self) -> float:
        return AT + self.paused

    def random(self, length: int) -> str:
        return f"random-of-{length}-" + "x" * length

    def tell(self, words: str) -> None:
        self.told.append(words)

    async def pause(self, seconds: float) -> None:
        self.paused += seconds

    async def visit(self, url: str, code: str = "", lasts: float = 0.0) -> None:
        self.pages.append((url, code))

    async def enter(self, words: str) -> str:
        return self.typed

    async def callback(self, url: str, redirect: Redirect, judge: Callable[[str], str]) -> str:
        await self.visit(url)
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        if challenge := query.get("code_challenge"):
            self.vendor.challenges["code"] = challenge
        assert redirect.address() in (query.get("redirect_uri"), query.get("redirect"))
        for text in self.begins_with:
            self.wrong.append(judge(text))
        found = self.sends(redirect.address(), query["state"])
        assert judge(found) == ""
        return found


def run(doing: Coroutine[Any, Any, T]) -> T:
    try:
        doing.send(None)
    except StopIteration as ended:
        result: T = ended.value
        return result
    raise AssertionError("it waits")


def log_in(provider: str, way: str, desk: Scripted, options: Options = NO_OPTIONS) -> tuple[Login, Content]:
    login = BY_PROVIDER[provider].resolved(CLIENTS)
    (chosen,) = [each for each in login.ways if each.name == way]
    return login, run(chosen(login, desk, options))


WAYS = [(login.provider, way.name) for login in LOGINS for way in login.ways]
NAMES = {
    ("gemini-cli", "browser"): "gemini-a@vendor.example-project-of-google",
    ("antigravity", "browser"): "antigravity-a@vendor.example",
    ("codex", "browser"): "codex-07e99801-a@vendor.example-plus",
    ("codex", "device"): "codex-07e99801-a@vendor.example-plus",
    ("claude", "browser"): "claude-a@vendor.example",
    ("qwen", "device"): "qwen-me",
    ("iflow", "browser"): "iflow-a@iflow.example",
    ("iflow", "cookie"): "iflow-cookie-account",
    ("copilot", "device"): "copilot-a@vendor.example",
}


@pytest.mark.parametrize(("provider", "way"), WAYS)
def test_each_ends_in_a_file_that_can_be_used_and_renewed(provider: str, way: str) -> None:
    desk = Scripted(typed="a=1; BXAuth=cookie-value; b=2" if way == "cookie" else "me")
    login, content = log_in(provider, way, desk)
    name = file_name(login, content)
    assert name == f"auths/{NAMES.get((provider, way), name[6:-5])}.json"
    record = Record(name, login.types[0], content)
    tokens = login.tokens(record)
    assert tokens.access
    assert tokens.refresh
    assert tokens.expires is not None
    assert tokens.expires > AT
    assert login.renewable(record)
    for page, _ in desk.pages:
        assert "the-clients-secret" not in page
    assert login.renew is not None
    changes = run(login.renew(login, record, desk, AT + 3000))
    renewed = record.with_changes(changes)
    if login.completes is not None:
        renewed = renewed.with_changes(run(login.completes(login, renewed, desk, AT + 3000)))
    after = login.tokens(renewed)
    assert after.expires is not None
    if way != "cookie":
        assert after.access.reveal() != tokens.access.reveal()
    if provider not in ("copilot",) and way != "cookie":
        assert after.refresh.reveal() == desk.vendor.refresh


def test_every_question_goes_where_the_operator_says() -> None:
    for login in LOGINS:
        urls = {f"{name}_url": f"https://mirror.example/{name}/token" for name in login.urls}
        replaced = UpstreamUrls(base_url="https://mirror.example/base", **urls)
        settings = replace(CLIENTS, upstreams={login.provider: replaced})
        resolved = login.resolved(settings)
        assert {*resolved.urls.values()} == {*urls.values()}
        assert resolved.base == "https://mirror.example/base"


def test_without_the_clients_secret_it_says_what_is_missing_and_where_it_is() -> None:
    for provider in ("gemini-cli", "antigravity", "iflow"):
        login = BY_PROVIDER[provider]
        with pytest.raises(CredentialRefused, match=rf"oauth-clients\.{provider}\.client-secret.*isn't shipped"):
            run(login.ways[0](login, Scripted(), Options()))


@pytest.mark.parametrize("provider", ["codex", "claude", "kiro"])
def test_a_foreign_answer_is_passed_over(provider: str) -> None:
    foreign = ["http://localhost:1/callback?code=evil&state=other", "http://localhost:1/callback", "nonsense", ""]
    desk = Scripted(begins_with=foreign)
    log_in(provider, "browser", desk)
    assert all("another" in each for each in desk.wrong)
    assert len(desk.wrong) == len(foreign)


def test_an_error_of_the_vendors_page_ends_the_login() -> None:
    desk = Scripted(sends=lambda redirect, state: f"{redirect}?error=access_denied&state={state}")
    with pytest.raises(LoginFailed, match="access_denied"):
        log_in("codex", "browser", desk)


def test_a_code_with_its_state_can_be_pasted() -> None:
    desk = Scripted(sends=lambda _, state: f"  code-1#{state}\n")
    assert log_in("claude", "browser", desk)[1]["email"] == "a@vendor.example"


def test_a_device_is_waited_for_as_long_as_the_vendor_says() -> None:
    desk = Scripted(LoginVendor(pending=3, slow=2))
    log_in("kimi", "device", desk)
    assert desk.paused == 1 + 1 + 1 + 1 + 6 + 11
    assert desk.pages == [("https://v.example/?c=ABCD-EFGH", "ABCD-EFGH")]
    endless = Scripted(LoginVendor(pending=10**6))
    with pytest.raises(LoginFailed, match="in time"):
        log_in("kimi", "device", endless)
    assert 600 <= endless.paused <= 601


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b'{"error": "invalid_grant"}', CredentialRefused, "invalid_grant"),
        (200, b'{"error": "server_error"}', UpstreamFailed, "server_error"),
        (200, b"<html>maintenance</html>", UpstreamFailed, "status 200"),
        (200, b"", UpstreamFailed, "status 200"),
        (502, b"<html>", UpstreamFailed, "status 502"),
        (200, b'{"access_token": "with blank"}', UpstreamFailed, "status 200"),
        (429, b"{}", UpstreamFailed, "status 429"),
    ],
)
def test_a_token_endpoint_that_makes_no_sense_is_a_sentence(
    status: int, body: bytes, kind: type[GatewayError], words: str
) -> None:
    desk = Scripted(LoginVendor(instead=[(status, body)]))
    with pytest.raises(kind, match=words):
        log_in("claude", "browser", desk)


def test_google_sets_up_several_projects() -> None:
    login, content = log_in("gemini-cli", "browser", Scripted(), Options(project="ALL"))
    assert content["project_id"] == "project-of-google"
    desk = Scripted(LoginVendor(project=""))
    login, content = log_in("gemini-cli", "browser", desk, Options(project="one, two"))
    assert content["project_id"] == "one,two"
    assert file_name(login, content) == "auths/gemini-a@vendor.example-all.json"
    with pytest.raises(LoginFailed, match="named no project"):
        log_in("gemini-cli", "browser", Scripted(LoginVendor(project="")))
    with pytest.raises(LoginFailed, match="in time"):
        log_in("gemini-cli", "browser", Scripted(LoginVendor(onboards=10**6)))


def test_a_cookie_without_the_part_that_counts() -> None:
    with pytest.raises(LoginFailed, match="BXAuth"):
        log_in("iflow", "cookie", Scripted(typed="session=1"))


def test_nothing_secret_can_be_printed() -> None:
    desk = Scripted()
    log_in("gemini-cli", "browser", desk)
    assert "the-clients-secret" not in repr(desk.asks)
    assert "code-1" not in repr(desk.asks)


@pytest.mark.parametrize(
    ("text", "code", "state", "error"),
    [
        ("http://localhost:1455/auth/callback?code=a%2Bb&state=s", "a+b", "s", ""),
        ("code=a&state=s", "a", "s", ""),
        ("?code=a&state=s", "a", "s", ""),
        ("a#s", "a", "s", ""),
        ("kiro://kiro.kiroAgent/authenticate-success?code=a&state=s", "a", "s", ""),
        ("http://localhost/?error=access_denied&error_description=No&state=s", "", "s", "No"),
        ("", "", "", ""),
    ],
)
def test_what_a_browser_or_a_person_brings(text: str, code: str, state: str, error: str) -> None:
    found = read_callback(text)
    assert (found.code, found.state, found.error) == (code, state, error)


def test_google_keeps_the_project_of_whoever_pays_and_switches_the_service_on() -> None:
    class Paying(LoginVendor):
        def answer(self, path: str, said: dict[str, Any], received: Received) -> tuple[int, Any]:
            if path.endswith(":loadCodeAssist"):
                return 200, {"allowedTiers": [{"id": "standard-tier", "isDefault": True}]}
            return super().answer(path, said, received)

    desk = Scripted(Paying(disabled=True))
    _, content = log_in("gemini-cli", "browser", desk, Options(project="mine"))
    assert content["project_id"] == "mine"
    assert not desk.vendor.disabled
    assert "switched on in the project mine" in desk.told[-1]
    _, content = log_in("gemini-cli", "browser", Scripted(Paying()), Options(project="gen-lang-client-1"))
    assert content["project_id"] == "project-of-google", "of a project of Google's making it knows a better one"


ORGANISATION = Options(region="ap-south-1", start_url="https://org.awsapps.com/start")
PROFILES = [
    {"arn": f"arn:aws:codewhisperer:eu-central-1:1:profile/{name}", "profileName": name} for name in ("ONE", "TWO")
]


@pytest.mark.parametrize(
    ("there", "typed", "chosen", "told"),
    [
        ([], "", None, "no profile"),
        (PROFILES[:1], "", PROFILES[0]["arn"], ""),
        (PROFILES, "2", PROFILES[1]["arn"], "TWO"),
    ],
)
def test_an_organisations_kiro_account_has_a_profile(
    there: list[dict[str, str]], typed: str, chosen: str | None, told: str
) -> None:
    desk = Scripted(LoginVendor(profiles=there), typed=typed)
    _, content = log_in("kiro", "device", desk, ORGANISATION)
    assert content.get("profileArn") == chosen
    assert (content["authMethod"], content["idcRegion"]) == ("IdC", "ap-south-1")
    assert any(told in each for each in [*desk.told, ""])
    asked = [each for each in desk.asks if "q." in each.url]
    assert asked[0].url == "https://q.ap-south-1.amazonaws.com/"
    assert len(asked) == (3 if not there else len(there)), "where people log in, and where the service is"


def test_a_builder_id_and_a_social_login_have_none() -> None:
    desk = Scripted(LoginVendor(profiles=PROFILES))
    log_in("kiro", "device", desk)
    log_in("kiro", "browser", desk)
    assert not [each for each in desk.asks if "q." in each.url]


ELSEWHERE = {
    "type": "kiro", "authMethod": "external_idp", "accessToken": "access-0", "refreshToken": "refresh-0", "clientId": "app",
    "tokenEndpoint": "https://login.organisation.example/token", "scopes": ["a", "offline_access"],
}  # fmt: skip


def test_kiro_with_an_organisations_own_identity_provider_is_renewed_there() -> None:
    login, desk = BY_PROVIDER["kiro"], Scripted(LoginVendor(profiles=PROFILES[:1]))
    assert login.renew is not None
    assert login.completes is not None
    record = Record("auths/kiro-1.json", "kiro", ELSEWHERE)
    renewed = record.with_changes(run(login.renew(login, record, desk, AT)))
    assert (renewed.get("accessToken"), renewed.get("refreshToken"), login.tokens(renewed).expires) == (
        "access-1",
        "refresh-1",
        AT + 3600,
    )
    assert desk.asks[-1].url == ELSEWHERE["tokenEndpoint"]
    assert (
        desk.asks[-1].body == b"grant_type=refresh_token&refresh_token=refresh-0&client_id=app&scope=a+offline_access"
    )
    completed = renewed.with_changes(run(login.completes(login, renewed, desk, AT)))
    assert completed.get("profileArn") == PROFILES[0]["arn"]
    assert ("tokentype", "EXTERNAL_IDP") in desk.asks[-1].headers
    for without in ("tokenEndpoint", "clientId"):
        with pytest.raises(CredentialRefused, match="lacks its identity provider"):
            run(login.renew(login, record.with_changes({without: None}), desk, AT))
    with pytest.raises(CredentialRefused, match="https"):
        run(login.renew(login, record.with_changes({"tokenEndpoint": "http://elsewhere.example/"}), desk, AT))
