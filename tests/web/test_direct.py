"""Fixed paths are served as Klein would serve them."""

from typing import Any

from klein import Klein
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from aiproxy.web.direct import fixed_routes
from aiproxy.web.request import HttpRequest
from tests.web.serving import Service, edge, request


class Shop:
    app = Klein()

    def __init__(self) -> None:
        self.waiting: Deferred[bytes] = Deferred()
        self.told: list[Failure] = []
        self.left = False

    @app.route("/whole", methods=["GET"])
    def whole(self, _: Any) -> bytes:
        return b"whole"

    @app.route("/later", methods=["GET", "POST"])
    async def later(self, _: Any) -> bytes:
        try:
            return await self.waiting
        except CancelledError:
            self.left = True
            raise

    @app.route("/broken", methods=["GET"])
    async def broken(self, _: Any) -> bytes:
        raise ValueError("broken")

    @app.route("/things/<name>", methods=["GET"])
    def thing(self, _: Any, name: str) -> bytes:
        return name.encode()

    @app.route("/shared", methods=["GET"])
    def shared(self, _: Any) -> bytes:
        return b"mine"

    @app.handle_errors(Exception)
    def failed(self, request: Any, failure: Failure) -> bytes:
        self.told.append(failure)
        return b"told"


class Neighbour:
    app = Klein()

    @app.route("/shared", methods=["GET"])
    def shared(self, _: Any) -> bytes:
        return b"yours"

    def failed(self, _: Any, failure: Failure) -> bytes:
        raise AssertionError(failure)


def test_only_what_is_fixed_and_nobody_elses() -> None:
    assert set(fixed_routes([Shop(), Neighbour()])) == {
        (b"GET", b"/whole"),
        (b"GET", b"/later"),
        (b"POST", b"/later"),
        (b"GET", b"/broken"),
    }


class Desk(Resource):
    isLeaf = True

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._routes = fixed_routes([shop])

    def render(self, request: HttpRequest) -> int:
        assert request.path is not None
        self._routes[request.method, request.path].serve(request)
        return NOT_DONE_YET


def open_shop() -> tuple[Service, Shop]:
    service, shop = Service(), Shop()
    service.site.resource = Desk(shop)
    return service, shop


@edge
async def test_what_a_handler_returns_is_the_answer() -> None:
    service, shop = open_shop()
    async with service:
        client = await service.connect()
        assert (await client.ask(request("GET", "/whole"))).body == b"whole"
        client.send(request("POST", "/later", b"{}"))
        await service.until(lambda: service.site.in_flight == 1)
        shop.waiting.callback(b"later")
        assert (await client.answer()).body == b"later"


@edge
async def test_what_a_handler_raises_is_told_by_the_app() -> None:
    service, shop = open_shop()
    async with service:
        client = await service.connect()
        assert (await client.ask(request("GET", "/broken"))).body == b"told"
        assert shop.told[0].check(ValueError)


@edge
async def test_a_client_that_leaves_cancels_the_handler() -> None:
    service, shop = open_shop()
    async with service:
        client = await service.connect()
        client.send(request("GET", "/later"))
        await service.until(lambda: service.site.in_flight == 1)
        client.wire.abortConnection()
        await service.until(lambda: shop.left)
        assert not shop.told


@edge
async def test_a_bug_after_the_client_has_left_is_logged(caught: list[Any]) -> None:
    service, shop = open_shop()
    shop.waiting = Deferred(lambda cancelled: cancelled.errback(ValueError("too late")))
    async with service:
        client = await service.connect()
        client.send(request("GET", "/later"))
        await service.until(lambda: service.site.in_flight == 1)
        client.wire.abortConnection()
        await service.until(lambda: bool(caught))
    assert caught[0]["log_failure"].check(ValueError)
