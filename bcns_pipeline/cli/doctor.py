"""`bcns doctor`: both accounts, the mapping file and the database looked at, read-only, one line per finding.

Put here which probes run in which order, how they are shown and what the exit code says. Do not put a probe
here (`probes_*.py`). It sends one request after the other, gives up early, and writes nothing anywhere.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Final

from rich.text import Text

from bcns_pipeline.cli import (
    probes_bigcommerce,
    probes_both,
    probes_money,
    probes_netsuite,
    probes_netsuite_stock,
    probes_orders,
    probes_payments,
    probes_state,
)
from bcns_pipeline.cli.accounts import WatchingPacer, bigcommerce_client, netsuite_client
from bcns_pipeline.cli.console import say, show_table, terminal
from bcns_pipeline.cli.probes import STOPPING, Finding, Level, Patient, examine
from bcns_pipeline.cli.variables import unread_variables
from bcns_pipeline.clients.http.exchange import HttpClient
from bcns_pipeline.config import load_or_default
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings, load_settings

FORMATS: Final = ("auto", "table", "lines", "markdown", "json")
_COLUMNS: Final = ("", "what", "found", "what it means", "how to mend it")
_STYLES: Final = {
    Level.OK: "green",
    Level.NOTE: "cyan",
    Level.WARNING: "yellow",
    Level.UNKNOWN: "magenta",
    Level.BLOCKED: "bold red",
    Level.BAD_INPUT: "bold red",
}


def run_doctor(shape: str = "auto") -> int:
    """Look and report; 0 = the flows can run, 1 = they can't, 2 = settings or mapping file are faulty."""
    if shape not in FORMATS:
        raise BadInput([f"--format {shape} is not possible; write one of {', '.join(FORMATS)}."])
    console = terminal()
    if shape == "auto":
        shape = "table" if console.is_terminal else "lines"
    if console.is_terminal and shape != "json":
        with console.status("looking …"):
            findings = list(diagnose(load_settings()))
    else:
        findings = list(diagnose(load_settings()))
    show_findings(shape, findings)
    code = exit_code(findings)
    if shape != "json":
        counts = Counter(one.level for one in findings)
        say(f"{', '.join(f'{counts[level]} {level}' for level in Level if counts[level])}: {_VERDICTS[code]}")
    return code


_VERDICTS: Final = (
    "the flows can run.",
    "the flows can't run; mend what is blocked.",
    "the flows can't run; mend the bad input first.",
)


def diagnose(
    settings: Settings,
    *,
    shop_network: HttpClient | None = None,
    books_network: HttpClient | None = None,
    payments_network: HttpClient | None = None,
) -> Iterator[Finding]:
    """Every finding, in order. The networks are given by tests."""
    yield from _settings(settings)
    mapping, faults = load_or_default(settings.config)
    for fault in faults:
        yield Finding("Mapping file", fault, level=Level.BAD_INPUT)
    if not faults:
        yield Finding("Mapping file", f"{settings.config.name} is sound (digest {mapping.digest[:12]})")
    for fault in mapping.alerts.faults():
        yield Finding(
            "Alerts", fault, "No flow starts while an alert would reach nobody.", level=Level.BAD_INPUT
        )
    patient = Patient(settings, mapping, payments_network=payments_network)
    yield from examine(patient, "State", (), probes_state.PROBES)
    with ExitStack() as open_clients:
        shop_open = books_open = False
        if _complete(settings, "bigcommerce"):
            patient.pacer = WatchingPacer()
            account = settings.require("bigcommerce")
            patient.bigcommerce = bigcommerce_client(account, pacer=patient.pacer, client=shop_network)
            open_clients.callback(patient.bigcommerce.close)
            wanted = (
                *probes_bigcommerce.PROBES,
                *(() if faults else (*probes_both.SHOP_PLACES, *probes_orders.SHOP)),
            )
            shop_open = yield from examine(patient, "BigCommerce", probes_bigcommerce.ENTRY, wanted)
        if _complete(settings, "netsuite"):
            form = mapping.netsuite.scope_form
            patient.netsuite = netsuite_client(
                settings.require("netsuite"), scope_form=form, client=books_network
            )
            open_clients.callback(patient.netsuite.close)
            wanted = (
                *probes_netsuite_stock.PROBES,
                *probes_netsuite.PROBES,
                *(() if faults else (*probes_both.BOOKS_PLACES, *probes_orders.BOOKS, *probes_money.BOOKS)),
            )
            books_open = yield from examine(patient, "NetSuite", probes_netsuite.ENTRY, wanted)
        if shop_open and books_open:
            yield from examine(patient, "Both", (), probes_both.BOTH)
    yield from examine(patient, "Payments", (), probes_payments.PROBES)


