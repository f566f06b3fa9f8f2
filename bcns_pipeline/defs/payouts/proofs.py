"""The invariants proven once more, from what is stored and what would be sent: not from what the rules said.

Put here what each check counts. Do not put severities here (`checks.py`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bcns_pipeline.defs.payouts.run import FLOW
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.money import Money, exponent
from bcns_pipeline.rules.payouts.accounts import Role
from bcns_pipeline.state.clearing import clearing
from bcns_pipeline.state.plan_lines import PlanLine

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether it holds, and the numbers behind it."""

    holds: bool
    numbers: dict[str, Any] = field(default_factory=dict)


def of_plan(connections: Connections, run_id: str, number: str) -> Proof:
    """FI1 to FI5 and FI8 to FI10 over what this run's plan would post; a run without a plan holds."""
    plans = connections.state.plans.of_run(run_id, FLOW)
    if not plans:
        return Proof(True, {"payouts": 0})
    summary = plans[-1].summary
    lines = connections.state.plans.lines(plans[-1])
    mine = [one for one in lines if one.payload["kind"] == "payout"]
    told = summary["checks"].get(number, {"findings": 0, "stopped": 0})
    shared = {"payouts": len(summary["payouts"]), "entries": len(lines), "held_out": told["stopped"]}
    match number:
        case "FI1" | "FI2" | "FI9":
            proof = _of_lines(connections, mine, number)
        case "FI3":
            proof = _balanced(lines)
        case "FI4":
            proof = _bank(connections, mine)
        case "FI5":
            counted = sum(one.payload["counted"] for one in mine if one.payload["first"])
            placed = sum(one.payload["placed"] for one in mine)
            proof = Proof(counted == placed, {"lines_counted": counted, "lines_on_one_account": placed})
        case "FI8":
            proof = _once(connections, mine)
        case _:
            rows = sum(one.payload["rows"] for one in mine if one.payload["first"])
            read = sum(one.payload["lines"] for one in mine if one.payload["first"])
            proof = Proof(rows == read, {"rows_received": rows, "rows_read": read})
    return Proof(proof.holds, {**shared, **proof.numbers})


def of_warnings(connections: Connections, run_id: str, number: str) -> Proof:
    """FI6 and FI11: what this run's plan was told."""
    plans = connections.state.plans.of_run(run_id, FLOW)
    summary: Mapping[str, Any] = plans[-1].summary if plans else {"checks": {}, "lines": 0, "looked_at": 0}
    told = summary["checks"].get(number, {"findings": 0})
    numbers = {
        "payouts": summary["looked_at"],
        "lines": summary["lines"],
        "findings": told["findings"],
    }
    return Proof(not told["findings"], numbers)


def of_clearing(connections: Connections) -> Proof:
    """FI7: each clearing account by our own records: what was booked and settled, what is open, what is left over."""
    book, numbers = connections.payout_policy.book, {}
    accounts = {account for one in book.providers for account in one.every(Role.CLEARING)}
    off = 0
    for one in clearing(connections.state.scope, accounts):
        name = f"{one.account}_{one.currency}"
        for what, amount in (
            ("booked", one.booked),
            ("settled", one.settled),
            ("closing", one.closing),
            ("open", one.open_amount),
            ("unexplained", one.unexplained),
        ):
            numbers[f"{what}_{name}"] = str(Money(amount, one.currency).amount)
        numbers[f"open_items_{name}"] = str(one.open_items)
        off += abs(one.unexplained)
    asked = connections.state.exceptions
    numbers["unexplained"] = str(len(asked.find(code="CLEARING_UNEXPLAINED")))
    numbers["payouts_with_unmatched_lines"] = str(len(asked.find(flow=FLOW, code="PAYOUT_LINE_UNMATCHED")))
    return Proof(not off and numbers["unexplained"] == "0", numbers)


def of_posted(connections: Connections) -> Proof:
    """What NetSuite shows of the entries: not equal line by line, gone, or there more than once."""
    state = connections.state
    journals = [one for one in state.payouts.journals() if one.sent_at is not None]
    live = Counter(
        (one.payout, one.currency) for one in journals if one.kind == "payout" and one.reversed_by is None
    )
    twice = [one for one, count in live.items() if count > 1]
    differ = [one.natural_key for one in journals if one.differences]
    unread = [one.natural_key for one in journals if one.read_back_at is None]
    gone = state.exceptions.find(flow=FLOW, code="PAYOUT_POSTED_TWICE")
    numbers = {
        "entries": len(journals),
        "live": len(live),
        "approved": sum(one.approved is True for one in journals),
        "differ": len(differ),
        "not_read_back": len(unread),
        "not_exactly_one": len(twice) + len(gone),
        "first": ", ".join([*differ, *unread][:20]) or "none",
    }
    return Proof(not (differ or unread or twice or gone), numbers)


