"""Documents as objects of an S3 bucket. A document's version is its ETag; every write is conditional on it.

A server that ignores conditions lets two writers overwrite each other. We find out before the first write, and refuse to
write there unless told (`single-writer`) that no one else does.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from urllib.parse import urlsplit
from xml.etree import ElementTree

from aiproxy.storage.blocking_http import Answer, BlockingHttp
from aiproxy.storage.documents import CONFIGURATION, largest
from aiproxy.storage.sigv4 import AwsKey, encoded_path, encoded_query, signed
from aiproxy.storage.store import Change, Conflict, Entry, Unavailable

LARGEST_LISTING = 4 * 1024 * 1024
"""Bytes. A page names at most 1,000 objects, a few hundred bytes each."""

AT_ONCE = 16
"""Objects read at the same time: a bucket is some 20 ms away, and a first start may read ten thousand."""

PROBE = ".aiproxy/conditional-writes"
"""An object of ours that is only ever written on condition that it isn't there."""

_ABSENT = (404,)
_FAILED_CONDITION = (409, 412)


@dataclass(frozen=True, slots=True)
class Bucket:
    endpoint: str
    """Scheme, host and port."""
    name: str
    region: str
    path_style: bool
    single_writer: bool = False


class S3Remote:
    """A `Remote`. `poll` is in seconds."""

    def __init__(self, bucket: Bucket, key: AwsKey, poll: float) -> None:
        scheme, host = urlsplit(bucket.endpoint)[:2]
        self.place = f"s3:{host}/{bucket.name}"
        self._bucket = bucket
        self._key = key
        self._poll = poll
        self._host = host if bucket.path_style else f"{bucket.name}.{host}"
        self._http = BlockingHttp(f"{scheme}://{self._host}")
        self._conditional: bool | None = None
        self._readers = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="aiproxy-s3")

    # -- documents

    def versions(self) -> Mapping[str, str]:
        return {name: version for name, version, size in self._listed() if size > 0}

    def fetch(self, names: Iterable[str]) -> Mapping[str, Entry]:
        wanted = list(names)
        found = self._readers.map(self._read, wanted)
        return {name: entry for name, entry in zip(wanted, found, strict=True) if entry is not None}

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:  # noqa: ARG002 - objects keep no history
        condition = {"if-none-match": "*"} if expected is None else {"if-match": _quoted(expected)}
        if not self._conditions_hold():
            self._compare(name, expected)
            condition = {}
        answer = self._send("PUT", name, body=body, headers={**condition, "content-type": _type(name)})
        if answer.status in _FAILED_CONDITION or (expected is not None and answer.status in _ABSENT):
            raise Conflict(name)
        return _version(self._good(answer).headers["etag"])

    def delete(self, name: str, expected: str, change: Change) -> None:
        """An empty object first, on condition: few servers delete on condition, and an empty one counts as none."""
        empty = self.save(name, b"", expected, change)
        answer = self._send("DELETE", name, headers={"if-match": _quoted(empty)} if self._conditions_hold() else {})
        if answer.status not in (*_ABSENT, *_FAILED_CONDITION):
            self._good(answer)

    def past(self, name: str, most: int, most_bytes: int) -> None:  # noqa: ARG002 - objects keep no history
        return None

    def wait(self, stop: Event) -> None:
        stop.wait(self._poll)

    def close(self) -> None:
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def _read(self, name: str) -> Entry | None:
        answer = self._send("GET", name, longest=largest(name))
        if answer.status in _ABSENT or not answer.whole:
            return None
        body = self._good(answer).body
        return Entry(body, _version(answer.headers["etag"])) if body else None

    def _listed(self) -> Iterator[tuple[str, str, int]]:
        query = [("list-type", "2")]
        while True:
            answer = self._good(self._send("GET", "", query=query, longest=LARGEST_LISTING))
            page = self._parsed(answer)
            for item in page.iterfind("{*}Contents"):
                texts = (item.findtext("{*}Key", ""), item.findtext("{*}ETag", ""), item.findtext("{*}Size", "0"))
                yield texts[0], _version(texts[1]), int(texts[2])
            token = page.findtext("{*}NextContinuationToken")
            if not token:
                return
            query = [("continuation-token", token), ("list-type", "2")]

    def _parsed(self, answer: Answer) -> ElementTree.Element:
        try:
            return ElementTree.fromstring(answer.body)  # noqa: S314 - expat limits entities; the server is configured
        except ElementTree.ParseError:
            raise Unavailable(f"{self.place} answers with something that is no S3 listing.") from None

    # -- conditions

    def _conditions_hold(self) -> bool:
        """Whether the server honours conditions. Raises `Unavailable` if it doesn't and others may write as well."""
        if self._conditional is None:
            headers = {"if-none-match": "*"}
            self._probe(headers)  # there from now on
            self._conditional = self._probe(headers) in _FAILED_CONDITION
        if not self._conditional and not self._bucket.single_writer:
            raise Unavailable(
                f"{self.place} ignores conditional writes (If-None-Match), so that two writers would overwrite each other. "
                "Use a server that honours them, or set `store.s3.single-writer: true` if only one gateway writes there."
            )
        return self._conditional

    def _probe(self, headers: Mapping[str, str]) -> int:
        answer = self._send("PUT", PROBE, body=b"1", headers=headers)
        if answer.status not in _FAILED_CONDITION and answer.status != 501:
            self._good(answer)
        return answer.status

    def _compare(self, name: str, expected: str | None) -> None:
        found = self._read(name)
        if (found.version if found else None) != expected:
            raise Conflict(name)

    # -- requests

    def _send(
        self,
        method: str,
        name: str,
        *,
        query: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        longest: int = LARGEST_LISTING,
    ) -> Answer:
        path = f"/{self._bucket.name}/{name}" if self._bucket.path_style else f"/{name}"
        query = query or []
        sent = signed(
            method,
            self._host,
            path,
            query,
            headers or {},
            body,
            key=self._key,
            region=self._bucket.region,
            service="s3",
            now=datetime.now(UTC),
        )
        target = encoded_path(path) + (f"?{encoded_query(query)}" if query else "")
        return self._http.send(method, target, sent, body, longest)

    def _good(self, answer: Answer) -> Answer:
        if answer.status // 100 == 2:
            return answer
        code = self._code(answer)
        raise Unavailable(f"{self.place} {_SAID.get(code) or _by_status(answer.status)} ({code or answer.status}).")

    def _code(self, answer: Answer) -> str:
        try:
            code = ElementTree.fromstring(answer.body).findtext("{*}Code", "")  # noqa: S314 - as above
        except ElementTree.ParseError:
            return ""
        return code if code.isalnum() and len(code) < 60 else ""


