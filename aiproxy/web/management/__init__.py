"""The management API under `/v0/management`: who may, and one table of routes.

A route is a line in the table of its module (`ROUTES(...) -> Sequence[Route]`): method, path, a sentence, what it takes and gives,
and an async function from `Asked` to something that JSON has (or an `Answer`). `Management` serves the whole table on Klein, and
`openapi` describes it, so nothing is served that isn't described. Routes raise `GatewayError`s and know nothing of authentication.

Who may is `Gate`'s to say, before a body is read where that is possible:

- there is nothing at all (404) without a `remote-management.secret-key`, a `MANAGEMENT_PASSWORD` or a set-up link that was printed;
- other machines may only with `allow-remote` or a `MANAGEMENT_PASSWORD` (403); whose address it is follows `trusted-proxies`;
- programs show the key (`Authorization: Bearer KEY`, or `X-Management-Key`); browsers trade it at `POST …/session` for a session: an
  HttpOnly cookie, and a token that every request but GET repeats as `X-CSRF-Token`;
- whoever shows a wrong one `MOST_FAILURES` times is locked out for `LOCKED_SECONDS`.

For the console: `GET …/session` tells whether one is signed in and the CSRF token anew; `POST …/session {"key": …}` signs in, `DELETE …/session`
out; `POST …/setup {"token": …, "secret-key"?: …}` takes the one-time token behind `#setup=` in the link of the first start. Errors are
`{"error": sentence, "code": kind, "request_id": id}`. Every change is told to the log as `aiproxy.audit` and listed at `GET …/audit`."""

from aiproxy.web.management.management import ROOT, Management

__all__ = ["ROOT", "Management"]
