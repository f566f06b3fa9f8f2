"""Every reader gives back what its renderer wrote, whatever the lines, and whatever the order of columns."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bcns_pipeline.clients.payments.kinds import kind_of, read_file
from bcns_pipeline.clients.payments.models import PayoutStatus, Settlement, SourceLine, SourcePayout
from bcns_pipeline.clients.payments.profile import FileProfile
from bcns_pipeline_tests.clients.payments import render

quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PROFILE = FileProfile(accounts={"stripe": "acct1", "amazon": "EU"})
AMOUNTS = st.integers(-(10**9), 10**9)
# Words with everything that CSV makes hard.
WORDS = (
    st.text(st.sampled_from("abcXYZ 019#-_é\"',;\n|/"), min_size=1, max_size=12).map(str.strip).filter(bool)
)
SAFE = st.text(st.sampled_from("abcXYZ019-_"), min_size=1, max_size=12)
MOMENTS = st.integers(0, 63_000_000).map(
    lambda seconds: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
DAYS = st.dates(date(2025, 1, 1), date(2027, 1, 1))


@st.composite
def drafts(
    draw: st.DrawFn, provider: str, account: str = "acct1", codes: str = "USD EUR JPY BHD ISK HUF MGA"
) -> Any:
    """Settlements with lines that add up, one currency each, with ids that occur once."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        currency = draw(st.sampled_from(codes.split()))
        lines = []
        for place in range(draw(st.integers(1, 4))):
            gross, fee = draw(AMOUNTS), draw(st.integers(-5000, 5000))
            lines.append(
                SourceLine(
                    id=f"txn_{number}{place}",
                    category=draw(st.sampled_from(["charge", "refund", "dispute"])),
                    gross=gross,
                    fee=fee,
                    net=gross - fee,
                    currency=currency,
                    occurred_at=draw(MOMENTS),
                    row_sha256="",
                    references=(f"ref{number}{place}", f"mod{number}{place}"),
                    order_hints=(draw(WORDS),),
                )
            )
        payout = SourcePayout(
            provider=provider,
            account=account,
            id=f"po_{number}",
            currency=currency,
            amount=sum(line.net for line in lines),
            status=PayoutStatus.PAID,
            arrival_date=draw(DAYS),
            bank_reference=draw(SAFE),
        )
        made.append(Settlement(payout, tuple(lines), rows=len(lines)))
    return made


def read(text: str, profile: FileProfile = PROFILE) -> list[Settlement]:
    return [render.bare(one) for one in read_file(render.document(text), profile)]


@quick
@given(drafts("stripe"), st.randoms(use_true_random=False))
def test_stripe_reports_in_any_order_of_columns(drawn: list[Settlement], order: random.Random) -> None:
    wanted = [
        replace(
            one,
            payout=replace(one.payout, whole_units_only=one.payout.currency == "HUF"),
            lines=tuple(
                replace(line, presentment_amount=line.gross, presentment_currency=line.currency)
                for line in one.lines
            ),
        )
        for one in drawn
    ]
    text = render.stripe_csv(wanted)
    assert read(text) == wanted
    columns = text.split("\n", 1)[0].split(",")
    order.shuffle(columns)
    assert read(render.stripe_csv(wanted, columns)) == wanted


@quick
@given(drafts("square"), st.none() | st.decimals(Decimal("0.0001"), Decimal(9999), places=6))
def test_our_own_csv(drawn: list[Settlement], rate: Decimal | None) -> None:
    wanted = [
        replace(
            one,
            lines=tuple(
                replace(line, rate=rate, presentment_amount=line.gross, presentment_currency=line.currency)
                for line in one.lines
            ),
        )
        for one in drawn
    ]
    assert read(render.generic_csv(wanted)) == wanted


