"""How a call went, in words."""

from aiproxy.usage import Attempt, CallRecord, Choice, Outcome, Passed, story


def test_how_a_call_went() -> None:
    record = CallRecord("r", 10.0)
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
    assert story(CallRecord("x", 0.0)) == "nobody was asked"


def test_a_long_list_of_passed_over_is_cut_short() -> None:
    record = CallRecord("r", 0.0)
    record.choices = [Choice(0.0, "", "", "", "asked", 0.0, tuple(Passed(f"a{n}", "m", "busy") for n in range(12)))]
    assert story(record).endswith("passed over a9 m (busy), and 2 more")
    record.choices = [record.choices[0]._replace(more=30)]
    assert story(record).endswith("passed over a9 m (busy), and 32 more")
