"""Our readers before the settlement files that the sandbox's providers drop, which share no code with them.

Put what both sides must agree on here. Do not put the readers' own rules here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from bcns_pipeline.clients.files.models import BadFile, Document
from bcns_pipeline.clients.payments.kinds import read_file
from bcns_pipeline.clients.payments.models import Settlement
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline.rules.money import Money
from bcns_pipeline_tests.sandbox.till import Till

PROVIDERS = ("stripe", "paypal", "adyen", "braintree", "amazon", "square")
CODES = {"truncated": {"TRUNCATED", "EMPTY"}, "repeated_row": {"DUPLICATE"}, "encoding": {"ENCODING"}}


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Till:
    till = Till(tmp_path_factory.mktemp("till"))
    for payment in ("card", "paypal", "adyen", "braintree", "square"):
        first, second = till.shop_orders(2, payment=payment, restock=True)
        till.refund_order(first, amount="4.00")
        till.shop_order("jpy", payment=payment, restock=True)
        if payment != "braintree":
            name = "stripe" if payment == "card" else payment
            till.move("dispute", order_id=second, provider=name)
            till.move("reserve_hold", "5.00", provider=name)
            till.move("fee", "1.25", provider=name)
    sold = [till.shop_order("marketplace", restock=True) for _ in range(2)]
    till.refund_order(sold[0]["id"], lines=[{"line_id": sold[0]["lines"][0]["id"]}])
    return till


@pytest.fixture(scope="module")
def day(till: Till) -> dict[str, Any]:
    return dict(till._day((), {"stripe_report": True}))


def read(path: str) -> list[Settlement]:
    file = Path(path)
    return read_file(Document("drop/payouts", file.name, file.read_bytes(), datetime.now(UTC)), FileProfile())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_payout_is_found_with_its_amount_and_its_lines(
    till: Till, day: dict[str, Any], provider: str
) -> None:
    made = [one for one in day["payouts"] if one["provider"] == provider]
    ids = {one["id"] for one in made}
    files = till.drop_settlement(*ids)
    found = [settlement for path in files for settlement in read(path)]
    assert {(one.payout.currency, one.payout.amount) for one in found} == {
        (one["currency"], Money.of(D(one["amount"]), one["currency"]).minor) for one in made
    }
    truth = {row["id"]: row for one in made for row in till.payouts_state(one["id"], lines=True)[0]["lines"]}
    for settlement in found:
        assert sum(line.net for line in settlement.lines) == settlement.payout.amount
        assert settlement.payout.arrival_date.isoformat() == made[0]["arrival_date"]
    references = {name for one in found for line in one.lines for name in line.references}
    paid = {name for row in truth.values() if row["kind"] == "charge" for name in row["source"].split("|")}
    assert paid <= references


@pytest.mark.parametrize("fault", CODES)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_spoiled_file_is_refused_by_name(
    till: Till, day: dict[str, Any], provider: str, fault: str
) -> None:
    first = next(one["id"] for one in day["payouts"] if one["provider"] == provider)
    (path,) = till.drop_settlement(first, fault=fault)
    with pytest.raises(BadFile) as refused:
        read(path)
    allowed = CODES[fault] | ({"TOTALS"} if provider == "amazon" else set())
    assert refused.value.code in allowed
    assert refused.value.file == Path(path).name


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_order_of_columns_is_of_no_account(till: Till, day: dict[str, Any], provider: str) -> None:
    first = next(one["id"] for one in day["payouts"] if one["provider"] == provider)
    (good,) = till.drop_settlement(first)
    (plain,) = read(good)
    (path,) = till.drop_settlement(first, fault="reordered")
    (found,) = read(path)
    assert found.payout == plain.payout
    # Amazon's components have no id of their own, so theirs is that of the row as it stands.
    key = [(line.references, line.gross, line.fee, line.net) for line in found.lines]
    assert key == [(line.references, line.gross, line.fee, line.net) for line in plain.lines]