def _of_lines(connections: Connections, mine: Sequence[PlanLine], number: str) -> Proof:
    state = connections.state
    ids = sorted({one.payload["payout"] for one in mine})
    sums, payouts = state.payouts.sums(ids), state.payouts.many(ids)
    lines = sum(one.lines for one in sums.values())
    if number == "FI1":
        off = sum(one.off for one in sums.values())
        return Proof(not off, {"lines": lines, "off": off})
    if number == "FI9":
        elsewhere = sum(len(state.payouts.elsewhere(one)) for one in payouts.values())
        twice = sum(one.twice for one in sums.values())
        return Proof(not (elsewhere or twice), {"lines": lines, "elsewhere": elsewhere, "twice": twice})
    totals: dict[str, list[int]] = {}
    wrong = []
    for number_of, one in payouts.items():
        if one.itemisation == "never":
            continue
        net = sums[number_of].net if number_of in sums else {}
        kept = net.get(one.currency, 0) - one.amount_minor
        most = 10 ** exponent(one.currency) - 1 if one.details.get("whole_units_only") else 0
        if not 0 <= kept <= most or any(net[other] for other in net if other != one.currency):
            wrong.append(one.payout_id)
        total = totals.setdefault(one.currency, [0, 0])
        total[0] += net.get(one.currency, 0)
        total[1] += one.amount_minor
    numbers: dict[str, Any] = {"lines": lines, "wrong": ", ".join(wrong) or "none"}
    for currency, (net_sum, paid) in sorted(totals.items()):
        numbers[f"lines_{currency}"] = str(Money(net_sum, currency).amount)
        numbers[f"payouts_{currency}"] = str(Money(paid, currency).amount)
    return Proof(not wrong, numbers)


def _balanced(lines: Sequence[PlanLine]) -> Proof:
    wrong, numbers = [], {}
    debits = credits = ZERO
    for one in lines:
        rows = one.payload["body"]["line"]["items"]
        debit = sum((Decimal(str(row.get("debit", 0))) for row in rows), ZERO)
        credit = sum((Decimal(str(row.get("credit", 0))) for row in rows), ZERO)
        debits, credits = debits + debit, credits + credit
        if debit != credit:
            wrong.append(one.natural_key)
    # Of several currencies these are sums of numbers and not of money; they prove what they have to.
    numbers = {"debits": str(debits), "credits": str(credits), "wrong": ", ".join(wrong) or "none"}
    return Proof(not wrong, numbers)


def _bank(connections: Connections, mine: Sequence[PlanLine]) -> Proof:
    payouts = connections.state.payouts.many({one.payload["payout"] for one in mine})
    wrong, bank = [], 0
    for one in mine:
        payout = payouts[one.payload["payout"]]
        place, row = one.payload["bank"], {}
        if place is not None:
            row = one.payload["body"]["line"]["items"][place - 1]
        currency = one.amount.currency if one.amount else payout.currency
        said = Decimal(str(row.get("debit", 0))) - Decimal(str(row.get("credit", 0)))
        meant = Money(payout.amount_minor, payout.currency).amount if currency == payout.currency else ZERO
        bank += int(place is not None)
        if said != meant:
            wrong.append(one.natural_key)
    return Proof(not wrong, {"bank_lines": bank, "wrong": ", ".join(wrong) or "none"})


def _once(connections: Connections, mine: Sequence[PlanLine]) -> Proof:
    payouts = {one.payload["payout"] for one in mine}
    live = [
        one.natural_key
        for one in (connections.state.payouts.journals(payouts) if payouts else [])
        if one.kind == "payout" and one.sent_at is not None and one.reversed_by is None
    ]
    keys = Counter(one.natural_key for one in mine)
    twice = [key for key, count in keys.items() if count > 1]
    return Proof(not (live or twice), {"live": len(live), "keys_twice": len(twice)})
