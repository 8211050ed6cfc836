"""Media that a client named by URL, brought once a call for the first upstream that wants their bytes."""

from collections.abc import Mapping

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.python.failure import Failure

from aiproxy.codecs.media_urls import source_of, wanted
from aiproxy.gateway.call import Call
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.translate import Target, read_request
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.media import Source
from aiproxy.transports.media import Fetched, MediaFetcher


async def bring_media(call: Call, to: Target, snapshot: Snapshot) -> None:
    """Into `call.media`, where `translate` finds them. Cancelling it ends every fetch.

    Raises `Unsupported` where nothing is fetched here, `InvalidRequest` for what can't be; both name the field."""
    if to.endpoint.codec is None or call.codec is None or call.codec.fields.codec == to.endpoint.codec.fields.codec:
        return
    request, report = read_request(call, snapshot)
    features = wanted(request, to.endpoint.codec, snapshot.capabilities(to.model, to.upstream.provider))
    missing = [url for url in features if url not in call.media]
    if not missing:
        return
    field = report.name(features[missing[0]])
    if snapshot.media is None:
        report.fork().refuse(
            features[missing[0]],
            f"`{field}`: the chosen model takes no URL here, and this gateway fetches none (media-fetch is off): "
            "send the file itself, in base64.",
        )
    elif len(features) > (most := snapshot.settings.media_fetch.per_request):
        told = f"`{field}`: {len(features)} URLs are more than the {most} that are fetched for one request (media-fetch.per-request)."
        raise InvalidRequest(told, param=field)
    else:
        call.media.update(await _all(snapshot.media, {url: report.name(features[url]) for url in missing}))


async def _all(fetcher: MediaFetcher, fields: Mapping[str, str]) -> dict[str, Source]:
    """By URL; the first that fails ends the others."""
    fetches = [_named(fetcher.fetch(url), field) for url, field in fields.items()]
    try:
        found = await gatherResults(fetches, consumeErrors=True)
    except FirstError as first:
        first.subFailure.raiseException()
    finally:
        for fetch in fetches:
            fetch.cancel()
    return {url: source_of(each.media_type, each.data) for url, each in zip(fields, found, strict=True)}


def _named(fetch: Deferred[Fetched], field: str) -> Deferred[Fetched]:
    """The field that is at fault stands in the error."""

    def name(failure: Failure) -> Failure:
        if isinstance(failure.value, InvalidRequest):
            failure.value.message = f"`{field}`: {failure.value.message}"
            failure.value.param = field
        return failure

    return fetch.addErrback(name)