def _settings(settings: Settings) -> Iterator[Finding]:
    told: set[str] = set()
    for system in ("bigcommerce", "netsuite"):
        try:
            settings.require(system)
        except BadInput as bad:
            # Malformed variables are told for each system that can't be used because of them.
            for fault in bad.faults:
                if fault not in told:
                    told.add(fault)
                    yield Finding("Settings", fault, level=Level.BAD_INPUT)
    if not told:
        yield Finding("Settings", "complete for both systems")
    for unread in unread_variables():
        yield Finding("Environment", unread, level=Level.WARNING)


def _complete(settings: Settings, system: str) -> bool:
    try:
        settings.require(system)
    except BadInput:
        return False
    return True


def exit_code(findings: Iterable[Finding]) -> int:
    """2 for bad input, 1 for anything else that blocks, 0 otherwise."""
    levels = {one.level for one in findings}
    if Level.BAD_INPUT in levels:
        return 2
    return 1 if levels & STOPPING else 0


def show_scopes() -> None:
    """The least that each flow needs, from the same tables that the probes use."""
    say("BigCommerce: store-level API account with these OAuth scopes")
    show_table(
        ["scope", "flow", "what for"],
        [(one.name, one.flow, one.purpose) for one in all_scopes()],
    )
    say("NetSuite: role with these permissions")
    rows = [
        ("REST Web Services (Full)", "all", "talk to NetSuite at all"),
        ("Log in using OAuth 2.0 Access Tokens (Full)", "all", "get a token"),
        ("SuiteAnalytics Workbook (Edit)", "all", "run SuiteQL"),
        *((one.permission, "inventory", f"read {one.name}") for one in probes_netsuite_stock.TABLES),
        *((one.permission, one.flow, one.purpose) for one in all_rights()),
        ("Lists > Currency (View)", "doctor", "compare currencies"),
        ("Lists > Subsidiaries, Departments, Classes (View)", "doctor", "find the ids of the mapping file"),
    ]
    show_table(["permission", "flow", "what for"], rows)


def all_scopes() -> tuple[probes_bigcommerce.Scope, ...]:
    """Every scope that any flow needs."""
    return (*probes_bigcommerce.SCOPES, *probes_orders.SCOPES)


def all_rights() -> tuple[probes_orders.Right, ...]:
    """Every permission on a record that any flow needs."""
    money = (*probes_money.RIGHTS, probes_money.ACCOUNTS, probes_money.PERIODS, *probes_money.RETURNS)
    return (*probes_orders.RIGHTS, probes_orders.CASH_SALE, *money)


def show_findings(shape: str, findings: Sequence[Finding]) -> None:
    """Print them in one of FORMATS but auto."""
    _SHOW[shape](findings)


def _show_table(findings: Sequence[Finding]) -> None:
    rows = [(Text(one.level, style=_STYLES[one.level]), *_texts(one)) for one in findings]
    show_table(_COLUMNS, rows)


def _show_lines(findings: Sequence[Finding]) -> None:
    for one in findings:
        say(f"{one.level:<9} {' | '.join(_texts(one))}")


def _show_markdown(findings: Sequence[Finding]) -> None:
    say(f"| {' | '.join(_COLUMNS)} |")
    say("|---" * len(_COLUMNS) + "|")
    for one in findings:
        say("| " + " | ".join(text.replace("|", "\\|") for text in (one.level, *_texts(one))) + " |")


def _show_json(findings: Sequence[Finding]) -> None:
    say(json.dumps([asdict(one) for one in findings], ensure_ascii=False, indent=2))


def _texts(one: Finding) -> tuple[str, str, str, str]:
    found, means, mend, what = (" ".join(text.split()) for text in (one.found, one.means, one.mend, one.what))
    return what, found, means, mend


_SHOW: Final[dict[str, Callable[[Sequence[Finding]], None]]] = {
    "table": _show_table,
    "lines": _show_lines,
    "markdown": _show_markdown,
    "json": _show_json,
}