@quick
@given(drafts("braintree", "shop_usd"), st.booleans())
def test_braintree_rows_with_fees_kept_or_billed(drawn: list[Settlement], netted: bool) -> None:
    wanted = []
    for number, one in enumerate(drawn):
        lines = []
        for place, line in enumerate(one.lines):
            kind = "sale" if line.gross >= 0 else "credit"
            parts = tuple((name, 7 * (place + 1)) for name in ("discount", "per_transaction_fee"))
            fee = sum(amount for _, amount in parts)
            lines.append(
                replace(
                    line,
                    id=f"{kind}-{line.references[0]}",
                    category=kind,
                    fee=fee if netted else 0,
                    net=line.gross - (fee if netted else 0),
                    fee_parts=parts,
                    fee_billed_later=0 if netted else fee,
                    occurred_at=None,
                    references=line.references[:1],
                    method="Visa",
                )
            )
        day = date(2026, 3, 1) + timedelta(days=number)
        payout = replace(
            one.payout,
            id=f"{day.isoformat()}-{one.payout.currency}",
            arrival_date=day,
            amount=sum(line.net for line in lines),
            created_at=datetime(day.year, day.month, day.day, tzinfo=UTC),
            bank_reference="",
            descriptor="BRAINTREE",
        )
        wanted.append(replace(one, payout=payout, lines=tuple(lines)))
    profile = FileProfile(braintree_fees="netted" if netted else "monthly")
    expected = (
        wanted
        if netted
        else [replace(one, lines=tuple(replace(line, fee_parts=()) for line in one.lines)) for one in wanted]
    )
    assert read(render.braintree_csv(wanted), profile) == expected


@quick
@given(drafts("adyen", "ShopCOM"), st.randoms(use_true_random=False))
def test_adyen_batches_in_any_order_of_columns(drawn: list[Settlement], order: random.Random) -> None:
    wanted = []
    for number, one in enumerate(drawn):
        lines = []
        for line in one.lines:
            kind = "Settled" if line.gross >= 0 else "Refunded"
            parts = tuple((name, 3) for name in ("commission", "markup", "scheme_fees", "interchange"))
            lines.append(
                replace(
                    line,
                    id=f"{kind}-{line.references[1]}",
                    category=kind,
                    # A sale of less than its fees has a net debit.
                    fee=12,
                    net=line.gross - 12,
                    fee_parts=parts,
                    presentment_amount=line.gross,
                    presentment_currency=line.currency,
                    rate=Decimal(1),
                    method="visa",
                )
            )
        payout = replace(
            one.payout,
            id=f"{number + 1}-{one.payout.currency}",
            amount=sum(line.net for line in lines),
            bank_reference=f"TX{number}77XT",
            descriptor=f"TX{number}77XT batch {number + 1}, ShopCOM",
        )
        wanted.append(replace(one, payout=payout, lines=tuple(lines), rows=len(lines) + 1))
    assert read(render.adyen_csv(wanted)) == wanted
    columns = [*render.ADYEN, "Booking Date TimeZone", "Payment Fees (NC)", "ARN"]
    order.shuffle(columns)
    assert read(render.adyen_csv(wanted, columns)) == wanted


@quick
@given(drafts("amazon", "EU"), st.sampled_from([".", ","]))
def test_amazon_settlements_with_point_or_comma(drawn: list[Settlement], mark: str) -> None:
    wanted = []
    for one in drawn:
        lines = tuple(
            replace(
                line,
                id="",
                category="Order/ItemPrice/Principal" if line.gross >= 0 else "Order/ItemFees/Commission",
                kind="Order",
                fee=0,
                net=line.gross,
                occurred_at=datetime.combine(line.occurred_at.date(), datetime.min.time(), UTC),
                references=line.references[:1],
                order_hints=line.references[:1],
                description="Principal" if line.gross >= 0 else "Commission",
                method="Amazon.de",
                sku="SKU-1",
            )
            for line in one.lines
        )
        payout = replace(
            one.payout, amount=sum(line.net for line in lines), bank_reference="", descriptor="AMAZON"
        )
        wanted.append(replace(one, payout=payout, lines=lines, rows=len(lines) + 1))
    found = read(render.amazon_tsv(wanted, mark))
    assert len({line.id for one in found for line in one.lines}) == sum(len(one.lines) for one in wanted)
    assert [replace(one, lines=tuple(replace(line, id="") for line in one.lines)) for one in found] == wanted


def test_each_kind_is_known_by_its_header() -> None:
    drawn = Settlement(
        SourcePayout("x", "y", "po", "USD", 1, PayoutStatus.PAID, date(2026, 3, 1)),
        (
            SourceLine(
                "a", "Order/b/c", 1, 0, 1, "USD", datetime(2026, 3, 1, tzinfo=UTC), "", references=("r", "m")
            ),
        ),
    )
    written = {
        render.stripe_csv([drawn]): "stripe itemised report",
        render.generic_csv([drawn]): "payout csv",
        render.braintree_csv([drawn]): "braintree fee report",
        render.adyen_csv([drawn]): "adyen settlement details",
        render.amazon_tsv([drawn]): "amazon settlement",
        '"SH","2026/01/06 00:00:00 -0800","2026/01/06 23:59:59 -0800","ACC"\n': "paypal settlement report",
    }
    assert [kind_of(text) for text in written] == list(written.values())
