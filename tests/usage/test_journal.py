"""The latest calls, and all that failed, by request id; and how a call went, in words."""

from aiproxy.usage import Attempt, CallRecord, Choice, Journal, Outcome, Passed, story


def call(name: str, outcome: Outcome = Outcome.COMPLETE) -> CallRecord:
    return CallRecord(name, 0.0, outcome=outcome)


def test_the_latest_are_kept_and_the_failed_for_longer() -> None:
    journal = Journal(latest=2, failed=2)
    for record in (
        call("f1", Outcome.FAILED),
        call("f2", Outcome.CUT),
        call("f3", Outcome.FAILED),
        call("a"),
        call("b"),
    ):
        journal.note([record])
    found = {name for name in ("f1", "f2", "f3", "a", "b") if journal.find(name) is not None}
    assert found == {"f2", "f3", "a", "b"}
    assert [record.request_id for record in journal.failed] == ["f3", "f2"]
    journal.limit(1)
    assert [record.request_id for record in journal.failed] == ["f3"]
    journal.note([call("f4", Outcome.FAILED)])
    assert [record.request_id for record in journal.failed] == ["f4"]
    journal.note([call("c", Outcome.CANCELLED)])
    assert journal.find("a") is None
    assert journal.find("c") is not None


def test_how_a_call_went() -> None:
    record = call("r")
    record.started = 10.0
    record.choices = [
        Choice(10.0, "one", "m", "session", "asked", 0.0, ()),
        Choice(10.5, "two", "m", "strategy", "asked", 0.0, (Passed("one", "m", "tried"),)),
        Choice(11.0, "", "", "", "asked", 0.0, (Passed("one", "m", "rate_limit", 30.0), Passed("two", "m", "busy"))),
        Choice(13.0, "three", "n", "probe", "model-fallback", 2.0, ()),
    ]
    record.attempts = [
        Attempt("one", "p", "m", 10.0, 10.4, Outcome.FAILED, "rate_limit", 429),
        Attempt("two", "p", "m", 10.5, 10.9, Outcome.FAILED, "timeout"),
        Attempt("three", "q", "n", 13.0, 14.25, Outcome.COMPLETE),
    ]
    assert story(record).split("; ") == [
        "0.00 one m by its session",
        "0.40 one failed rate_limit 429 after 0.40 s",
        "0.50 two m by turn, passed over one m (tried)",
        "0.90 two failed timeout after 0.40 s",
        "1.00 nobody, passed over one m (rate_limit for 19.00 s), passed over two m (busy)",
        "3.00 three n to see whether it is back (model-fallback) after a wait of 2.00 s",
        "4.25 three complete after 1.25 s",
    ]
    assert story(call("x")) == "nobody was asked"


def test_calls_that_pass_over_the_same_share_the_words_for_it() -> None:
    journal = Journal()
    for request_id in ("a", "b"):
        record = call(request_id)
        record.choices = [Choice(0.0, "two", "m", "strategy", "asked", 0.0, (Passed("one", "m", "rate_limit", 30.0),))]
        journal.note([record])
    one, other = (journal.find(request_id) for request_id in ("a", "b"))
    assert one is not None
    assert other is not None
    assert one.choices[0].passed[0] is other.choices[0].passed[0]


def test_a_long_list_of_passed_over_is_cut_short() -> None:
    record = call("r")
    record.choices = [Choice(0.0, "", "", "", "asked", 0.0, tuple(Passed(f"a{n}", "m", "busy") for n in range(12)))]
    assert story(record).endswith("passed over a9 m (busy), and 2 more")
