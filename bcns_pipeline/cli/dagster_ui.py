"""A few words with a Dagster webserver of our own, the way its pages speak with it.

Put here what `bcns dev` asks of the UI's GraphQL. Do not put here anything that talks to a merchant's
systems: those calls go through clients/http. Loopback only, standard library only.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Proxies of the environment have no business between two processes of one machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_SCHEDULES = """
query { repositoriesOrError { ... on RepositoryConnection { nodes {
  name location { name } schedules { name scheduleState { status } } } } } }
"""
_START = """
mutation($it: ScheduleSelector!) { startSchedule(scheduleSelector: $it) {
  __typename ... on PythonError { message } ... on UnauthorizedError { message } } }
"""
_LAUNCH = """
mutation($it: JobOrPipelineSelector!, $config: RunConfigData!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {selector: $it, runConfigData: $config, executionMetadata: {tags: $tags}}) {
  __typename ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } } } }
"""

_LOADED = """
query { workspaceOrError { ... on Workspace { locationEntries {
  name locationOrLoadError { __typename } } } } }
"""
_RELOAD = """
mutation($it: String!) { reloadRepositoryLocation(repositoryLocationName: $it) { __typename } }
"""


class DagsterSaidNo(Exception):
    """The webserver answered, and refused; the text is what it said."""


@dataclass(frozen=True, slots=True)
class DagsterUI:
    """The webserver on a loopback port."""

    port: int

    @property
    def url(self) -> str:
        """Where a person opens it."""
        return f"http://127.0.0.1:{self.port}"

    def repositories(self) -> list[dict[str, Any]]:
        """The code locations that are loaded; empty while none is, or while nobody answers yet."""
        try:
            found = self._ask(_SCHEDULES)["repositoriesOrError"]
        except (OSError, DagsterSaidNo):
            return []
        return list(found.get("nodes", []))

    def start_schedules(self, repository: dict[str, Any]) -> list[str]:
        """Switch on what is off, as its page would; returns the names. Raises DagsterSaidNo."""
        off = [one["name"] for one in repository["schedules"] if one["scheduleState"]["status"] != "RUNNING"]
        for name in off:
            self._must(_START, "startSchedule", "ScheduleStateResult", repository, scheduleName=name)
        return off

    def launch(
        self, repository: dict[str, Any], job: str, config: Mapping[str, Any] | None = None, day: str = ""
    ) -> None:
        """Start one run of a job, of its partition `day` if given. Raises DagsterSaidNo, OSError."""
        tags = [{"key": "dagster/partition", "value": day}] if day else []
        more = {"config": dict(config or {}), "tags": tags}
        self._must(_LAUNCH, "launchRun", "LaunchRunSuccess", repository, more, jobName=job)

    def mend(self) -> list[str]:
        """Load the code locations again whose server is gone, as the Reload of their page does; returns their names.

        `dagster dev` starts none anew by itself, and until then no sensor and no schedule goes. Raises DagsterSaidNo,
        OSError.
        """
        entries = self._ask(_LOADED)["workspaceOrError"].get("locationEntries", [])
        lost = [
            one["name"]
            for one in entries
            if (one["locationOrLoadError"] or {}).get("__typename") == "PythonError"
        ]
        for name in lost:
            self._ask(_RELOAD, it=name)
        return lost

    def _must(
        self,
        query: str,
        field: str,
        wanted: str,
        repository: dict[str, Any],
        more: Mapping[str, Any] | None = None,
        **names: str,
    ) -> None:
        where = {
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
        }
        found = self._ask(query, it={**where, **names}, **(more or {}))[field]
        if found["__typename"] != wanted:
            raise DagsterSaidNo(f"{field} {names}: {found}")

    def _ask(self, query: str, **variables: Any) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 - loopback http
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with _OPENER.open(request, timeout=30) as answer:
                told = json.loads(answer.read())
        except urllib.error.HTTPError as fault:
            raise DagsterSaidNo(fault.read().decode(errors="replace")[:500]) from None
        if told.get("errors"):
            raise DagsterSaidNo(str(told["errors"])[:500])
        return dict(told["data"])
