"""The mapping file's `alerts`: who hears of what, where, and when waiting work is an alarm.

Put routes and limits here. Addresses that are secrets (Slack's webhook, a pager's routing key, a mail server's
password) are in the environment. Do not put rules here (rules/alerts.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from bcns_pipeline.config.base import Section, Text, Whole
from bcns_pipeline.rules.alerts import AlertPolicy, Limit, Sink, unrouted
from bcns_pipeline.rules.exceptions import CATALOGUE, Owner, Severity

_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _code(text: str) -> str:
    if text not in CATALOGUE:
        raise ValueError(f"{text!r} is no exception code; docs/operations.md lists them")
    return text


def _owner(text: str) -> str:
    if text not in set(Owner):
        raise ValueError(f"{text!r} is no owner; {', '.join(Owner)} are")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError(f"{text!r} is no e-mail address; write one such as ops@example.com")
    return text


Code = Annotated[Text, AfterValidator(_code)]
OwnerName = Annotated[Text, AfterValidator(_owner)]
Email = Annotated[Text, AfterValidator(_email)]
Emails = tuple[Email, ...]


class SeveritiesMapping(Section):
    """The mildest severity that each sink takes."""

    slack: Severity = "warning"
    email: Severity = "error"
    webhook: Severity = "warning"
    events: Severity = "error"


class EmailMapping(Section):
    """Who gets mail. The server is in the environment."""

    sender: Email | None = Field(None, alias="from", description="From whom it comes.")
    to: Emails = Field((), description="For owners without an entry of their own.")
    owners: dict[OwnerName, Emails] = Field(default_factory=dict, description="By owner.")


class LimitMapping(Section):
    """When waiting work is an alarm."""

    count: Annotated[Whole, Field(ge=1)] = 1000
    minutes: Annotated[Whole, Field(ge=1)] = 30


class BacklogMapping(Section):
    """Limits by flow."""

    orders: LimitMapping = LimitMapping()
    customers: LimitMapping = LimitMapping()
    fulfilment: LimitMapping = LimitMapping()


class AlertsMapping(Section):
    """Messages about open questions: one per code and flow, with updates and an end."""

    default: tuple[Sink, ...] = Field(
        ("slack",), description="slack, email, webhook, events (a pager); where nothing else is said."
    )
    routes: dict[OwnerName, tuple[Sink, ...]] = Field(
        default_factory=dict,
        validate_default=True,
        description="Sinks by owner: merchandising, operations, integration, finance, service.",
    )
    owners: dict[Code, OwnerName] = Field(
        default_factory=dict, description="Codes that somebody else owns than docs/operations.md says."
    )
    severities: SeveritiesMapping = SeveritiesMapping()
    email: EmailMapping = EmailMapping()
    group_minutes: Annotated[Whole, Field(ge=1, le=1440)] = Field(
        15, description="Least time between two messages about the same code."
    )
    repeat_hours: Annotated[Whole, Field(ge=1, le=720)] = Field(
        24, description="An error that nobody has taken is told again after this."
    )
    runbooks: Annotated[Text, Field(max_length=300)] = Field(
        "docs/runbooks/{code}.md",
        validate_default=True,
        description="Link in each message; {code}: its code.",
    )
    backlog: BacklogMapping = BacklogMapping()

    @field_validator("runbooks")
    @classmethod
    def _names_the_code(cls, text: str) -> str:
        if "{code}" not in text:
            raise ValueError(f"{text!r} lacks {{code}}, which says where the code goes")
        return text

    @field_validator("routes")
    @classmethod
    def _everybody_hears(
        cls, routes: dict[str, tuple[Sink, ...]], info: ValidationInfo
    ) -> dict[str, tuple[Sink, ...]]:
        deaf = sorted(owner for owner, sinks in routes.items() if not sinks)
        if deaf:
            raise ValueError(f"{', '.join(deaf)} would hear of nothing; name a sink, or remove the entry")
        if not info.data.get("default", True) and set(routes) != set(Owner):
            raise ValueError("default names no sink, so each owner needs an entry of its own")
        return routes

    def sinks(self) -> set[Sink]:
        """Every sink that something is routed to."""
        return {*self.default, *(sink for sinks in self.routes.values() for sink in sinks)}

    def mail_to(self, owner: str) -> Emails:
        """Who gets mail for this owner."""
        return self.email.owners.get(owner, self.email.to)

    def faults(self) -> Iterator[str]:
        """What sending needs and is not there, as sentences."""
        for owner in unrouted(self.policy()):
            yield f"alerts.routes.{owner} is missing, and alerts.default takes no errors; name a sink for it."
        if "email" in self.sinks():
            if self.email.sender is None:
                yield "alerts.email.from is missing, although alerts go by e-mail."
            mailed = [one.value for one in Owner if "email" in self.routes.get(one, self.default)]
            deaf = [owner for owner in mailed if not self.mail_to(owner)]
            if deaf:
                yield f"alerts.email.to is missing; nobody would get the mail for {', '.join(deaf)}."

    def policy(self) -> AlertPolicy:
        """What the rules need."""
        limits = {
            "orders": self.backlog.orders,
            "customers": self.backlog.customers,
            "fulfilment": self.backlog.fulfilment,
        }
        return AlertPolicy(
            routes=dict(self.routes),
            default=self.default,
            owners={code: Owner(owner) for code, owner in self.owners.items()},
            least={
                "slack": self.severities.slack,
                "email": self.severities.email,
                "webhook": self.severities.webhook,
                "events": self.severities.events,
            },
            group_minutes=self.group_minutes,
            repeat_hours=self.repeat_hours,
            backlog={flow: Limit(one.count, one.minutes) for flow, one in limits.items()},
            runbooks=self.runbooks,
        )