_SAID = {
    "NoSuchBucket": "has no such bucket: make it first, a misspelt one would be a new one",
    "InvalidAccessKeyId": "doesn't know the access key",
    "SignatureDoesNotMatch": "refused the secret key",
    "AccessDenied": "doesn't allow this to the access key: it needs ListBucket, GetObject, PutObject and DeleteObject",
    "AllAccessDisabled": "is disabled",
    "AuthorizationHeaderMalformed": "is in another region: set `store.s3.region`",
    "PermanentRedirect": "is in another region: set `store.s3.region` and `store.s3.endpoint`",
    "RequestTimeTooSkewed": "says that this machine's clock is wrong",
    "QuotaExceeded": "is full",
    "XMinioStorageFull": "is full",
    "SlowDown": "asks us to slow down",
}


def _by_status(status: int) -> str:
    match status:
        case 401 | 403:
            return "refused the access key"
        case 404:
            return "has no such bucket"
        case 507:
            return "is full"
        case _ if status >= 500:
            return "is out of order"
        case _:
            return "refused the request"


def _version(etag: str) -> str:
    """Without its quotes: some servers leave them away in listings."""
    return etag.strip('"')


def _quoted(version: str) -> str:
    return f'"{version}"'


def _type(name: str) -> str:
    return "application/x-yaml" if name == CONFIGURATION else "application/json"
