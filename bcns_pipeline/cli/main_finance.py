"""The commands of the controller and the auditor: payouts, their trail, their re-performance, the opening balance.

Put the names, options and one-line helps of these commands here. What a command does is in its own module.
"""

from __future__ import annotations

from typing import Annotated

import typer

payouts_app = typer.Typer(invoke_without_command=True, help="Payouts by where they stand; corrections.")
reperform_app = typer.Typer(
    no_args_is_help=True, help="Make something again from the stored bytes, and compare."
)

Reason = Annotated[str, typer.Option(help="Why; it goes into the audit chain.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `bcns`."""
    app.add_typer(payouts_app, name="payouts")
    app.add_typer(reperform_app, name="reperform")
    app.command()(trace)
    app.command("opening-balance")(opening_balance)


@payouts_app.callback()
def payouts(
    context: typer.Context,
    status: Annotated[list[str] | None, typer.Option(help="Only of this status, e.g. held.")] = None,
    day: Annotated[str | None, typer.Option(help="Only arriving on that day, as 2026-11-20.")] = None,
) -> None:
    """Payouts by where they stand, and why those that wait, wait."""
    from bcns_pipeline.cli.finance import show_payouts

    if context.invoked_subcommand is None:
        show_payouts(status or (), day)


@payouts_app.command("correct")
def payouts_correct(
    payout: Annotated[str, typer.Argument(help="Its id, e.g. po_1.")],
    reason: Reason,
    only_reverse: Annotated[
        bool, typer.Option("--only-reverse", help="Do not post it anew afterwards.")
    ] = False,
) -> None:
    """Reverse a payout's entry, and post it anew; somebody else approves it with `bcns approve operation`."""
    from bcns_pipeline.cli.finance import correct_payout

    correct_payout(payout, reason, again=not only_reverse)


@reperform_app.command("payout")
def reperform_payout(payout: Annotated[str, typer.Argument(help="Its id, e.g. po_1.")]) -> None:
    """Make a payout's entry again from the stored bytes; ends with 0 where it is what was sent, byte for byte."""
    from bcns_pipeline.cli.finance import reperform_payout

    raise typer.Exit(reperform_payout(payout))


@reperform_app.command("order")
def reperform_order(order: Annotated[int, typer.Argument(help="BigCommerce's order id.")]) -> None:
    """Plan an order again from the stored bytes; ends with 0 where plan and write are what was sent, byte for byte."""
    from bcns_pipeline.cli.recovery import reperform_order

    raise typer.Exit(reperform_order(order))


def trace(
    what: Annotated[
        str,
        typer.Argument(
            help="A payout, a line or charge of one, an order's number, a journal entry, a bank line."
        ),
    ],
    line: Annotated[int | None, typer.Option(help="Of a journal entry: the members of its line N.")] = None,
) -> None:
    """From the bank deposit to the order line, or back, with the hashes of what each step was read from."""
    from bcns_pipeline.cli.tracing import show_trace

    raise typer.Exit(show_trace(what, line))


def opening_balance(
    provider: Annotated[str, typer.Option(help="Only this provider.")] = "",
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit chain.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
) -> None:
    """What each provider held at the cutover, tied to its balance: into the clearing account, once."""
    from bcns_pipeline.cli.opening import opening_balances

    raise typer.Exit(opening_balances(provider, reason, apply=apply))
