"""After Google's tokens: whose account it is, and the project without which Code Assist serves nobody.

Source: provider sheets gemini-cli, antigravity; gemini-cli's code_assist/setup.ts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiproxy.credentials.exchange import Ask, bearer, get, post_json
from aiproxy.credentials.login import Login
from aiproxy.credentials.ways.desk import Content, Desk, LoginFailed, Options, text_of
from aiproxy.neutral.errors import GatewayError

PAUSE_SECONDS = 3.0
TRIES = 20
"""Onboarding takes seconds, a minute at the most."""

EVERY = "ALL"
FREE_TIERS = ("free-tier", "legacy-tier")
MADE_BY_GOOGLE = "gen-lang-client-"
"""Whoever pays nothing is served by a project that Google chooses, whichever was wished; the others by their own."""

PROJECT = "cloudaicompanionProject"
SERVICE = "cloudaicompanion.googleapis.com"


@dataclass(frozen=True, slots=True)
class CodeAssist:
    """`metadata` says who asks. `snake`: the words of Antigravity's onboarding are spelt with underscores. `unsaid` is the tier
    where the vendor names none. `onboards_at` is the URL's name."""

    metadata: Mapping[str, str] = field(hash=False)
    onboard_metadata: Mapping[str, str] = field(hash=False)
    unsaid: str
    load_at: str
    onboard_at: str
    tier_word: str = "tierId"

    async def __call__(
        self, login: Login, content: Content, reply: Mapping[str, Any], desk: Desk, options: Options
    ) -> Content:
        token = str(reply["access_token"])
        email = text_of((await desk.ask(get(login.url("userinfo"), bearer(token)))).said, "email")
        if not email:
            raise LoginFailed("Google didn't say whose account this is. Begin again, and allow the address to be seen.")
        wanted = await self._wanted(login, desk, token, options.project)
        found = [await self._project(login, desk, token, project) for project in wanted or [""]]
        for project in dict.fromkeys(found):
            await self._enabled(login, desk, token, project)
        return {**content, "email": email, "project_id": ",".join(dict.fromkeys(found))}

    async def _wanted(self, login: Login, desk: Desk, token: str, project: str) -> list[str]:
        if project.upper() != EVERY:
            return [part for each in project.split(",") if (part := each.strip())]
        if "projects" not in login.urls:
            raise LoginFailed(f"{login.provider} has one project an account; leave --project out.")
        said = (await desk.ask(get(login.url("projects"), bearer(token)))).said.get("projects")
        names = (
            [text_of(each, "projectId") for each in said if isinstance(each, dict)] if isinstance(said, list) else []
        )
        if not any(names):
            raise LoginFailed("This account has no project that Google shows. Name one with --project.")
        return [name for name in names if name]

    async def _enabled(self, login: Login, desk: Desk, token: str, project: str) -> None:
        """A project of one's own has the service switched off at first. What can't be found out is told, and no hindrance."""
        if "services" not in login.urls:
            return
        service = f"{login.urls['services']}/v1/projects/{project}/services/{SERVICE}"
        try:
            if (await desk.ask(get(service, bearer(token)))).said.get("state") == "ENABLED":
                return
            done = (await desk.ask(post_json(f"{service}:enable", {}, bearer(token)))).status == 200
        except GatewayError:
            done = False
        if done:
            desk.tell(f"Code Assist ({SERVICE}) was switched on in the project {project}.")
        else:
            page = f"https://console.cloud.google.com/apis/library/{SERVICE}?project={project}"
            desk.tell(
                f"Whether Code Assist is on in the project {project} can't be seen; if its calls are refused: {page}"
            )

    async def _project(self, login: Login, desk: Desk, token: str, wanted: str) -> str:
        with_project = {PROJECT: wanted} if wanted else {}
        load_base = login.urls.get(self.load_at, login.base)
        form = {"metadata": self.metadata, **with_project}
        question = post_json(f"{load_base}/v1internal:loadCodeAssist", form, bearer(token))
        answer = await desk.ask(question)
        if answer.status != 200:
            raise LoginFailed(f"{question.host} refused to tell the account's project (status {answer.status}).")
        said = answer.said
        found = wanted or project_of(said)
        if found and "currentTier" in said:
            return found
        tier = tier_of(said, self.unsaid)
        setting = {self.tier_word: tier, "metadata": self.onboard_metadata, **with_project}
        url = f"{login.urls.get(self.onboard_at, login.base)}/v1internal:onboardUser"
        given = await self._onboard(desk, post_json(url, setting, bearer(token)), found)
        free = tier in FREE_TIERS or wanted.startswith(MADE_BY_GOOGLE)
        return given if free or not wanted else wanted

    async def _onboard(self, desk: Desk, question: Ask, wanted: str) -> str:
        desk.tell("Google sets the account up for Code Assist; this takes up to a minute.")
        for _ in range(TRIES):
            answer = await desk.ask(question)
            if answer.status != 200:
                raise LoginFailed(f"{question.host} refused to set the account up (status {answer.status}).")
            if answer.said.get("done") is True:
                response = answer.said.get("response")
                found = project_of(response if isinstance(response, dict) else {}) or wanted
                if found:
                    return found
                raise LoginFailed("Google named no project. Make one in the console, and name it with --project.")
            await desk.pause(PAUSE_SECONDS)
        raise LoginFailed("Google hasn't set the account up in time. Try again in some minutes.")


def project_of(said: Mapping[str, Any]) -> str:
    return text_of(said, PROJECT, f"{PROJECT}.id", "projectId", "project", "project.id")


def tier_of(said: Mapping[str, Any], unsaid: str) -> str:
    tiers = said.get("allowedTiers")
    for tier in tiers if isinstance(tiers, list) else ():
        if isinstance(tier, dict) and tier.get("isDefault") is True and isinstance(tier.get("id"), str):
            return str(tier["id"])
    return text_of(said, "currentTier.id") or unsaid
