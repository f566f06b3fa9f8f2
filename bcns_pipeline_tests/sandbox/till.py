"""A shop with its payment providers and its bank in this process, for tests of their rules: no port, no waiting.

Put what tests of payments need to do and to ask here. Do not put expectations here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from bcns_pipeline.sandbox.bank.verbs import BankVerbs
from bcns_pipeline.sandbox.control import Control
from bcns_pipeline.sandbox.launch import SandboxFailed
from bcns_pipeline.sandbox.merchant import Merchant
from bcns_pipeline.sandbox.office_verbs import OfficeVerbs
from bcns_pipeline.sandbox.options import Options, Troubles
from bcns_pipeline.sandbox.payments.verbs import PaymentVerbs
from bcns_pipeline.sandbox.shop_verbs import ShopVerbs
from bcns_pipeline.sandbox.web import Answer, Call, Found


class Till(ShopVerbs, OfficeVerbs, PaymentVerbs, BankVerbs):
    """The control verbs over a merchant in this process, and Stripe's API beside them."""

    def __init__(self, folder: Path) -> None:
        options = Options(skus=40, troubles=Troubles.none(), stock="in-step", drop_dir=str(folder))
        self.merchant = Merchant(options)
        self.merchant.stripe.per_second = 0
        self.control = Control(self.merchant, None)  # type: ignore[arg-type]
        self.folder = folder

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """As `launch.Control` sends it, without the wire."""
        found = self.control.routes.find(method, path)
        assert isinstance(found, Found), path
        call = Call(method, path, "", {}, b"")
        call._query = {name: str(value) for name, value in query.items()}
        try:
            answer = found.route.handler(call, json.loads(json.dumps(body or {}, default=str)))
        except (ValueError, KeyError) as fault:
            raise SandboxFailed(str(fault)) from fault
        return json.loads(json.dumps(answer))

    def ask(self, path: str, query: str = "", key: str | None = None) -> Answer:
        """Stripe's answer to a GET."""
        stripe = self.merchant.stripe
        call = Call("GET", path, query, {"authorization": f"Bearer {key or stripe.key}"}, b"")
        refusal = stripe.enter(call)
        found = stripe.routes.find("GET", path)
        if refusal is not None:
            answer = refusal
        elif isinstance(found, Found):
            answer = found.route.handler(call, **found.names)  # type: ignore[assignment]
        else:
            answer = stripe.not_found(call, found)
        return stripe.finish(call, answer)

    def get(self, path: str, query: str = "") -> Any:
        """Stripe's JSON."""
        answer = self.ask(path, query)
        assert answer.status == 200, answer.body
        return json.loads(answer.body, parse_float=Decimal)

    def pages(self, path: str, query: str = "") -> Iterator[dict[str, Any]]:
        """All rows of a list, page by page."""
        after = ""
        while True:
            page = self.get(path, f"{query}&limit=100{after}".lstrip("&"))
            yield from page["data"]
            if not page["has_more"]:
                return
            after = f"&starting_after={page['data'][-1]['id']}"

    def rows(self, payout: str) -> list[dict[str, Any]]:
        """The balance transactions of a payout without the payout's own."""
        found = self.pages("/v1/balance_transactions", f"payout={payout}")
        return [row for row in found if row["type"] != "payout"]
