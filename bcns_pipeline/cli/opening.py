"""The opening balance at the command line: shown first, tied to the provider's balance, and then applied.

Put wording here. What it is made of is in defs/payouts/opening.py.
"""

from __future__ import annotations

from bcns_pipeline.cli.console import say, show_table
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.rules.money import Money
from bcns_pipeline.settings import load_settings

ROWS_SHOWN = 100


def opening_balances(provider: str, reason: str, *, apply: bool) -> int:
    """Show, and with `apply` take over; 1 where a balance does not tie, which is not applied. Raises BadInput."""
    from bcns_pipeline.cli.flows import connected
    from bcns_pipeline.defs.payouts.ledger import ledger_of
    from bcns_pipeline.defs.payouts.opening import apply_opening, openings
    from bcns_pipeline.defs.polling import cutover_of

    if apply and not reason.strip():
        raise BadInput(["--reason is empty; say why, because it goes into the audit chain."])
    with connected(payouts=True) as connections:
        cutover = cutover_of(connections.mapping)
        if cutover is None:
            raise BadInput(["cutover.at is missing; there is no moment to take the balance at."])
        found = openings(connections, cutover, provider)
        if not found:
            say(f"No line of a payout is older than the cutover at {cutover.isoformat()}.")
            return 0
        failed = False
        for one in found:
            say(f"{one.provider} {one.account} in {one.currency} at {cutover.isoformat()}")
            show_table(
                ["line", "category", "gross", "net", "happened", "by"],
                [
                    (line.id, line.category, Money(line.gross, one.currency), Money(line.net, one.currency),
                     line.occurred_at, way)
                    for way, lines in (("clearing", one.open), ("pre-cutover account", one.through))
                    for line in lines[:ROWS_SHOWN]
                ],
            )  # fmt: skip
            count = len(one.open) + len(one.through)
            say(f"  paid out since the cutover: {Money(one.net, one.currency)} net of {count:,} lines")
            if one.unexplained is None:
                say("  the provider does not say what it held: the balance is not tied")
            else:
                say(f"  the provider held {Money(one.balance or 0, one.currency)}; unexplained: "
                    f"{Money(one.unexplained, one.currency)}")  # fmt: skip
            if one.unexplained:
                failed = True
                say("  not applied: it does not tie; wait until everything of before the cutover is paid out")
            elif apply:
                ledger = ledger_of(connections, (), ())
                actor = load_settings().actor
                staged = apply_opening(
                    connections, one, cutover.date(), ledger, reason=reason.strip(), actor=actor
                )
                say(f"  staged as operation {staged.id}: `bcns run payouts` sends it" if staged
                    else "  nothing to take over, or it was done before")  # fmt: skip
        if not apply:
            say("Nothing was written; add --apply.")
    return 1 if failed else 0
