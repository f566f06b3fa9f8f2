"""Worked example A of facts/finance.md 2.4: the API's JSON and the itemised report say the same."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime

from bcns_pipeline.clients.files.models import Document
from bcns_pipeline.clients.payments.kinds import read_file
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.clients.payments.stripe_reading import read_lines, read_payouts
from bcns_pipeline_tests.clients.payments.example_a import FIGURES, api_pages, report

WHEN = datetime(2026, 3, 5, tzinfo=UTC)


def from_api() -> Settlement:
    listed, *pages = (
        Document("stripe/api", f"page {number}", json.dumps(page).encode(), WHEN)
        for number, page in enumerate(api_pages())
    )
    (payout,) = read_payouts(listed, "acct1")
    return read_lines(payout, pages)


def from_report() -> Settlement:
    file = Document("drop/payouts", "report.csv", report().encode(), WHEN)
    (found,) = read_file(file, FileProfile(accounts={"stripe": "acct1"}))
    return found


def test_the_figures_are_those_of_the_example() -> None:
    for found in (from_api(), from_report()):
        sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for line in found.lines:
            name = line.category + (
                "-hold" if line.category == "risk_reserved_funds" and line.gross < 0 else ""
            )
            for place, amount in enumerate((1, line.gross, line.fee, line.net)):
                sums[name][place] += amount
        assert {name: tuple(amounts) for name, amounts in sums.items()} == FIGURES
        assert sum(line.net for line in found.lines) == found.payout.amount == 567063
        assert len(found.lines) == 50


def test_the_payout_is_the_same_by_either_way() -> None:
    api, report_ = from_api(), from_report()
    for payout in (api.payout, report_.payout):
        assert (payout.id, payout.account, payout.currency) == ("po_SYN0304", "acct1", "USD")
        # Midnight UTC, not the day before as it is west of Greenwich.
        assert payout.arrival_date == date(2026, 3, 4)
        assert payout.status is PayoutStatus.PAID
    assert api.payout.bank_reference == "021000021234567"
    assert api.rows == 51
    assert [line.kind for line in api.aside] == ["payout"]


def test_the_lines_are_the_same_by_either_way() -> None:
    def said(found: Settlement) -> list[tuple[object, ...]]:
        return [
            (
                *(line.id, line.category, line.gross, line.fee, line.net, line.currency, line.occurred_at),
                *(line.presentment_amount, line.presentment_currency, line.description),
            )
            for line in found.lines
        ]

    api, report_ = from_api(), from_report()
    assert said(api) == said(report_)
    for one, two in zip(api.lines, report_.lines, strict=True):
        assert set(one.references) <= set(two.references)
    first = report_.lines[0]
    assert first.references == ("ch_SYN1001", "pi_SYN1001")
    assert first.order_hints == ("1001", "Order 1001")
    dispute = next(line for line in api.lines if line.category == "dispute")
    assert dispute.references == ("du_SYN1", "ch_SYN0871")
