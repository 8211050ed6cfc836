"""Everything built from one configuration, never mutated: a reload builds a new one and swaps a single reference."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from secrets import token_hex
from typing import TypeVar

from twisted.internet.interfaces import IReactorTime

from aiproxy.catalogue import Catalogue, known_provider
from aiproxy.catalogue.capabilities import capabilities_of
from aiproxy.catalogue.globs import matches
from aiproxy.catalogue.offers import Offer
from aiproxy.clients import Client, Keyring
from aiproxy.clients.limits import Limited
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.config.payload import payload_rules
from aiproxy.config.prompt import system_prompt
from aiproxy.config.schema import ModelPrice, Settings, TokenPrices, UpstreamUrls
from aiproxy.credentials.accounts import Used
from aiproxy.credentials.base import Credential, Way
from aiproxy.credentials.files import Files
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record
from aiproxy.gateway.keys import ManagedKey, clients_of, common_limits, managed_clients
from aiproxy.gateway.planned import Planned
from aiproxy.gateway.stages import Fallbacks
from aiproxy.logs import spellings
from aiproxy.pools.selection import STRATEGIES, Account, Strategy
from aiproxy.pools.verdict import FaultRule, Judge
from aiproxy.providers.base import LoggedIn, Provider, Upstream, aliases_of, rules_of
from aiproxy.rewriting.payload import PayloadRules
from aiproxy.rewriting.system_prompt import SystemPrompt
from aiproxy.secrets import Scrubber, Secret, digest
from aiproxy.transports.base import Network
from aiproxy.transports.media import MediaFetcher
from aiproxy.usage.prices import NO_PRICES, Price, Priced, Prices, Rates
from aiproxy.usage.vendor_prices import vendor_prices

T = TypeVar("T")

DIRECT = "direct"
"""The `proxy-url` of an entry that uses none although there is a global one."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    settings: Settings
    catalogue: Catalogue
    upstreams: Mapping[str, Upstream]
    ways: Mapping[str, Way]
    """By account."""
    payload: PayloadRules
    system_prompt: SystemPrompt
    scrub: Scrubber
    media: MediaFetcher | None
    """None where nothing is fetched for clients."""
    sealing_key: Secret
    """Of the carriers that take one vendor's state through another's protocol."""
    fallbacks: Fallbacks
    prices: Prices = NO_PRICES
    model_limits: Sequence[Limited] = ()
    """What all clients may use of models together."""
    rules: tuple[FaultRule, ...] = ()
    """The operator's words on failures of every account."""
    used: Mapping[str, Used] = field(default_factory=dict)
    """The logins of credential files, by the file's name."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Credential files that no account can be made of, and why."""
    planned: Planned = field(default_factory=Planned, init=False, repr=False, compare=False)
    """What was worked out of all this for calls."""

    @property
    def accounts(self) -> Sequence[Account]:
        """What the pool needs to know of the upstreams, in the order of the configuration."""
        return [
            Account(
                upstream.id,
                upstream.priority,
                upstream.weight,
                upstream.concurrency,
                Judge(
                    (upstream.provider.faults, (*upstream.rules, *self.rules)),
                    cools=not self.settings.disable_cooling if upstream.cools is None else upstream.cools,
                ),
                identity=digest(upstream.base_url, upstream.credential.identity, self.ways[upstream.id].proxy),
                provider=f"{upstream.provider.name} {upstream.base_url}",
                network="" if upstream.apart else f"{upstream.base_url} {digest(self.ways[upstream.id].proxy)}",
                per_minute=upstream.per_minute,
            )
            for upstream in self.upstreams.values()
        ]

    def state_scope(self, upstream: Upstream, model: str) -> str | None:
        """What names the login that alone can give this model's opaque state back, to nobody but us; None where any can."""
        if not matches(model, upstream.provider.binds_state):
            return None
        return digest(self.sealing_key.reveal(), upstream.base_url, upstream.credential.identity)[:16]

    def strict(self, client: Client) -> bool:
        """Whether what an upstream can't take is refused, not dropped."""
        return self.settings.translation == "strict" if client.strict is None else client.strict

    def reach(self, client: Client) -> Callable[[Offer], bool]:
        """Whose offers a client may take."""
        return lambda offer: client.may_reach(offer.account, offer.provider, offer.prefix)

    def keyring(self, managed: Sequence[ManagedKey] = ()) -> Keyring:
        """Of the keys of the configuration, and of those that are managed."""
        providers = {upstream.provider.name for upstream in self.upstreams.values()}
        return Keyring(clients_of(self.settings, providers), managed_clients(managed, self.settings, providers))

    @property
    def strategy(self) -> Strategy:
        return STRATEGIES[self.settings.routing.strategy]

    def capabilities(self, model: str, provider: Provider | None = None) -> Capabilities:
        """What a model can do, at this provider where one is given, as far as anybody knows."""
        if provider is None:
            return capabilities_of(model)
        return replace(capabilities_of(model, provider.vendor), **provider.abilities)


