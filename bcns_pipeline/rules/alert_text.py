"""What an alert says, as each sink wants it: Slack's text, an e-mail, plain JSON, a pager's event.

Put wording and shapes here. Do not put addresses, keys or sending here. The event is of the form that
PagerDuty's Events API v2 takes and other pagers understand; its routing key is added by whoever sends it.
"""

from __future__ import annotations

from typing import Any, Final

from bcns_pipeline.rules.alerts import Alert
from bcns_pipeline.rules.exceptions import CATALOGUE

_LONGEST_SUMMARY: Final = 1024
_MARK: Final = {"error": ":red_circle:", "warning": ":large_yellow_circle:"}


def title(alert: Alert) -> str:
    """The alert in one line."""
    if alert.kind == "resolve":
        return f"{alert.code} in {alert.flow} is over"
    said = {"open": "", "update": f", {alert.new:,} of them new", "repeat": ", still"}
    return (
        f"{alert.code} in {alert.flow}: {alert.count:,} open{said.get(alert.kind, '')} ({alert.owner.value})"
    )


def lines(alert: Alert, runbooks: str) -> list[str]:
    """What stands under the title: cause, remedy, which records, what they say, what money, and where to read on."""
    if alert.kind == "resolve":
        return ["Nothing of it is open any more."]
    kind = CATALOGUE.get(alert.code)
    found = [kind.cause, kind.fix] if kind else []
    more = alert.count - len(alert.subjects)
    found.append(", ".join(alert.subjects) + (f" and {more:,} more" if more > 0 else ""))
    found += alert.messages
    if alert.amounts:
        found.append("Amount: " + ", ".join(str(one) for one in alert.amounts))
    if alert.oldest is not None:
        found.append(f"Oldest: {alert.oldest:%Y-%m-%d %H:%M} {alert.oldest.tzname() or ''}".rstrip())
    found.append(f"Runbook: {runbook(alert, runbooks)}")
    return found


def runbook(alert: Alert, runbooks: str) -> str:
    """Where the code is explained; `runbooks` has {code} in it."""
    return runbooks.replace("{code}", alert.code)


def slack_text(alert: Alert, runbooks: str) -> str:
    """For an incoming webhook."""
    mark = ":large_green_circle:" if alert.kind == "resolve" else _MARK[alert.severity]
    return "\n".join([f"{mark} *{title(alert)}*", *lines(alert, runbooks)])


def email(alert: Alert, store: str, runbooks: str) -> tuple[str, str]:
    """Subject and text."""
    return f"[bcns {store}] {title(alert)}", "\n".join(lines(alert, runbooks)) + "\n"


def webhook_body(alert: Alert, store: str, runbooks: str) -> dict[str, Any]:
    """For any receiver of JSON. Amounts are text in major units, with their currency."""
    return {
        "store": store,
        "key": alert.dedupe_key(store),
        "kind": alert.kind,
        "title": title(alert),
        "text": lines(alert, runbooks),
        "flow": alert.flow,
        "code": alert.code,
        "owner": alert.owner.value,
        "severity": alert.severity,
        "count": alert.count,
        "new": alert.new,
        "subjects": list(alert.subjects),
        "amounts": [{"amount": f"{one.amount:f}", "currency": one.currency} for one in alert.amounts],
        "oldest": alert.oldest.isoformat() if alert.oldest else None,
        "runbook": runbook(alert, runbooks),
    }


def event_body(alert: Alert, store: str, runbooks: str) -> dict[str, Any]:
    """For a pager: `trigger` opens or updates the incident of that key, `resolve` ends it."""
    ended = alert.kind == "resolve"
    body: dict[str, Any] = {
        "event_action": "resolve" if ended else "trigger",
        "dedup_key": alert.dedupe_key(store),
    }
    if ended:
        return body
    link = runbook(alert, runbooks)
    links = [{"href": link, "text": "Runbook"}] if link.startswith("http") else []
    return {
        **body,
        "payload": {
            "summary": title(alert)[:_LONGEST_SUMMARY],
            "source": f"bcns {store}",
            "severity": alert.severity,
            "component": alert.flow,
            "group": alert.owner.value,
            "class": alert.code,
            "custom_details": webhook_body(alert, store, runbooks),
        },
        **({"links": links} if links else {}),
    }
