"""`bcns`: the command line, thin commands over the rooms.

Put the names, options and one-line helps here (those of a person's decisions are in `main_people.py`); what a
command does is in its own module beside this one. Bad input ends in sentences and exit code 2, never in a
traceback.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bcns_pipeline.cli import main_finance, main_people
from bcns_pipeline.outcomes import OutsideError
from bcns_pipeline.rules.faults import BadInput


class Sentences(TyperGroup):
    """Code 2 and one sentence per fault for bad input, code 1 where an outside system said no."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from bcns_pipeline.cli.console import complain

        try:
            return super().invoke(ctx)
        except BadInput as bad:
            for fault in bad.faults:
                complain(fault)
            raise typer.Exit(2) from None
        except OutsideError as error:
            complain(f"{error}.")
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Sentences,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="BigCommerce and NetSuite in step: run the flows, ask why, decide what waits for a person.",
)
config_app = typer.Typer(no_args_is_help=True, help="The merchant's mapping file.")
audit_app = typer.Typer(no_args_is_help=True, help="The audit chain.")
smoke_app = typer.Typer(no_args_is_help=True, help="One record, end to end, with its proof.")
explain_app = typer.Typer(no_args_is_help=True, help="Why a number is what it is.")
app.add_typer(config_app, name="config")
app.add_typer(audit_app, name="audit")
app.add_typer(smoke_app, name="smoke")
app.add_typer(explain_app, name="explain")
main_people.register(app)
main_finance.register(app)


@app.command()
def demo(
    skus: Annotated[int, typer.Option(help="Size of the generated catalogue.")] = 10_000,
) -> None:
    """Run every flow end to end against the sandbox: no account, no Docker, no root."""
    from bcns_pipeline.cli.demo import run_demo

    raise typer.Exit(run_demo(skus))


@app.command()
def dev(
    skus: Annotated[int, typer.Option(help="Size of the generated catalogue.")] = 2_000,
    port: Annotated[int, typer.Option(help="Port of the Dagster UI.")] = 3000,
) -> None:
    """Keep the sandbox alive with shoppers and warehouse staff, and open the Dagster UI on it."""
    from bcns_pipeline.cli.dev import run_dev

    raise typer.Exit(run_dev(skus, port))


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
)
def sandbox(context: typer.Context) -> None:
    """Serve a local BigCommerce and NetSuite (`bcns sandbox --help` lists the options)."""
    from bcns_pipeline.sandbox.__main__ import parse
    from bcns_pipeline.sandbox.serve import run as serve

    serve(parse(context.args))


@app.command()
def webhooks(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port; TLS on 443 is the business of the proxy in front.")
    ] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    access_log: Annotated[bool, typer.Option(help="One line a call, without bodies or addresses.")] = True,
) -> None:
    """Receive BigCommerce's webhooks and NetSuite's events into the inbox (docs/webhooks.md)."""
    from bcns_pipeline.cli.webhooks import serve_webhooks

    serve_webhooks(host, port, workers, access_log=access_log)


@app.command()
def migrate() -> None:
    """Bring the database that BCNS_DATABASE_URL names (or the embedded one) to this version."""
    from bcns_pipeline.cli.admin import migrate_database

    migrate_database()


@app.command()
def keygen(
    kind: Annotated[str, typer.Option(help="rsa (PS256) or ec (ES256).")] = "ec",
    out: Annotated[Path, typer.Option(help="Folder for key and certificate.")] = Path(".bcns/keys"),
    days: Annotated[int, typer.Option(help="Validity; NetSuite cuts more than 730 days.")] = 730,
    name: Annotated[str, typer.Option(help="Common name in the certificate.")] = "bcns-pipeline",
) -> None:
    """Make the key and certificate of NetSuite's OAuth 2.0 client credentials, and say where to upload it."""
    from bcns_pipeline.cli.admin import make_keys

    make_keys(kind, out, days, name)


@app.command()
def doctor(
    shape: Annotated[
        str, typer.Option("--format", help="table, lines, markdown or json; auto asks the terminal.")
    ] = "auto",
    scopes: Annotated[
        bool, typer.Option("--scopes", help="Only list the least that both accounts must grant.")
    ] = False,
) -> None:
    """Probe both accounts, read-only: what was found, what it means, how to mend it.

    Ends with 0 where the flows can run, with 1 where they can't, with 2 where settings or mapping file are
    faulty.
    """
    from bcns_pipeline.cli.doctor import run_doctor, show_scopes

    if scopes:
        show_scopes()
        return
    raise typer.Exit(run_doctor(shape))


