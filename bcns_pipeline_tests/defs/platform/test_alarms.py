"""Who is told of open questions: once, grouped, at every sink, and that it is over."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from bcns_pipeline.state.exceptions import Question
from bcns_pipeline.state.inbox import Event
from bcns_pipeline.state.operations import Intent
from bcns_pipeline_tests.defs.order_flow import OrderFlow
from bcns_pipeline_tests.defs.relay import Server, serving

CODE = "ITEM_UNMAPPED"


def tick(shop: OrderFlow) -> Any:
    """One tick of the sensor."""
    with shop.tick("exception_alerts") as told:
        return told


def ask(shop: OrderFlow, *orders: int) -> None:
    """Open questions about orders, with money in them."""
    questions = [
        Question(
            CODE,
            f"order:{one}",
            "SKU X is unknown.",
            owner="merchandising",
            amount_minor=1050,
            currency="USD",
        )
        for one in orders
    ]
    shop.state().exceptions.open_many("orders", questions)


def rest(shop: OrderFlow) -> None:
    """As if the last messages had been sent an hour ago."""
    memory = shop.state().cursors.get("alerts/told")
    for entry in memory["told"].values():
        entry["at"] = (datetime.fromisoformat(entry["at"]) - timedelta(hours=1)).isoformat()
    shop.state().cursors.move("alerts/told", memory)


def said(server: Server) -> list[Any]:
    return [json.loads(body) for _, _, body in server.seen]


def ok(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
    # As Slack says it, which is no JSON.
    return 200, b"ok"


def test_many_questions_of_one_code_are_one_message_and_the_next_tick_is_silent(shop: OrderFlow) -> None:
    ask(shop, *range(100, 140))

    with serving(ok) as slack, shop.at(BCNS_SLACK_WEBHOOK_URL=f"{slack.url}/hush"):
        tick(shop)
        tick(shop)

    (message,) = said(slack)
    assert f"{CODE} in orders: 40 open (merchandising)" in message["text"]
    assert "420.00" in message["text"]


def test_news_and_the_end_are_told_after_a_rest(shop: OrderFlow) -> None:
    with serving(ok) as slack, shop.at(BCNS_SLACK_WEBHOOK_URL=slack.url):
        ask(shop, 100)
        tick(shop)
        ask(shop, 101, 102)
        tick(shop)
        assert len(slack.seen) == 1
        rest(shop)
        tick(shop)
        shop.state().exceptions.keep_only("orders", CODE, [])
        rest(shop)
        tick(shop)

    opened, update, over = (one["text"] for one in said(slack))
    assert "1 open" in opened
    assert "3 open, 2 of them new" in update
    assert f"{CODE} in orders is over" in over


def test_every_sink_gets_it_in_its_own_shape(shop: OrderFlow) -> None:
    shop.sections["alerts"] = {
        "default": ["slack", "webhook", "events", "email"],
        "email": {"from": "bcns@shop.test", "to": ["ops@shop.test"]},
    }
    shop.configure()
    ask(shop, 100)
    with (
        serving(ok) as there,
        mailbox() as mails,
        shop.at(
            BCNS_SLACK_WEBHOOK_URL=f"{there.url}/slack",
            BCNS_ALERT_WEBHOOK_URL=f"{there.url}/any",
            BCNS_PAGER_URL=f"{there.url}/pager",
            BCNS_PAGER_ROUTING_KEY="routing-key-1",
            BCNS_MAIL_SERVER=mails.url,
        ),
    ):
        tick(shop)

    heard = {path: json.loads(body) for _, path, body in there.seen}
    assert heard["/any"]["subjects"] == ["order:100"]
    assert heard["/any"]["amounts"] == [{"amount": "10.50", "currency": "USD"}]
    assert heard["/pager"]["routing_key"] == "routing-key-1"
    assert heard["/pager"]["event_action"] == "trigger"
    assert heard["/pager"]["dedup_key"].endswith(f"orders/{CODE}")
    assert "To: ops@shop.test" in mails.text
    assert f"{CODE} in orders: 1 open" in mails.text.replace("\n ", " ")


def test_a_sink_that_is_down_is_a_red_tick_and_no_other_hears_it_twice(shop: OrderFlow) -> None:
    shop.sections["alerts"] = {"default": ["slack", "webhook"]}
    shop.configure()
    ask(shop, 100)
    status = 404

    def answer(method: str, path: str, body: bytes) -> tuple[int, Any] | None:
        return (status, b"gone") if path == "/any" else (200, b"ok")

    addresses = {"BCNS_SLACK_WEBHOOK_URL": "/slack", "BCNS_ALERT_WEBHOOK_URL": "/any"}
    with serving(answer) as there, shop.at(**{name: there.url + path for name, path in addresses.items()}):
        with pytest.raises(Exception, match="webhook: refused with 404"):
            tick(shop)
        status = 200
        tick(shop)
        tick(shop)

    assert sorted(path for _, path, _ in there.seen) == ["/any", "/any", "/slack"]


def test_without_an_address_it_is_logged_once(shop: OrderFlow) -> None:
    ask(shop, 100)

    assert "1 messages sent" in tick(shop).skip_message
    assert tick(shop).skip_message == "nothing new"


def test_a_memory_that_is_lost_tells_once_more(shop: OrderFlow) -> None:
    ask(shop, 100)
    with serving(ok) as slack, shop.at(BCNS_SLACK_WEBHOOK_URL=slack.url):
        tick(shop)
        shop.state().cursors.move("alerts/told", None)
        tick(shop)
        tick(shop)

    assert len(slack.seen) == 2


def test_work_that_waits_too_long_is_an_alarm_and_ends_when_it_is_done(shop: OrderFlow) -> None:
    shop.sections["alerts"] = {"backlog": {"orders": {"count": 2, "minutes": 30}}}
    shop.configure()
    state = shop.state()
    state.inbox.record([Event("order", str(one), "webhook") for one in (100, 101)])
    tick(shop)
    assert shop.open_exceptions("BACKLOG") == []
    state.inbox.record([Event("order", "102", "webhook")])

    tick(shop)
    (question,) = shop.open_exceptions("BACKLOG")
    assert (question.subject, question.owner) == ("flow:orders", "integration")

    with state.worker() as worker:
        state.inbox.done(state.inbox.claim("order", 10, worker))
    tick(shop)
    assert shop.open_exceptions("BACKLOG") == []

    # A write that can't be sent waits as well, though its order was read and decided.
    state.outbox.stage("orders", [Intent("sales_order", "bc-x-order-100", {"order_id": 100})])
    shop.age_operations(minutes=31)
    tick(shop)
    (question,) = shop.open_exceptions("BACKLOG")
    assert "1 of orders wait, the oldest for 31 minutes" in question.message


def test_no_flow_starts_while_an_alert_would_reach_nobody(shop: OrderFlow) -> None:
    shop.sections["alerts"] = {"default": ["email"]}
    shop.configure()

    run = shop.run("order_completeness", fails=True)

    assert "alerts.email.from is missing" in run.failures[0]


class Mailbox(socketserver.StreamRequestHandler):
    """A mail server that takes everything, in the clear, and keeps it in `server.text`."""

    def handle(self) -> None:
        def reply(line: str) -> None:
            self.wfile.write(line.encode() + b"\r\n")

        reply("220 here")
        while line := self.rfile.readline().decode().strip():
            if line.upper() == "DATA":
                reply("354 go on")
                lines = []
                while (text := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(text)
                self.server.text = "\n".join(lines)  # type: ignore[attr-defined]
                reply("250 taken")
            else:
                reply("221 bye" if line.upper() == "QUIT" else "250 fine")
                if line.upper() == "QUIT":
                    return


class MailServer(socketserver.ThreadingTCPServer):
    """Where it listens, and what it got."""

    daemon_threads = True
    text = ""

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def mailbox() -> Iterator[MailServer]:
    """A mail server of our own for a while."""
    with MailServer(("127.0.0.1", 0), Mailbox) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
