"""One alert to one sink, in the sink's own shape.

Put here which text and which client belong to a sink. Do not put here when something is told (alarms.py). A sink
without an address is the log: who configured none has asked for no more.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bcns_pipeline.outcomes import Ambiguous, Outcome, RateLimited, Refused, Sent
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules import alert_text
from bcns_pipeline.rules.alerts import Alert


class Teller:
    """The sinks of one tick; connections are opened at first use and closed with the block."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._alerts = connections.mapping.alerts
        self._store = connections.state.store
        self._slack = connections.slack()
        self._webhook = connections.alert_webhook()
        self._pager = connections.pager()
        self._mail = connections.mail()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sink in (self._slack, self._webhook, self._pager, self._mail):
            if sink is not None:
                sink.close()

    def tell(self, alert: Alert, log: Callable[[str], None]) -> str | None:
        """None where it was delivered, or logged for want of an address; else why not, without any secret."""
        outcome = self._send(alert)
        if outcome is None:
            log(f"{alert.sink} has no address: {alert_text.title(alert)}")
            return None
        match outcome:
            case Sent():
                return None
            case Refused(status, code, detail):
                return f"refused with {status} {code}: {detail}"
            case RateLimited():
                return "not reached, or asks for patience"
            case Ambiguous(reason):
                # It may have arrived. Told twice is better than never.
                return reason

    def _send(self, alert: Alert) -> Outcome | None:
        runbooks = self._alerts.runbooks
        match alert.sink:
            case "slack":
                text = alert_text.slack_text(alert, runbooks)
                return None if self._slack is None else self._slack.post(text)
            case "webhook":
                body = alert_text.webhook_body(alert, self._store, runbooks)
                return None if self._webhook is None else self._webhook.send(body)
            case "events":
                return self._page(alert)
            case "email":
                return self._write(alert)

    def _page(self, alert: Alert) -> Outcome | None:
        key = self._connections.settings.pager_routing_key
        if self._pager is None or key is None:
            return None
        body = alert_text.event_body(alert, self._store, self._alerts.runbooks)
        return self._pager.send({"routing_key": key.get_secret_value(), **body})

    def _write(self, alert: Alert) -> Outcome | None:
        sender, to = self._alerts.email.sender, self._alerts.mail_to(alert.owner.value)
        if self._mail is None or sender is None or not to:
            return None
        subject, text = alert_text.email(alert, self._store, self._alerts.runbooks)
        return self._mail.send(sender, to, subject, text)
