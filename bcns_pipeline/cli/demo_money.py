"""The demo's chapter on money: captures, a refund, a month of payouts of two providers, the bank, and the close.

Put here what shoppers, providers, the bank and the controller do, and what was promised of it. Do not put here what is
read from their own books (demo_ledger.py).
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.cli.demo_books import Books
from bcns_pipeline.cli.demo_ledger import Ledger
from bcns_pipeline.cli.demo_stage import Stage
from bcns_pipeline.cli.demo_stock import Cast
from bcns_pipeline.cli.finance import reperform_payout
from bcns_pipeline.cli.local_orders import TIMEZONE
from bcns_pipeline.cli.reports import write_all
from bcns_pipeline.cli.tracing import show_trace
from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.close.tie_out import OrderTie, Reason
from bcns_pipeline.rules.money import Money as Amount
from bcns_pipeline.rules.payouts.roll_forward import Movement
from bcns_pipeline.settings import load_settings

DAY = timedelta(days=1)
# Sold on these days before today; paid out two days later, and in the bank after two more, weekends apart.
SOLD_BEFORE = (26, 19, 12, 7)
PAID_AFTER, ARRIVES_AFTER = 2, 2
REFUND_BEFORE = 6
WAYS = {"stripe": "card", "paypal": "paypal"}
CLEARING = {"stripe": "1130", "paypal": "1131"}
EACH = 2
MISSING, OFF = 1, 2
# As demo_faults.py left it: an order whose total a script changed.
SCRIPTED_CENT = Decimal("0.01")
# What the bank books too little of one payout.
BANKS_CENT = Decimal("0.01")
AWAITING_SHIPMENT = 9
# A dropped file is read once nobody has written to it for five seconds.
SETTLED_SECONDS = 5.5


@dataclass(slots=True)
class Money:
    """The chapter; `placed` are the month's orders by provider, `payouts` what the providers paid, by trace number."""

    stage: Stage
    cast: Cast
    placed: dict[str, list[int]] = field(default_factory=dict)
    payouts: dict[str, dict[str, Any]] = field(default_factory=dict)
    last_line: int = 0
    dropped_at: float = 0.0
    missing: str = ""
    off: str = ""
    refund: Mapping[str, Any] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The day, as payment providers count."""
        return datetime.now(UTC).date()

    @property
    def orders(self) -> list[int]:
        """The month's orders."""
        return [one for some in self.placed.values() for one in some]

    def tell(self) -> None:
        """All of it."""
        self.a_month_of_sales()
        self.given_back()
        self.paid_out()
        self.approved()
        self.rolled_forward()
        self.followed()
        self.reported()

    def a_month_of_sales(self) -> None:
        """Sold over four weeks, shipped, paid; what providers and bank did meanwhile is on its way to us."""
        control, today = self.stage.control, self.today
        self.stage.title(
            "Four weeks of sales by card and PayPal: captures are booked, what was shipped is billed"
        )
        number = 0
        for before in SOLD_BEFORE:
            for provider, way in WAYS.items():
                for _ in range(EACH):
                    number += 1
                    line = {"sku": self.cast.moved[number % 3], "quantity": 2, "price": f"{9 + number}.90"}
                    made = datetime(today.year, today.month, today.day, 15, tzinfo=UTC) - before * DAY
                    order = control.shop_order(
                        payment=way, created_at=made.isoformat(), lines=[line], restock=True
                    )
                    self.placed.setdefault(provider, []).append(int(order["id"]))
                    self.last_line = int(order["lines"][0]["id"])
        for one in self.orders:
            control.order_status(one, AWAITING_SHIPMENT)
        self.stage.run("order_sync")
        for pair in Books(self.stage.sandbox).pairs(self.orders):
            if pair.record:
                control.fulfil(int(pair.record["id"]))
        self._the_world_goes_on()
        self.stage.run("cash_application")

        ledger = Ledger(self.stage.sandbox)
        wrong = []
        for provider, some in self.placed.items():
            for order, amount in ledger.captured(some).items():
                booked = ledger.of_orders([order], "customerDeposit")
                if len(booked) != 1 or ledger.moved(booked).get(CLEARING[provider]) != amount:
                    wrong.append(f"order {order}")
        count = len(self.orders)
        self.stage.promise(
            f"{count} captures stand on their provider's clearing account, each once and to the cent",
            not wrong,
            ", ".join(wrong),
        )
        invoices = ledger.of_orders(self.orders, "invoice")
        moved = ledger.moved(ledger.of_orders(self.orders))
        self.stage.promise(
            f"{count} orders are invoiced, and their deposits applied: nobody owes, and nothing is left on deposit",
            len(invoices) == count and not moved["1200"] and not moved["2300"],
            f"{len(invoices)} invoices, {moved.get('1200')} owed, {moved.get('2300')} on deposit",
        )

    def given_back(self) -> None:
        """A refund of one unit of two, decided in the shop a week ago."""
        self.stage.title("A shopper sends one of two units back: the refund is given in BigCommerce")
        self.stage.run("refund_sync")
        amount = Decimal(str(self.refund["total_amount"]))
        ledger = Ledger(self.stage.sandbox)
        memos, refunds = ledger.of("creditMemo"), ledger.of("customerRefund")
        mine = [one for one in memos if str(one["external_id"]).endswith(f"-refund-{self.refund['id']}")]
        paid = [one for one in refunds if f"-refundpay-{self.refund['id']}-" in str(one["external_id"])]
        show_table(
            ["order", "given back in the shop", "credit memo", "customer refund", "out of"],
            [
                (
                    str(self.refund["order_id"]),
                    f"{amount:.2f}",
                    memo["number"],
                    one["number"],
                    "1131 PayPal clearing",
                )
                for memo, one in zip(mine, paid, strict=False)
            ],
        )
        self.stage.promise(
            f"one credit memo of {amount:.2f}, and one settlement out of PayPal's clearing account",
            [Decimal(one["total"]) for one in mine] == [amount]
            and len(paid) == 1
            and ledger.moved(paid).get(CLEARING["paypal"]) == -amount,
        )

    def paid_out(self) -> None:
        """Payouts of both providers become one unapproved entry each; the bank's statement is looked at too."""
        providers = " and ".join(sorted({one["provider"] for one in self.payouts.values()}))
        self.stage.title(
            f"{len(self.payouts)} payouts of {providers}, by API and by file, and the bank's statement"
        )
        time.sleep(max(0.0, self.dropped_at + SETTLED_SECONDS - time.monotonic()))
        self.stage.run("payout_posting")
        ledger = Ledger(self.stage.sandbox)
        entries = ledger.entries()
        rows, wrong = [], []
        for trace, payout in sorted(self.payouts.items(), key=lambda pair: pair[1]["arrival_date"]):
            entry = entries.get(trace)
            moved = ledger.moved([entry]) if entry else {}
            balanced = bool(moved) and not sum(moved.values())
            if not balanced or moved.get("1010") != Decimal(payout["amount"]) or not entry["pending"]:  # type: ignore[index]
                wrong.append(trace)
            rows.append(
                (payout["arrival_date"], payout["provider"], payout["amount"], payout["count"],
                 entry and entry["number"], moved.get("1010"), moved.get(CLEARING[payout["provider"]]),
                 moved.get("6110"))
            )  # fmt: skip
        show_table(
            ["arrives", "provider", "pays", "lines", "entry", "1010 bank", "clearing", "6110 fees"],
            rows,
        )
        self.stage.promise(
            f"each of the {len(self.payouts)} payouts has one balanced entry whose bank line is its amount",
            not wrong and len(ledger.of("journalEntry")) == len(self.payouts),
            ", ".join(wrong),
        )
        self.stage.promise(
            "all wait for a person: the ledger's bank account has not moved",
            ("1010", "USD") not in ledger.balances(),
        )
        self._what_the_bank_lacks()

    def approved(self) -> None:
        """The controller approves in NetSuite, and what the bank has is closed."""
        self.stage.title("The controller approves the entries in NetSuite")
        count = len(self.stage.control.approve_journal()["approved"])
        self.stage.run("payout_posting")
        arrived = {one["payout"] for one in self.stage.control.bank_entries()}
        with remembered(load_settings()) as state:
            closed = sum(one.status == "closed" for one in state.payouts.having())
        good = [one for one in self.payouts.values() if one["id"] in arrived and one["trace"] != self.off]
        self.stage.promise(
            f"{count} are approved; the {len(good)} that the bank has to the cent are closed",
            closed == len(good),
        )

    def rolled_forward(self) -> None:
        """The clearing accounts from opening to closing, beside NetSuite's own ledger; and where every cent is."""
        self.stage.title("The clearing accounts roll forward, and every cent has a place")
        self.stage.run("daily_tie_out", day=str(datetime.now(ZoneInfo(TIMEZONE)).date()))
        since, until = self.today - 31 * DAY, self.today + 2 * DAY
        mapping = load_mapping(load_settings().config)
        with remembered(load_settings()) as state:
            about = reports.about(state, since, until, mapping)
            forward, _ = reports.roll_forwards(state, about)
            ties = reports.ties(state, about)
        ledger = Ledger(self.stage.sandbox)
        balances = ledger.balances()
        clearing = {
            (number, unit): one for (number, unit), one in balances.items() if number.startswith("113")
        }
        rows, ours = [], {}
        moved = [name for name in Movement if any(one.movements.get(name) for one in forward)]
        for one in forward:
            key = (ledger.number(one.account), one.currency)
            # NetSuite's ledger keeps what payouts converted in both currencies.
            closing = one.closing - one.awaiting - one.converted
            amounts = [one.opening, *(one.movements[name] for name in moved), closing]
            shown = [Amount(minor, one.currency).amount for minor in amounts]
            ours[key] = shown[-1]
            rows.append(
                (*key, *shown[:-1], shown[-1], balances.get(key), shown[-1] - balances.get(key, Decimal(0)))
            )
        show_table(
            ["account", "currency", "opening", *moved, "closing", "NetSuite's ledger", "UNKNOWN"],
            [[str(cell) for cell in row] for row in rows],
        )
        self.stage.promise(
            "the closing of each clearing account is what NetSuite's own ledger has",
            {key: amount for key, amount in ours.items() if amount}
            == {key: amount for key, amount in clearing.items() if amount},
            str(clearing),
        )
        say(f"Captured less refunded of {len(ties)} orders, and where it is:")
        show_table(["currency", "where", "amount"], places(ties))
        unknown = [one.order_id for one in ties if one.unknown]
        self.stage.promise("UNKNOWN is 0.00 in every currency", bool(ties) and not unknown, str(unknown))

    def followed(self) -> None:
        """From a deposit in the bank to the order line, and the entry made again from the stored bytes."""
        told = {one["trace"]: one for one in self.stage.control.payouts_state(lines=True)}
        charged = {
            trace: sorted((int(Decimal(line["gross"]) * 100), int(line["order_id"])) for line in one["lines"])
            for trace, one in told.items()
        }
        found = told[self._good_stripe()]
        line = found["lines"][0]
        self.stage.title(f"One cent, from the bank to the order line and back  $ bcns trace {line['id']}")
        kept = show_trace(line["id"], None) == 0
        with remembered(load_settings(), sealed=True) as state:
            wrong = [
                one.details["bank_reference"]
                for one in state.payouts.having()
                if sorted((row.line.gross, row.line.order_id) for row in state.payouts.lines(one))
                != charged[one.details["bank_reference"]]
            ]
        self.stage.promise(
            "every line of every payout is tied to the order that its provider charged",
            kept and not wrong,
            str(wrong),
        )
        self.stage.title(f"Made again from the stored bytes  $ bcns reperform payout {found['id']}")
        self.stage.promise("the entry is the same, byte for byte", reperform_payout(found["id"]) == 0)

    def reported(self) -> None:
        """The month's evidence, NetSuite and the providers asked, and its reports as files."""
        month = f"{self.today - 10 * DAY:%Y-%m}"
        self.stage.title(f"The month's evidence, and its reports  $ bcns report all --month {month}")
        self.stage.run("month_close", config={"month": month})
        left = write_all(month, None, Path("reports"))
        with remembered(load_settings()) as state:
            waiting = [one.order_id for one in state.orders.find(disposition=("waiting", "held"))]
        charged = sum(Decimal(one["total_inc_tax"]) for one in self.stage.control.shop_state(*waiting))
        told = {"orders": {"USD": SCRIPTED_CENT}, "completeness": {"USD": charged}}
        if str(self.payouts[self.off]["arrival_date"]).startswith(month):
            told["payouts"] = {"USD": BANKS_CENT}
        self.stage.promise(
            "all that must be 0 in a report is, but for the cents of the script and of the bank and "
            f"{len(waiting)} orders that wait",
            left == told,
            str(left),
        )

    # -- what others do --------------------------------------------------------------------------------------

    def _the_world_goes_on(self) -> None:
        """Meanwhile: a refund, a payout a week of each provider, a bank that loses one and is a cent off on another."""
        control, made = self.stage.control, []
        control.clock(offset_seconds=-REFUND_BEFORE * 86_400)
        last = self.placed["paypal"][-1]
        self.refund = control.refund_order(last, lines=[{"line_id": self.last_line, "quantity": 1}])
        control.clock(offset_seconds=0)
        for before in SOLD_BEFORE:
            on = str(self.today - (before - PAID_AFTER) * DAY)
            for provider in WAYS:
                made += control.payout_day(provider, on=on, arrives=ARRIVES_AFTER)
        self.payouts = {one["trace"]: one for one in made}
        stripe, paypal = ([one for one in made if one["provider"] == provider] for provider in WAYS)
        self.missing, self.off = stripe[MISSING]["trace"], paypal[OFF]["trace"]
        control.bank_fault(stripe[MISSING]["id"], "missing")
        control.bank_fault(paypal[OFF]["id"], "off", by=str(-BANKS_CENT))
        control.bank_statement("camt", on=str(self.today), since=str(self.today - 31 * DAY))
        self.dropped_at = time.monotonic()

    def _what_the_bank_lacks(self) -> None:
        with remembered(load_settings()) as state:
            asked = [one for one in state.exceptions.find(flow="payouts") if one.code.startswith("BANK_")]
        for one in asked:
            say(f"{one.code}, for {one.owner}: {one.message}")
        missing = self.payouts[self.missing]
        self.stage.promise(
            "the payout that the bank never booked and the one that is a cent short are named, and no other",
            {(one.code, one.amount_minor) for one in asked}
            == {("BANK_LINE_MISSING", int(Decimal(missing["amount"]) * 100)), ("BANK_DIFF", -1)}
            and any(missing["id"] in one.subject for one in asked),
        )

    def _good_stripe(self) -> str:
        """A payout of Stripe that the bank has, the last one."""
        return next(
            trace for trace, one in reversed(self.payouts.items())
            if one["provider"] == "stripe" and trace != self.missing
        )  # fmt: skip


def places(ties: Sequence[OrderTie]) -> list[tuple[str, str, str]]:
    """(currency, reason, amount) of all orders together; UNKNOWN stands there for each currency, 0 or not."""
    sums: dict[tuple[str, Reason], int] = defaultdict(int)
    for tie in ties:
        sums[tie.currency, Reason.UNKNOWN] += tie.unknown
        for reason in set(tie.parts) - {Reason.UNKNOWN}:
            sums[tie.currency, reason] += tie.parts[reason]
    order = list(Reason)
    return [
        (unit, reason.value, str(Amount(minor, unit).amount))
        for (unit, reason), minor in sorted(sums.items(), key=lambda one: (one[0][0], order.index(one[0][1])))
    ]
