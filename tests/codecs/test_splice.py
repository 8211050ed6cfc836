"""The model's name changes and not one byte else."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.outline import outline_of
from aiproxy.codecs.splice import MOST_BRACKETS, MOST_TOKENS, read_object, splice_model
from aiproxy.neutral.errors import InvalidRequest

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")) | st.just("model"), inner),
    max_leaves=20,
)


@given(
    st.dictionaries(st.text(st.characters(codec="utf-8")), json_values),
    st.text(st.characters(codec="utf-8")),
    st.booleans(),
)
def test_only_the_model_differs(body: dict[str, object], name: str, indented: bool) -> None:
    asked = {**body, "model": 'old\\"name', "tail": ["model", {"model": "inner"}]}
    sent = orjson.dumps(asked, option=orjson.OPT_INDENT_2 if indented else 0)
    spliced = splice_model(sent, outline_of(sent), name)
    assert orjson.loads(spliced) == {**asked, "model": name}
    assert len(spliced) == len(sent) + len(orjson.dumps(name)) - len(orjson.dumps('old\\"name'))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"model":"a"}', b'{"model":"NEW"}'),
        (b'{ "model" \n:\t"a" , "x":1e400}', b'{ "model" \n:\t"NEW" , "x":1e400}'),
        (b'{"mod\\u0065l":"a"}', b'{"mod\\u0065l":"NEW"}'),
        (b'{"model":"a","model":"b"}', b'{"model":"NEW","model":"NEW"}'),
        (b'{"messages":[{"model":"inner"}],"model":"a"}', b'{"messages":[{"model":"inner"}],"model":"NEW"}'),
        (b'{"x":"\\\\","model":"a\\""}', b'{"x":"\\\\","model":"NEW"}'),
        (b'{"user":"model","model":"a"}', b'{"user":"model","model":"NEW"}'),
    ],
)
def test_spellings(body: bytes, expected: bytes) -> None:
    assert splice_model(body, outline_of(body), "NEW") == expected


@pytest.mark.parametrize("padding", [b"[]," * MOST_TOKENS, b'"",' * MOST_TOKENS, b'"model",' * MOST_TOKENS])
def test_a_body_of_too_many_tokens_is_written_anew(padding: bytes) -> None:
    body = b'{"x":[' + padding + b'0],"metadata":{"model":"inner"},"model":"old"}'
    assert orjson.loads(splice_model(body, outline_of(body), "NEW")) == {**orjson.loads(body), "model": "NEW"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"{\xff}", b"\xff\xfe{}"])
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="JSON"):
        read_object(body)


def test_a_body_of_too_many_lists_is_not_parsed() -> None:
    lists = b"[],"
    read_object(b'{"x": [%b0]}' % (lists * (MOST_BRACKETS - 2)))
    with pytest.raises(InvalidRequest, match="1000000 brackets"):
        read_object(b'{"x": [%b0]}' % (lists * (MOST_BRACKETS - 1)))
