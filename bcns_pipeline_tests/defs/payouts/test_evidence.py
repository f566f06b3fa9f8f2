"""What finance and auditors do with a payout: make it again from its bytes, follow it, correct it, take it over."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from bcns_pipeline.config import load_mapping
from bcns_pipeline.defs.close import reports
from bcns_pipeline.rules.close.tie_out import Reason
from bcns_pipeline.rules.payouts.roll_forward import Movement
from bcns_pipeline_tests.cli import command_line
from bcns_pipeline_tests.defs.flow import variables
from bcns_pipeline_tests.defs.payout_flow import PayoutFlow


def bcns(*arguments: str) -> str:
    """What a command says; fails the test where it fails."""
    done = command_line.bcns(*arguments)
    assert done.exit_code == 0, (arguments, done.output)
    return done.output


def test_a_cent_is_followed_from_the_bank_to_the_order_line_and_back(till: PayoutFlow) -> None:
    order = till.sold(lines=[{"sku": "SKU-000001", "quantity": 3, "price": "10.00"}])
    till.cash()
    made = till.pays_out(2, arrives=-1)
    day = till.today()
    statement = f"account,currency,booked_on,amount,description\nDE1,USD,{day},{made['amount']},STRIPE\n"
    (till.bank / "statement.csv").write_text(statement)
    till.post()
    key = f"psp-stripe-acct1-payout-{made['id']}"
    (banked,) = till.state().bank.lines()
    lines = [one.line for one in till.state().payouts.lines(till.payout(made["id"]))]
    (mine,) = (line for line in lines if line.order_id == order)
    # Down: the bank's line, its payout and entry, the lines with their orders, one of them, the order's lines and tax.
    shown = bcns("trace", banked.line_id)
    assert all(word in shown for word in (banked.row_sha256, made["id"], key, *(line.id for line in lines)))
    assert shown.count(banked.row_sha256) == 1
    shown = bcns("trace", mine.id)
    found = re.search(r"order line \d+: 3 x SKU-000001, (\S+) with (\S+) tax", shown)
    assert found is not None, shown
    assert Decimal(found[1]) - Decimal(found[2]) == 30
    assert f"BigCommerce transaction {mine.transaction_id}" in shown
    # And up again, from the order to the bank.
    up = bcns("trace", str(order))
    deposit = str(till.records(order)[0]["external_id"])
    assert all(word in up for word in (mine.id, mine.raw_sha256, deposit, key, made["id"], banked.row_sha256))

    # What goes back is a line of the payout that carries it, takes its own record out, and leaves nothing to explain.
    till.control.refund_order(order)
    till.run("refund_sync")
    (second,) = till.pay_out("stripe", arrives=0, status="paid")
    till.post()
    state = till.state()
    (back,) = (one for one in state.payouts.lines(till.payout(second["id"])) if one.line.order_id == order)
    (refund,) = (one for one in state.refunds.records_of_orders([order])[order] if one.n)
    assert (back.line.cls, back.line.gross, back.journal_key) == ("refund", -mine.gross, refund.natural_key)
    assert f"{refund.record_type} {refund.natural_key}" in bcns("trace", back.line.id)
    till.control.approve_journal()
    till.post()
    today = datetime.now(UTC).date()
    mapping = load_mapping(till.folder / "bcns.yaml")
    about = reports.about(state, today - timedelta(days=2), today + timedelta(days=2), mapping)
    (tie,) = (one for one in reports.ties(state, about) if one.order_id == order)
    # In by the first payout, which the bank has, and out by the second, which it has not shown yet.
    assert (tie.net, tie.unknown) == (0, 0)
    assert tie.parts == {Reason.BANKED: mine.gross, Reason.BANK_OPEN: -mine.gross}

    def row(name: str, **where: Any) -> dict[str, Any]:
        made = reports.make(state, name, about)
        rows = (dict(zip(made.columns, one, strict=True)) for one in made.rows)
        (found,) = (one for one in rows if where.items() <= one.items())
        return found

    detail = row("detail", line_id=mine.id)
    assert (detail["match"], detail["confidence"]) == ("transaction", "exact")
    assert detail["references"].split() == list(mine.references)
    given = row("refunds", order=order)
    assert (given["payouts"], given["difference"]) == (second["id"], 0)
    assert set(given["references"].split()) & set(back.line.references)
    (rolled,) = (one for one in reports.roll_forwards(state, about)[0] if one.currency == "USD")
    assert rolled.movements[Movement.REFUND_SETTLED] == mine.gross
    assert not {mine.order_id} & {one.order_id for one in rolled.open_items}
    members = bcns("trace", key, "--line", "2")
    assert all(line.id in members for line in lines)
    back = bcns("trace", lines[0].id)
    assert key in back
    assert lines[0].raw_sha256 in back
    assert "in line 1, 2, 3 of" in back


def test_an_entry_is_made_again_from_the_stored_bytes_also_once_it_is_corrected_and_a_changed_byte_is_seen(
    till: PayoutFlow,
) -> None:
    till.control.move("dispute_reversal", "45.00")
    made = till.pays_out(4)
    till.post()
    assert "equal, byte for byte" in bcns("reperform", "payout", made["id"])
    # -- a correction waits for somebody else; the run beside it costs few calls, however many lines its payout has
    bcns("payouts", "correct", made["id"], "--reason", "the fees go elsewhere")
    (held,) = till.state().outbox.find(states=("held",))
    alone = command_line.bcns("approve", "operation", str(held.id), "--reason", "mine")
    assert alone.exit_code == 2
    till.pays_out(230)
    till.control.clear_log()
    till.post()
    assert len(till.journals()) == 2
    # Periods, accounts, the entry, and its read-back with the one that waits for approval.
    assert len(till.calls("netsuite")) <= 6, till.calls("netsuite")
    assert len(till.calls("stripe")) <= -(-230 // 100) + 2, till.calls("stripe")

    # -- once approved it is a reversal and a new version; the mapping of today is no matter to the old one
    with variables({**till.environment, "BCNS_ACTOR": "grace"}):
        bcns("approve", "operation", str(held.id), "--reason", "right")
    till.sections["payouts"]["providers"]["stripe"]["fees"] = till.account("6111")
    till.configure()
    assert "equal, byte for byte" in bcns("reperform", "payout", made["id"])
    till.post()
    till.post()
    key = f"psp-stripe-acct1-payout-{made['id']}"
    keys = [str(one["external_id"]) for one in till.journals()]
    assert [one for one in keys if made["id"] in one] == [key, f"{key}-rev1", f"{key}-v2"]
    assert len(keys) == 4
    assert till.payout(made["id"]).journal_key == f"{key}-v2"
    till.assert_balanced()
    assert bcns("reperform", "payout", made["id"]).count("equal, byte for byte") == 2
    with till.state().engine.begin() as conn:
        conn.exec_driver_sql(
            "update bcns.operation set payload = jsonb_set(payload, '{body,memo}', '\"another memo\"')"
        )
    failed = command_line.bcns("reperform", "payout", made["id"])
    assert (failed.exit_code, "NOT EQUAL" in failed.output) == (1, True)
