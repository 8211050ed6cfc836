"""Media that a client named by URL, brought once a call for the first upstream that wants their bytes."""

from collections.abc import Coroutine, Mapping
from typing import Any

from twisted.internet.defer import Deferred, FirstError, gatherResults

from aiproxy.codecs.media_urls import source_of, wanted
from aiproxy.gateway.call import Call
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.translate import Target, read_request
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.media import Source
from aiproxy.transports.media import MediaFetcher


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
        fetches = {url: _fetched(snapshot.media, url, features[url], report.name(features[url])) for url in missing}
        call.media.update(await _all(fetches))


async def _fetched(fetcher: MediaFetcher, url: str, feature: str, field: str) -> Source:
    """The field that is at fault stands in the error."""
    try:
        found = await fetcher.fetch(url)
        return source_of(feature, found.media_type, found.data)
    except InvalidRequest as error:
        error.message, error.param = f"`{field}`: {error.message}", field
        raise
    except ValueError as error:
        raise InvalidRequest(f"`{field}`: {error}.", param=field) from error


async def _all(fetches: Mapping[str, Coroutine[Any, Any, Source]]) -> Mapping[str, Source]:
    """By URL; the first that fails ends the others."""
    running = [Deferred.fromCoroutine(fetch) for fetch in fetches.values()]
    try:
        return dict(zip(fetches, await gatherResults(running, consumeErrors=True), strict=True))
    except FirstError as first:
        first.subFailure.raiseException()
    finally:
        for fetch in running:
            fetch.cancel()
