"""The commands with which people answer: exceptions, held writes, orders that are to be looked at again.

Put the names, options and one-line helps of these commands here. What a command does is in its own module.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

exceptions_app = typer.Typer(
    invoke_without_command=True, help="The open exceptions, with owner, cause and fix; what to do about them."
)

report_app = typer.Typer(help="Reports for the controller.", no_args_is_help=True)

# What there is, so that `--help` loads nothing else; rules/close/reports.py has the rest, and a test compares.
REPORTS = {
    "payouts": "FR1 Payout reconciliation",
    "detail": "FR2 Payout detail",
    "orders": "FR3 Order reconciliation",
    "refunds": "FR4 Refund reconciliation",
    "clearing": "FR5 Clearing roll-forward",
    "open-items": "FR5 Open items of clearing",
    "unapplied": "FR6 Unapplied payments, deposits and credits",
    "exceptions": "FR7 Exceptions by age",
    "fees": "FR8 Fees",
    "accrued-fees": "FR8 Fees accrued at the end",
    "disputes": "FR9 Disputes",
    "reserves": "FR10 Reserves",
    "stored-value": "FR11 Stored value",
    "stored-value-holders": "FR11 Stored value by certificate and customer",
    "tax": "FR12 Tax tie-out",
    "fx": "FR13 Foreign exchange",
    "completeness": "FR14 Interface completeness",
    "journals": "FR15 Journal entries and manual touches",
    "others": "FR15 Booked by others on clearing accounts",
    "tie-out": "FR16 Tie-out by order",
    "close-pack": "FR16 Evidence of a month",
}

Number = Annotated[int, typer.Argument(help="Number, as `bcns exceptions` shows it.")]
Code = Annotated[str | None, typer.Option(help="Only this code.")]
All = Annotated[bool, typer.Option("--all", help="Resolved ones too.")]
Reason = Annotated[str, typer.Option(help="Why; it goes into the audit chain.")]


def register(app: typer.Typer) -> None:
    """Add these commands to `bcns`."""
    app.add_typer(exceptions_app, name="exceptions")
    app.add_typer(report_app, name="report")
    app.command()(status)
    app.command()(approve)
    app.command()(operations)
    app.command()(orders)
    app.command()(replay)
    app.command()(adopt)
    app.command()(merge)
    app.command()(duplicates)


def status() -> None:
    """One page: what is stuck, who owns it, what waits, when each flow last ran."""
    from bcns_pipeline.cli.status import show_status

    raise typer.Exit(show_status())


@exceptions_app.callback()
def exceptions(context: typer.Context, code: Code = None, all_: All = False) -> None:
    """The open exceptions, with owner, cause and fix."""
    from bcns_pipeline.cli.questions import show_exceptions

    if context.invoked_subcommand is None:
        show_exceptions(code, open_only=not all_)


@exceptions_app.command("list")
def exceptions_list(
    code: Code = None,
    owner: Annotated[str | None, typer.Option(help="Only of this owner or assignee.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only of this flow.")] = None,
    age: Annotated[str | None, typer.Option(help="Only open for at least this long: 30m, 4h, 2d.")] = None,
    all_: All = False,
    shape: Annotated[str, typer.Option("--format", help="table, lines or json.")] = "table",
) -> None:
    """The exceptions that match everything given."""
    from bcns_pipeline.cli.questions import show_exceptions

    show_exceptions(code, owner=owner, flow=flow, older_than=age, open_only=not all_, shape=shape)


@exceptions_app.command("show")
def exceptions_show(number: Number) -> None:
    """One exception: cause, fix, runbook page and history."""
    from bcns_pipeline.cli.questions import show_exception

    show_exception(number)


@exceptions_app.command("assign")
def exceptions_assign(
    number: Number, to: Annotated[str, typer.Argument(help="Who takes it, as your team calls them.")]
) -> None:
    """Give an exception to somebody."""
    from bcns_pipeline.cli.questions import assign_exception

    assign_exception(number, to)


@exceptions_app.command("resolve")
def exceptions_resolve(number: Number, reason: Reason) -> None:
    """Close an exception by hand; it is asked again where its cause is still there."""
    from bcns_pipeline.cli.questions import resolve_exception

    resolve_exception(number, reason)


@exceptions_app.command("retry")
def exceptions_retry(numbers: Annotated[list[int], typer.Argument(help="Numbers of exceptions.")]) -> None:
    """Have what they are about tried again at once, instead of when its time comes."""
    from bcns_pipeline.cli.questions import retry_exceptions

    retry_exceptions(numbers)


def approve(
    what: Annotated[str, typer.Argument(help="Number of an exception; or `operation`.")],
    reason: Reason,
    number: Annotated[int | None, typer.Argument(help="After `operation`: its number.")] = None,
    plan: Annotated[int | None, typer.Option(help="After `operation`: all that this plan holds.")] = None,
    dismiss: Annotated[bool, typer.Option(help="Close it, or give the write up, instead.")] = False,
) -> None:
    """Clear an exception that needs a person, or let a held write go: `bcns approve operation 12 --reason …`."""
    from bcns_pipeline.cli.decisions import approve_exception, approve_operations

    if what == "operation":
        approve_operations(number, plan, reason, dismiss=dismiss)
    elif what.isdecimal() and number is None and plan is None:
        approve_exception(int(what), reason, dismiss=dismiss)
    else:
        raise typer.BadParameter("write the number of an exception, or `operation` and its number.")


def operations(
    state: Annotated[
        list[str] | None,
        typer.Option(help="planned, sending, held, ambiguous, confirmed, failed, superseded."),
    ] = None,
    flow: Annotated[str | None, typer.Option(help="Only of this flow.")] = None,
    plan: Annotated[int | None, typer.Option(help="Only of this plan.")] = None,
) -> None:
    """Writes to both systems that are not settled (or in the states named), with the money they move."""
    from bcns_pipeline.cli.decisions import show_operations

    show_operations(state or (), flow, plan)


def orders(
    state: Annotated[
        list[str] | None,
        typer.Option(help="open, waiting, held, listed, ignored, planned, posted or adopted."),
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only with this code, e.g. STATUS.")] = None,
    day: Annotated[str | None, typer.Option(help="Only placed on that day, as 2026-11-20.")] = None,
) -> None:
    """Orders by where they stand; without options, all of ours that are not in NetSuite, and why."""
    from bcns_pipeline.cli.order_list import show_orders

    show_orders(state or (), code, day)


@report_app.command("tax")
def report_tax_(
    month: Annotated[str | None, typer.Option(help="Only this month, as 2026-11.")] = None,
    day: Annotated[str | None, typer.Option(help="Only this day, as 2026-11-03.")] = None,
    format_: Annotated[str | None, typer.Option("--format", help="csv, xlsx or html.")] = None,
    out: Annotated[Path | None, typer.Option(help="The file to write.")] = None,
) -> None:
    """Tax by month, storefront and currency: charged, in NetSuite, and the difference; 1 where it does not tie."""
    from bcns_pipeline.cli.report_tax import report_tax
    from bcns_pipeline.cli.reports import write_report

    raise typer.Exit(write_report("tax", month, day, format_, out) if day or format_ else report_tax(month))


def _report(name: str) -> None:
    """`bcns report NAME`, with the options that all of them have."""

    def command(
        month: Annotated[str | None, typer.Option(help="The month, as 2026-11.")] = None,
        day: Annotated[str | None, typer.Option(help="The day, as 2026-11-03.")] = None,
        format_: Annotated[
            str | None, typer.Option("--format", help="csv, xlsx or html; journals: beancount, too.")
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="The file to write; named after the report otherwise.")
        ] = None,
    ) -> None:
        from bcns_pipeline.cli.reports import write_report

        raise typer.Exit(write_report(name, month, day, format_, out))

    report_app.command(name, help=f"{REPORTS[name]}; 1 where something is left over.")(command)


for _name in REPORTS:
    if _name != "tax":
        _report(_name)


@report_app.command("all")
def report_all(
    month: Annotated[str | None, typer.Option(help="The month, as 2026-11.")] = None,
    day: Annotated[str | None, typer.Option(help="The day, as 2026-11-03.")] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write into.")] = None,
) -> None:
    """All of them as CSV, XLSX and HTML, with a page over them; 1 where something is left over."""
    from bcns_pipeline.cli.reports import report_all

    raise typer.Exit(report_all(month, day, out))


def replay(
    order: Annotated[str, typer.Option(help="Ids, e.g. 1001,1002.")] = "",
    file: Annotated[Path | None, typer.Option(help="A text file of ids.")] = None,
    since: Annotated[str, typer.Option(help="Placed from then on: 2026-11-20, or with a time.")] = "",
    until: Annotated[str, typer.Option(help="Placed before then.")] = "",
    code: Annotated[str, typer.Option(help="Those with this exception, e.g. ITEM_UNMAPPED.")] = "",
    query: Annotated[str, typer.Option(help="Those that match, e.g. 'status_id=11 channel_id=1'.")] = "",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="After the database was lost: link what carries our keys.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit chain.")] = "",
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
) -> None:
    """Have orders looked at again; what NetSuite has already is never written twice."""
    from bcns_pipeline.cli.recovery import rebuild_state, replay_orders

    if rebuild:
        raise typer.Exit(rebuild_state(apply=apply))
    replay_orders(
        order=order, file=file, since=since, until=until, code=code, query=query, reason=reason, apply=apply
    )


def adopt(
    by: Annotated[
        str,
        typer.Option(
            help="Where the order's number stands: otherrefnum,externalid:WEB-{id},field:custbody_x"
        ),
    ] = "otherrefnum",
    since: Annotated[str, typer.Option(help="Read the store's orders from then on first.")] = "",
    accept_differences: Annotated[
        bool, typer.Option("--accept-differences", help="Also the only match, where its total differs.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; without this it is only shown.")] = False,
) -> None:
    """Link orders that another connector has put into NetSuite; nothing is written there."""
    from bcns_pipeline.cli.recovery import adopt_orders

    raise typer.Exit(adopt_orders(by, since, accept_differences=accept_differences, apply=apply))


def duplicates(
    days: Annotated[int, typer.Option(help="What runs of the last so many days found.")] = 90,
) -> None:
    """NetSuite customers that are probably one person twice. Ends with 1 where there are any."""
    from bcns_pipeline.cli.merging import show_duplicates

    raise typer.Exit(show_duplicates(days))


def merge(
    gone: Annotated[int | None, typer.Argument(help="NetSuite customer that is gone.")] = None,
    stays: Annotated[int | None, typer.Argument(help="NetSuite customer that took its place.")] = None,
    reason: Annotated[str, typer.Option(help="Why; it goes into the audit chain.")] = "",
) -> None:
    """Say that two NetSuite customers are one; without any, list what was said."""
    from bcns_pipeline.cli.merging import merge_customers, show_merges

    if gone is None:
        show_merges()
    elif stays is None:
        raise typer.BadParameter("write two customers: the one that is gone, then the one that stays.")
    else:
        merge_customers(gone, stays, reason)
