"""Bad orders among a thousand: `python -m bcns_pipeline_tests.bench bad-order [COUNT]`.

Put here what is asked of a run in which one order can't be mapped, one is refused, and the customer of one is refused:
all others are in NetSuite, once and equal to the cent; each bad one is one exception with an owner; and all three go
once their causes are gone. There is no latency: what is measured is the work, as seconds of CPU. The short version,
3 among 21, is a test (defs/orders/test_faults.py).
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from bcns_pipeline.state.engine import create_engine, embedded_url
from bcns_pipeline_tests.bench.order_bench import Place, books, place

COUNT = 1_000


def main(count: int = COUNT) -> int:
    """Three lines; returns how many were missed."""
    with place() as here:
        here.weather(calm=True)
        control = here.control
        good = control.shop_orders(count - 3, restock=True, within_seconds=60)
        # The newest of each kind, so that no other key begins with theirs.
        shopper = control.shopper(email="refused@example.com", first_name="Re", last_name="Fused")["id"]
        unmapped = control.shop_order("unmapped_sku", restock=True)
        refused = int(control.shop_order("plain", restock=True)["id"])
        stranded = int(control.shop_order(customer_id=shopper, restock=True)["id"])
        bad = {int(unmapped["id"]): "ITEM_UNMAPPED", refused: "ORDER_REFUSED", stranded: "CUSTOMER_REFUSED"}
        for record, match in (("salesOrder", f"-order-{refused}"), ("customer", f"-customer-{shopper}")):
            control.script(on=record, refuse="Closed for stock-taking.", match=match, times=None)
        control.clear_cpu()

        run = here.lane("orders")

        cpu = sum(one["total"] for one in control.cpu()["operations"].values())
        equal = equal_once(here, good)
        here.line(
            f"{count:,} orders, 3 of them bad: the others once and equal to the cent", f"{equal:,}", f"{len(good):,}",
            f"{len(run['runs'])} runs", reached=equal == len(good) == len(books(here)),
        )  # fmt: skip
        asked = questions(here)
        here.line(
            "  bad ones, an open exception with an owner each", str(len(asked)), str(len(bad)), "-",
            reached=asked == bad,
        )  # fmt: skip
        control.script(clear=True)
        for line in unmapped["lines"]:
            if not line["sku"].startswith(("SKU-", "ASM-", "VAR-")):
                control.item(sku=line["sku"], create=True)
        due(here)
        here.lane("orders")
        equal = equal_once(here, [*good, *bad])
        here.line(
            "  once their causes are gone: all, and no exception is open", f"{equal:,}", f"{count:,}", "-",
            reached=equal == count == len(books(here)) and not questions(here),
        )  # fmt: skip
        print(f"  the first lane took {run['cpu_seconds']:.1f} s of CPU, and the sandbox {cpu:.1f} s")
    return here.missed


def equal_once(here: Place, ids: list[int]) -> int:
    """How many of these orders NetSuite has exactly once, with the total that was charged."""
    charged = {one["id"]: Decimal(str(one["total_inc_tax"])) for one in here.control.shop_state(*ids)}
    found = [(int(one["external_id"].rpartition("-")[2]), one["total"]) for one in books(here)]
    often = Counter(number for number, _ in found)
    return sum(often[number] == 1 and charged.get(number) == Decimal(str(total)) for number, total in found)


def questions(here: Place) -> dict[int, str]:
    """{order: code} of open exceptions that have an owner."""
    query = "select subject, code from bcns.exception where resolved_at is null and owner <> '' and flow = 'orders'"
    engine = create_engine(embedded_url(here.home / ".bcns"))
    try:
        with engine.connect() as conn:
            return {int(subject.partition(":")[2]): code for subject, code in conn.exec_driver_sql(query)}
    finally:
        engine.dispose()


def due(here: Place) -> None:
    """What waits for its time is due."""
    engine = create_engine(embedded_url(here.home / ".bcns"))
    try:
        with engine.begin() as conn:
            conn.exec_driver_sql("update bcns.order_state set retry_at = now() where retry_at is not null")
    finally:
        engine.dispose()
