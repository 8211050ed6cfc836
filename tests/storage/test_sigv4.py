"""The signature of a request is the one that Amazon's own library makes."""

from datetime import UTC, datetime
from unittest import mock

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.secrets import Secret
from aiproxy.storage.sigv4 import AwsKey, encoded_path, encoded_query, signed

NOW = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), max_size=12)


@given(
    method=st.sampled_from(["GET", "PUT", "DELETE", "HEAD"]),
    parts=st.lists(TEXT.filter(lambda part: part not in ("", ".", "..")), min_size=1, max_size=4),
    query=st.dictionaries(TEXT.filter(bool), TEXT, max_size=4),
    body=st.binary(max_size=40),
    condition=st.sampled_from([{}, {"if-match": '"abc"'}, {"if-none-match": "*", "content-type": "application/json"}]),
    token=st.sampled_from(["", "session-token=="]),
    host=st.sampled_from(["127.0.0.1:9000", "bucket.s3.eu-central-1.amazonaws.com", "s3.example"]),
    region=st.sampled_from(["us-east-1", "eu-central-1"]),
)
def test_it_is_what_botocore_signs(
    method: str,
    parts: list[str],
    query: dict[str, str],
    body: bytes,
    condition: dict[str, str],
    token: str,
    host: str,
    region: str,
) -> None:
    path = "/" + "/".join(parts)
    ours = signed(
        method,
        host,
        path,
        list(query.items()),
        condition,
        body,
        key=AwsKey("AKID", Secret("the-secret"), Secret(token) if token else None),
        region=region,
        service="s3",
        now=NOW,
    )
    url = f"http://{host}{encoded_path(path)}" + (f"?{encoded_query(list(query.items()))}" if query else "")
    request = AWSRequest(method, url, headers=condition, data=body)
    with mock.patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        S3SigV4Auth(Credentials("AKID", "the-secret", token or None), "s3", region).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]
    for name in ("x-amz-content-sha256", "x-amz-date"):
        assert ours[name] == request.headers[name]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")