def build_snapshot(
    settings: Settings,
    secrets: Sequence[Secret],
    providers: Sequence[Provider],
    clock: IReactorTime,
    http: Callable[[Settings], Network],
    before: Snapshot | None = None,
    files: Files | None = None,
    signing: Callable[[Login, Record], Credential] | None = None,
) -> Snapshot:
    """Bottom-up, by argument. `http` makes the transport of all upstreams that are reached over the network, `signing` what
    signs for a login by its file. One login is one credential, with one token, however many accounts it has; what was in
    use `before` stays so."""
    held = {upstream.credential: upstream.credential for upstream in before.upstreams.values()} if before else {}
    upstreams: dict[str, Upstream] = {}
    ways: dict[str, Way] = {}
    used: dict[str, Used] = {}
    left_out: dict[str, str] = dict(files.refused) if files else {}
    network = http(settings)
    for provider in providers:
        found = list(provider.upstreams(settings))
        transport = provider.in_process(clock, settings) if provider.in_process and found else network
        of_file: dict[str, tuple[str, Login]] = {}
        if files and signing and provider.accounts and (declared := files.logins.get(provider.name)):
            login = declared.resolved(settings)
            for record in files.of(login):
                if record.disabled:
                    continue
                urls = settings.upstreams.get(provider.name, UpstreamUrls())
                pays = settings.quota_exceeded.antigravity_credits
                signs = signing(login, record)
                said = LoggedIn(record.id, record.content, signs, urls.base_url, urls.quota_url, pays)
                try:
                    made = list(provider.accounts(said))
                except ValueError as error:
                    left_out[record.name] = str(error)
                    continue
                made = [of_login(settings, upstream) for upstream in made]
                found += made
                of_file |= {upstream.id: (record.name, login) for upstream in made}
        for upstream in found:
            credential = held.setdefault(upstream.credential, upstream.credential)
            upstreams[upstream.id] = replace(upstream, credential=credential)
            ways[upstream.id] = Way(upstream.id, transport, proxy(upstream.proxy_url or settings.proxy_url), clock)
            if upstream.id in of_file:
                name, login = of_file[upstream.id]
                used.setdefault(name, Used(login, ways[upstream.id]))
    catalogue = _catalogue(settings, upstreams.values())
    return Snapshot(
        settings=settings,
        catalogue=catalogue,
        upstreams=upstreams,
        ways=ways,
        payload=payload_rules(settings.payload),
        system_prompt=system_prompt(settings.system_prompt),
        scrub=Scrubber(spellings([*secrets, *(files.secrets if files else ())])),
        media=_media(settings, network, clock),
        sealing_key=_sealing_key(secrets),
        fallbacks=_fallbacks(settings, catalogue, upstreams.values()),
        prices=_prices(settings),
        model_limits=common_limits(settings),
        rules=rules_of(settings.request_scoped_errors),
        used=used,
        left_out=left_out,
    )


