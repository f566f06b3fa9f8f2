"""The client's side of the payment providers' verbs, for `launch.Control`.

Put one method per verb here. Do not import the doubles here: the starting process must not pay for them.
"""

from __future__ import annotations

from typing import Any


class PaymentVerbs:
    """What payment providers do; each returns the parsed answer. Amounts go in and come as major units."""

    __slots__ = ()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Any verb; `launch.Control` sends it."""
        raise NotImplementedError

    def payout_day(self, *providers: str, **body: Any) -> Any:
        """A day passes: the providers (all, or stripe, paypal, braintree, adyen, amazon, square) pay out what came in.

        One payout per currency, of everything captured, refunded and moved by the end of the day `on` (today by
        default), at most the `most` oldest rows; `arrives` days later. currency, status, reconciliation_status.
        Returns the payouts with id, amount, count of lines, arrival date. Everybody but Stripe drops a file
        (files=False: nobody; stripe_report=True: Stripe, too).
        """
        return self._day(providers, body)["payouts"]

    def _day(self, providers: tuple[str, ...], body: dict[str, Any]) -> Any:
        return self.call("POST", "/payments/day", {**({"providers": providers} if providers else {}), **body})

    def drop_settlement(self, *payouts: str, fault: str = "", **body: Any) -> Any:
        """Drop the settlement file of some payouts of one provider (again); returns the paths.

        fault: truncated, doubled (twice, under two names), repeated_row, encoding, utf16, quoted, reordered,
        currency, cent (in a row), footer (in the total). name; comma (Amazon's decimal point).
        """
        return self.call("POST", "/payments/drop", {"payout": list(payouts), "fault": fault, **body})

    def manual_payout(self, currency: str = "USD", *, instant: bool = False, **body: Any) -> Any:
        """Somebody pays the whole balance out by hand, which nobody itemises: provider, arrival (a day)."""
        return self.call("POST", "/payments/payout", {"currency": currency, "instant": instant, **body})

    def fail_payout(self, payout: str, *, canceled: bool = False, **body: Any) -> Any:
        """The bank sends a payout back (`code`), or it is canceled; its money is a row of the next one."""
        return self.call("POST", "/payments/payout/fail", {"payout": payout, "canceled": canceled, **body})

    def change_payout(self, payout: str, **body: Any) -> Any:
        """status, reconciliation_status, or off_by: an amount by which it does not come to its lines."""
        return self.call("POST", "/payments/payout/change", {"payout": payout, **body})

    def move(self, kind: str, amount: Any = None, **body: Any) -> Any:
        """Something else happens to a balance, and is in the next payout; returns the new rows.

        dispute, dispute_reversal, refund_failure, charge_failure, partial_capture_reversal (charge: the
        provider's id, or order_id; without amount all of it); fee, network_cost, tax, reserve_hold (amount "all"
        leaves a payout of 0), reserve_release, advance, loan_repayment, contribution, topup, adjustment; unknown
        is a kind that nobody has heard of (`word` names it). Besides: provider, currency, fee, source,
        description, created (seconds), paired (a reserve's second row, on its own balance).
        """
        given = {} if amount is None else {"amount": str(amount)}
        return self.call("POST", "/payments/move", {"kind": kind, **given, **body})

    def lose_dispute(self, dispute: str, provider: str = "stripe") -> Any:
        """The shopper's bank decides for the shopper: nothing moves, and the provider says that it is lost."""
        return self.call("POST", "/payments/dispute/lose", {"dispute": dispute, "provider": provider})

    def payment_terms(self, provider: str = "stripe", **terms: Any) -> Any:
        """settles: currencies with a bank account of their own (none: all); home and rates for all others."""
        return self.call("POST", "/payments/terms", {"provider": provider, **terms})

    def bulk_charges(self, count: int, provider: str = "stripe", currency: str = "USD") -> Any:
        """Charges that no order knows, for measurements of speed."""
        return self.call(
            "POST", "/payments/bulk", {"count": count, "provider": provider, "currency": currency}
        )

    def stripe_limit(self, per_second: int) -> Any:
        """Calls a second that Stripe takes; 0 is any number."""
        return self.call("POST", "/payments/limit", {"per_second": per_second})

    def payouts_state(self, payout: str | None = None, *, lines: bool = False) -> Any:
        """All payouts, or one, as they are; with `lines` what each is made of."""
        query = {**({"payout": payout} if payout else {}), **({"lines": "true"} if lines else {})}
        return self.call("GET", "/state/payments/payouts", **query)

    def open_movements(self, provider: str = "stripe") -> Any:
        """What no payout holds yet."""
        return self.call("GET", "/state/payments/open", provider=provider)
