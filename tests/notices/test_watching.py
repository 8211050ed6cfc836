"""What is news, and when it is news again."""

from aiproxy.clients.limits import Counts, Limit, Limited, Standing, Window
from aiproxy.notices.hook import signature
from aiproxy.notices.watching import AGAIN_SECONDS, MOST_AN_HOUR, Notice, Watching, seen
from aiproxy.pools.quota import Window as Quota
from aiproxy.secrets import Secret


def standing(used: int, window: Window = Window.MONTH) -> tuple[str, Standing]:
    limit = Limit("tokens-per-month", 100, Counts.TOKENS, window)
    return "team", Standing(Limited("name team", "This key", (limit,)), limit, used, None)


def test_what_is_worth_a_notice() -> None:
    rests = [("a", 59.0, "overloaded"), ("b", 61.0, "rate_limit")]
    quotas = [("a", Quota("5h", 0.89)), ("b", Quota("5h", 0.9))]
    found = list(seen(rests, quotas, [standing(79), standing(80), standing(100), standing(100, Window.MINUTE)]))
    assert [notice.kind for notice in found] == ["account.unhealthy", "quota.low", "budget.80", "budget.100"]
    assert found[0].subject == "b"
    assert (found[3].subject, found[3].words) == (
        "team tokens-per-month 100%",
        "team: 100% of tokens-per-month is used.",
    )


def test_what_many_keys_share_is_one_notice() -> None:
    limit = Limit("usd-per-month", 100, Counts.MICRO_USD, Window.MONTH)
    shared = Standing(Limited("tag research", "All keys tagged 'research'", (limit,)), limit, 90, None)
    found = list(seen((), (), [("ann", shared), ("bob", shared)]))
    assert len(set(found)) == 1
    assert found[0].words == "All keys tagged 'research': 90% of usd-per-month is used."


def test_news_is_told_once_and_again_after_an_hour_or_when_it_comes_back() -> None:
    watching, notice = Watching(), Notice("k", "s", "w")
    assert watching.news([notice, notice], 0.0) == [notice]
    assert watching.news([notice], AGAIN_SECONDS - 1) == []
    assert watching.news([notice], AGAIN_SECONDS) == [notice]
    assert watching.news([], AGAIN_SECONDS + 1) == []
    assert watching.news([notice], AGAIN_SECONDS + 2) == [notice]


def test_an_hour_has_its_limit_and_the_rest_waits() -> None:
    watching, many = Watching(), [Notice("k", str(number), "w") for number in range(MOST_AN_HOUR + 5)]
    assert len(watching.news(many, 0.0)) == MOST_AN_HOUR
    assert watching.news(many, 10.0) == []
    assert len(watching.news(many, 3600.0)) == MOST_AN_HOUR


def test_the_signature_covers_time_and_body() -> None:
    secret = Secret("secret")
    assert signature(secret, 1, b"{}") == "t=1,v1=" + signature(secret, 1, b"{}").partition("v1=")[2]
    others = {signature(secret, 2, b"{}"), signature(secret, 1, b"[]"), signature(Secret("other"), 1, b"{}")}
    assert signature(secret, 1, b"{}") not in others
