"""Shoppers on both sides, for the tests of the customer flow.

Put here what every test does: sign up, change, run, look. Do not put expectations here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bcns_pipeline.state.inbox import Event
from bcns_pipeline_tests.defs.flow import Run
from bcns_pipeline_tests.defs.order_flow import OrderFlow

JANE = {"email": "jane@example.com", "first_name": "Jane", "last_name": "Roe", "phone": "+1 555 010 0001"}


@dataclass
class People:
    """The shoppers of one merchant."""

    shop: OrderFlow

    def sign_up(self, **shopper: Any) -> int:
        """A new account; Jane's unless said otherwise."""
        return int(self.shop.control.shopper(**{**JANE, **shopper})["id"])

    def change(self, shopper_id: int, **fields: Any) -> None:
        """The shopper edits the account, a while later."""
        self.shop.later(60)
        self.shop.control.shopper(id=shopper_id, **fields)

    def move(self, shopper_id: int, **address: Any) -> None:
        """An address is added or (`id`) changed, of which the store tells nobody but a webhook."""
        self.shop.later(60)
        self.shop.control.shopper_address(customer_id=shopper_id, **address)
        self.tell(shopper_id)

    def addresses(self, shopper_id: int) -> list[dict[str, Any]]:
        """The shopper's addresses in the store."""
        (found,) = [one for one in self.shop.control.shoppers() if one["id"] == shopper_id]
        return list(found["addresses"])

    def tell(self, *shopper_ids: int, source: Any = "webhook") -> None:
        """Somebody says that these shoppers changed."""
        self.shop.state().inbox.record([Event("customer", str(one), source) for one in shopper_ids])

    def sync(self, **options: Any) -> Run:
        """One run of `customer_sync`."""
        return self.shop.run("customer_sync", **options)

    def all(self) -> list[dict[str, Any]]:
        """NetSuite's customers."""
        return list(self.shop.control.netsuite_customers())

    def one(self) -> dict[str, Any]:
        """NetSuite's only customer; fails the test where there is none, or more than one."""
        (found,) = self.all()
        return found

    def of(self, shopper_id: int) -> dict[str, Any]:
        """NetSuite's customer of a shopper; fails the test where we remember none, or it is not there."""
        (found,) = [one for one in self.all() if str(one["id"]) == self.link(shopper_id)]
        return found

    def sign_up_many(self, *names: str, **shopper: Any) -> list[int]:
        """New accounts of these people, each with an e-mail address of its own."""
        return [self.sign_up(first_name=one, email=f"{one.lower()}@example.com", **shopper) for one in names]

    def outcome(self, run: Run, shopper_id: int) -> dict[str, Any]:
        """What the run's plan made of a shopper."""
        rows = run.records("shoppers", asset="customers/change_plan")
        (found,) = [one for one in rows if one["shopper"] == shopper_id]
        return found

    def link(self, shopper_id: int) -> str | None:
        """The NetSuite customer that we remember."""
        found = self.shop.state().links.find("customer", str(shopper_id))
        return None if found is None else found.netsuite_id

    def due_now(self) -> None:
        """What waits for another look is due, and so are the walk over known shoppers and the hourly run."""
        with self.shop._engine.begin() as conn:
            conn.execute(
                sa.text(
                    "update bcns.exception set last_seen_at = now() - interval '2 hours' where resolved_at is null"
                )
            )
            conn.execute(
                sa.text("delete from bcns.cursor where name in ('customers/sweep', 'customers/read')")
            )

    def minutes_later(self, minutes: int) -> None:
        """The cursors were moved that much longer ago."""
        moved = "update bcns.cursor set moved_at = moved_at - make_interval(mins => :minutes)"
        with self.shop._engine.begin() as conn:
            conn.execute(sa.text(moved), {"minutes": minutes})

    def writes(self) -> list[tuple[str, str]]:
        """Calls to NetSuite's customers that write, since the log was cleared."""
        return [one for one in self.shop.writes() if "/record/v1/customer" in one[1]]
