"""A merchant whose orders flow: the stock flow's merchant, with a mapping file for orders.

Put here what every test of the order flows does: place orders, run, look at both sides. Do not put expectations
here. The ids of the mapping file are those that the sandbox's own NetSuite account names.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg

from bcns_pipeline.cli.local_orders import order_sections
from bcns_pipeline.definitions import build_defs
from bcns_pipeline.defs.days import tags_of
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.state.order_models import OrderState
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.conftest import empty
from bcns_pipeline_tests.defs.flow import BASE, Flow, Impatient, Run

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
        sections = order_sections(self.sandbox.accounting)
        # The field for the shipment is a merchant's choice; tests that want it say so.
        return {name: section for name, section in sections.items() if name != "fulfilment"}

    def configure(self, **inventory: Any) -> None:
        """Change the inventory section; what is not given stays, and None removes a key."""
        self.mapping = {k: v for k, v in {**BASE, **self.mapping, **inventory}.items() if v is not None}
        self.write_mapping(inventory=self.mapping, **self.sections)

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

    @contextmanager
    def connections(self, run_id: str) -> Iterator[Connections]:
        """The connections of a run of that name, for tests that take its steps one by one."""
        ours = Impatient(config_path=self.environment["BCNS_CONFIG"])
        # Only Dagster hands out run ids.
        ours._run_id = run_id
        with closing(ours):
            yield ours

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
        return self.sales_orders(order_id)[order_id]

    def sales_orders(self, *order_ids: int) -> dict[int, dict[str, Any]]:
        """As `sales_order`, of many orders at once."""
        store = self.environment["BCNS_BIGCOMMERCE_STORE_HASH"]
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.books():
            found.setdefault(one["external_id"], []).append(one)
        records = {}
        for order_id in order_ids:
            key = f"bc-{store}-order-{order_id}"
            mine = found.get(key, [])
            assert len(mine) == 1, f"{len(mine)} records of {key}"
            records[order_id] = mine[0]
        return records

    def writes(self) -> list[tuple[str, str]]:
        """(method, path) of every call that writes, since the log was cleared; tokens and queries are none."""
        reads = ("/auth/oauth2/", "/query/v1/suiteql")
        return [
            (one["method"], one["path"])
            for one in self.control.log()
            if one["method"] != "GET" and not any(part in one["path"] for part in reads)
        ]

    @contextmanager
    def tick(self, sensor: str) -> Iterator[Any]:
        """What one tick of a sensor gives."""
        connections = Impatient(config_path=self.environment["BCNS_CONFIG"])
        definitions = self.definitions()
        found = definitions.get_repository_def().get_sensor_def(sensor)
        with dg.build_sensor_context(
            instance=self.instance, definitions=definitions, resources={"connections": connections}
        ) as context:
            try:
                yield found.evaluate_tick(context)
            finally:
                connections.close()

    def going(self, job: str) -> None:
        """A run of a job that works."""
        self.instance.add_run(
            dg.DagsterRun(job_name=job, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
        )

    def numbers(self, *order_ids: int) -> dict[int, str]:
        """{order: NetSuite's number in its metafields}, as the store shows them; without those that have none."""
        connections = Impatient(config_path=self.environment["BCNS_CONFIG"])
        try:
            fields = connections.bigcommerce().orders.metafields([("netsuite", "number")])
        finally:
            connections.close()
        return {one.order_id: one.value for one in fields if one.order_id in order_ids}

    def assert_equal_to_the_cent(self, *order_ids: int) -> None:
        """Each is in NetSuite once, with exactly the total that the shop charged, and the outbox is empty."""
        charged = {one["id"]: one for one in self.control.shop_state(*order_ids)}
        for order_id, record in self.sales_orders(*order_ids).items():
            total = Decimal(str(charged[order_id]["total_inc_tax"]))
            assert Decimal(str(record["total"])) == total, (order_id, record["total"], total)
        self.assert_tidy()

    def sync_until_done(self, runs: int = 4) -> None:
        """Runs of `order_sync` until one leaves nothing open; a run in bad weather may fail."""
        for _ in range(runs):
            result = self.job("order_sync").execute_in_process(instance=self.instance, raise_on_error=False)
            state = self.state()
            waiting = state.orders.find(disposition=("open", "planned")) or state.inbox.waiting("order").free
            if result.success and not waiting and not state.outbox.find() and not state.orders.unreferenced():
                return
            self.due_now()
        raise AssertionError("orders are still open after so many runs")

    def due_now(self) -> None:
        """What waits for its time is due."""
        with self._engine.begin() as conn:
            conn.exec_driver_sql("update bcns.order_state set retry_at = now() where retry_at is not null")

    def day(self, day: date, job: str = "order_sync", **options: Any) -> Run:
        """A run of a job for one day."""
        result = self.job(job).execute_in_process(
            partition_key=day.isoformat(), instance=self.instance, raise_on_error=False, **options
        )
        run = Run(result)
        assert run.success, run.failures
        return run

    def days(self, first: date, last: date, job: str) -> Run:
        """One run of a job for all of these days."""
        result = self.job(job).execute_in_process(
            tags=tags_of((first, last)), instance=self.instance, raise_on_error=False
        )
        run = Run(result)
        assert run.success, run.failures
        return run

    def backfill(self, first: date, last: date) -> Run:
        """What Dagster launches for a backfill of these days from the asset's page: one run for the range."""
        path = self.environment["BCNS_CONFIG"]
        defs = build_defs({"connections": Impatient(config_path=path)}, config_path=path)
        key = dg.AssetKey(["bigcommerce", "orders"])
        graph = defs.resolve_asset_graph()
        assert graph.get(key).backfill_policy == dg.BackfillPolicy.single_run()
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[key],
            tags=tags_of((first, last)),
            raise_on_error=False,
        )
        run = Run(result)
        assert run.success, run.failures
        return run

    def zone(self) -> ZoneInfo:
        """In which the store counts its days."""
        return ZoneInfo(self.sections["store"]["timezone"])

    def forget_everything(self) -> None:
        """The state is dropped, as if the database had been lost and made anew."""
        self._engine.dispose()
        with self._engine.begin() as conn:
            empty(conn)

    def sync_twice(self) -> None:
        """Post, and absorb the echo of our own references."""
        self.sync()
        self.sync()

    def today(self) -> date:
        """The store's day."""
        return datetime.now(UTC).astimezone(self.zone()).date()

    def assert_there(self, *order_ids: int) -> None:
        """Each is in NetSuite once."""
        self.sales_orders(*order_ids)

    def run_somehow(self, job: str) -> None:
        """One run of a job in bad weather, which may fail."""
        self.job(job).execute_in_process(instance=self.instance, raise_on_error=False)
