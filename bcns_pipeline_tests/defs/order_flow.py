"""A merchant whose orders flow: the stock flow's merchant, with a mapping file for orders.

Put here what every test of the order flows does: place orders, run, look at both sides. Do not put expectations
here. The ids of the mapping file are those that the sandbox's own NetSuite account names.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.defs.flow import BASE, Flow, Run

DATA_KEY_BYTES = b"k" * 32


class OrderFlow(Flow):
    """A merchant of 40 SKUs who sells. `orders`, `channels` … are the sections of the mapping file."""

    sections: dict[str, Any]

    def seed(self, skus: int = 40, *, locations: int = 2, stock: str = "in-step", **troubles: int) -> None:
        """A fresh catalogue, and a mapping with every id that the account needs."""
        self.sections = self.mapped()
        super().seed(skus, locations=locations, stock=stock, **troubles)

    def mapped(self) -> dict[str, Any]:
        """The order sections of the mapping file, from what the account says of itself."""
        books = self.sandbox.accounting
        items = {name: int(number) for name, number in books["items"].items()}
        codes = {name: int(code["id"]) for name, code in books["tax_codes"].items()}
        methods = {name: int(number) for name, number in books["ship_methods"].items()}
        return {
            "store": {"timezone": "America/New_York"},
            "cutover": {"at": (datetime.now(UTC) - timedelta(days=30)).date().isoformat()},
            "channels": {1: {"subsidiary": 1, "location": 1, "department": 4, "class": 3}},
            "orders": {
                "discounts": {"owner": "bigcommerce"},
                "rounding": {"item": items["rounding"]},
                "tax": {
                    "item": items["sales_tax"],
                    "code": codes["US-NY"],
                    "type": 1,
                    "exempt_code": codes["US-EXEMPT"],
                },
                "shipping": {"item": items["shipping"], "methods": methods},
                "handling": {"item": items["handling"]},
                "gift_wrapping": {"item": items["gift_wrap"]},
                "fees": {"item": items["fee"]},
                "gift_certificates": {"item": items["gift_certificate"]},
                "custom_products": {"item": items["unmapped"]},
                "fields": {"custbody_bc_order_id": "id"},
                "line_id_field": "custcol_bc_line_id",
            },
        }

    def configure(self, **inventory: Any) -> None:
        """Change the inventory section; what is not given stays, and None removes a key."""
        self.mapping = {k: v for k, v in {**BASE, **self.mapping, **inventory}.items() if v is not None}
        text = yaml.safe_dump({"version": 1, "inventory": self.mapping, **self.sections})
        (self.folder / "bcns.yaml").write_text(text)

    def decide(self, section: str, **keys: Any) -> None:
        """Change a section of the mapping file; None removes a key."""
        merged = {**self.sections[section], **keys}
        self.sections[section] = {name: value for name, value in merged.items() if value is not None}
        self.configure()

    # -- our side --------------------------------------------------------------------------------------------

    def state(self, run_id: str = "test") -> State:
        """The state, able to open what is sealed."""
        store = self.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
        return State(self._engine, store, run_id=run_id, actor="ada", data_key=DATA_KEY_BYTES)

    def sync(self, **options: Any) -> Run:
        """One run of `order_sync`."""
        return self.run("order_sync", **options)

    def order(self, order_id: int) -> OrderState:
        """Where an order stands."""
        found = self.state().orders.get(order_id)
        assert found is not None
        return found

    # -- NetSuite ----------------------------------------------------------------------------------------------

    def books(self, **wanted: Any) -> list[dict[str, Any]]:
        """The transactions that NetSuite has, with their lines."""
        return list(self.control.transactions(**wanted))

    def sales_order(self, order_id: int) -> dict[str, Any]:
        """NetSuite's record of an order; fails the test where there is none, or more than one."""
        store = self.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
        key = f"bc-{store}-order-{order_id}"
        found = [one for one in self.books() if one.get("externalId") == key]
        assert len(found) == 1, f"{len(found)} records of {key}"
        return found[0]