def of_login(settings: Settings, upstream: Upstream) -> Upstream:
    """With what the operator says of all accounts of its provider that have no key of the configuration."""
    provider = upstream.provider.name.lower()
    excluded = _of_provider(settings.oauth_excluded_models, provider)
    rules = rules_of(_of_provider(settings.oauth_request_scoped_errors, provider))
    if not (excluded or rules):
        return upstream
    return replace(upstream, excluded_models=(*upstream.excluded_models, *excluded), rules=(*upstream.rules, *rules))


def _of_provider(settings: Mapping[str, tuple[T, ...]], provider: str) -> tuple[T, ...]:
    return tuple(each for name, found in settings.items() if name.lower() == provider for each in found)


def with_accounts(snapshot: Snapshot, more: Iterable[tuple[Upstream, Way]]) -> Snapshot:
    """The same with accounts that no configuration knows."""
    upstreams, ways = dict(snapshot.upstreams), dict(snapshot.ways)
    for upstream, way in more:
        upstreams[upstream.id], ways[upstream.id] = of_login(snapshot.settings, upstream), way
    catalogue = _catalogue(snapshot.settings, upstreams.values())
    fallbacks = _fallbacks(snapshot.settings, catalogue, upstreams.values())
    return replace(snapshot, upstreams=upstreams, ways=ways, catalogue=catalogue, fallbacks=fallbacks)


def _prices(settings: Settings) -> Prices:
    """The operator's, then the vendors' own of the package."""
    table = [Priced(glob, _price(price)) for glob, price in settings.prices.items()]
    return Prices([*table, *vendor_prices()], lambda name, glob: matches(name, (glob,)))


def _price(price: ModelPrice) -> Price:
    long = price.long_context
    return Price(**_rates(price), above=long.above, long=Rates(**_rates(long)) if long.above else None)


def _rates(price: TokenPrices) -> dict[str, float]:
    return {each.name: getattr(price, each.name) for each in fields(Rates)}


def proxy(url: str) -> str:
    return "" if url == DIRECT else url


def _catalogue(settings: Settings, upstreams: Collection[Upstream]) -> Catalogue:
    aliases = {provider.lower(): aliases_of(entries) for provider, entries in settings.model_alias.items()}
    providers = {upstream.provider.name for upstream in upstreams}
    return Catalogue(
        (upstream.offer.renamed(aliases.get(upstream.provider.name.lower(), ())) for upstream in upstreams),
        force_prefix=settings.force_model_prefix,
        default=known_provider(settings.routing.default_provider, providers),
    )


def _media(settings: Settings, network: Network, clock: IReactorTime) -> MediaFetcher | None:
    limits = settings.media_fetch
    return MediaFetcher(network, limits, proxy(settings.proxy_url), clock) if limits.enabled else None


def _fallbacks(settings: Settings, catalogue: Catalogue, upstreams: Collection[Upstream]) -> Fallbacks:
    names = {upstream.provider.name for upstream in upstreams}
    chain = {
        known_provider(provider, names): [known_provider(target, names) for target in targets]
        for provider, targets in settings.provider_fallback_chain.items()
    }
    previews = {offer.account: found for offer in catalogue.offers if (found := offer.previews)}
    return Fallbacks(
        {provider: [target for target in targets if target] for provider, targets in chain.items() if provider},
        settings.model_fallback,
        lambda model: matches(model, settings.context_length_fallback),
        previews if settings.quota_exceeded.switch_preview_model else {},
    )


def _sealing_key(secrets: Sequence[Secret]) -> Secret:
    """The same for the same configuration, so that carriers outlive a restart; new where there is nothing secret in it."""
    texts = sorted(secret.reveal() for secret in secrets) or [token_hex(32)]
    return Secret(sha256("\0".join(("aiproxy carriers", *texts)).encode()).hexdigest())