@config_app.command("check")
def config_check(
    path: Annotated[
        Path | None, typer.Argument(help="The file; BCNS_CONFIG or bcns.yaml by default.")
    ] = None,
) -> None:
    """Every fault of the mapping file at once, one sentence each."""
    from bcns_pipeline.cli.admin import check_config

    check_config(path)


@config_app.command("diff")
def config_diff(
    old: Annotated[Path, typer.Argument(help="The file as it is.")],
    new: Annotated[Path, typer.Argument(help="The file as it would be.")],
    days: Annotated[int, typer.Option(help="Orders placed in the last so many days.")] = 30,
    comment: Annotated[
        bool,
        typer.Option("--comment", help="As Markdown, for a comment on the change that brings the new file."),
    ] = False,
) -> None:
    """Which orders would change in NetSuite, and by how much money; nothing is sent. Ends with 1 where any would."""
    from bcns_pipeline.cli.config_diff import diff_config

    raise typer.Exit(diff_config(old, new, days, comment=comment))


FLOW_HELP = "cash, close (of last month), customers, fulfilment, inventory, orders, payouts or refunds"
DAY_HELP = (
    "Of orders, cash, payouts and refunds: re-read this day in the store's zone, e.g. 2026-11-20, or all of "
    "2026-11-01..2026-11-20 in one run."
)


@app.command()
def plan(
    flow: Annotated[str, typer.Argument(help=FLOW_HELP)],
    day: Annotated[str | None, typer.Option(help=DAY_HELP)] = None,
) -> None:
    """What the next run of FLOW would do, and how much money that moves; nothing is sent."""
    from bcns_pipeline.cli.flows import run_flow

    raise typer.Exit(run_flow(flow, mode="plan", day=day))


@app.command()
def run(
    flow: Annotated[str, typer.Argument(help=FLOW_HELP)],
    full: Annotated[bool, typer.Option(help="Of stock: read everything instead of what changed.")] = False,
    day: Annotated[str | None, typer.Option(help=DAY_HELP)] = None,
) -> None:
    """Run FLOW once, in this process, with the same history that the Dagster UI shows."""
    from bcns_pipeline.cli.flows import run_flow

    raise typer.Exit(run_flow(flow, mode="apply", full=full, day=day))


@smoke_app.command("inventory")
def smoke_inventory(
    sku: Annotated[str, typer.Argument(help="A SKU that both systems know.")],
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Stop before anything is sent.")] = False,
) -> None:
    """Adjust SKU by one unit in NetSuite, then run this: only that SKU may appear in the plan.

    Then it is pushed and read back, and a second run must write nothing. Ends with 0 and PASS, or 1 and FAIL.
    """
    from bcns_pipeline.cli.smoke import smoke_stock

    raise typer.Exit(smoke_stock(sku, plan_only=plan_only))


@smoke_app.command("order")
def smoke_order_(
    order: Annotated[int, typer.Argument(help="BigCommerce's order id.")],
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Stop before anything is sent.")] = False,
) -> None:
    """Post one order, compare it line by line with NetSuite, and run again: nothing may be written twice.

    Ends with 0 and PASS, or 1 and FAIL.
    """
    from bcns_pipeline.cli.smoke_order import smoke_order

    raise typer.Exit(smoke_order(order, plan_only=plan_only))


@explain_app.command("sku")
def explain_sku(
    sku: Annotated[str, typer.Argument(help="SKU, as in either system.")],
    at: Annotated[str | None, typer.Option(help="Moment, e.g. 2026-11-20T14:00; now by default.")] = None,
) -> None:
    """NetSuite's terms, the rule, the value pushed and the value read back, at that moment."""
    from bcns_pipeline.cli.explain import explain_stock

    raise typer.Exit(explain_stock(sku, at))


@explain_app.command("order")
def explain_order_(
    order: Annotated[int, typer.Argument(help="BigCommerce's order id.")],
    show_personal: Annotated[
        bool, typer.Option("--show-personal", help="The shopper's data too; who asked is audited.")
    ] = False,
) -> None:
    """One timeline across both systems, the order's money, where it stands and what comes next."""
    from bcns_pipeline.cli.explain_order import explain_order

    raise typer.Exit(explain_order(order, show_personal=show_personal))


@audit_app.command("verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(help="A head hash noted earlier, e.g. in a run's metadata.")
    ] = None,
) -> None:
    """Recompute the chain and the digests of its lines; name the first broken row."""
    from bcns_pipeline.cli.admin import verify_audit

    raise typer.Exit(verify_audit(head))


def main() -> None:
    """Entry point of the `bcns` script."""
    try:
        app()
    finally:
        try:
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever reads the first lines only, as `| head` does, is owed no complaint at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
