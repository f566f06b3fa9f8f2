"""Runs the payout flow's own steps in a forked process and kills it at every step of I/O, one after another.

Put the run, its far side (a table that survives the sender) and the killing here; it runs as a script of its own,
because it forks. Do not put assertions here: it prints one JSON line per crash point for the test to judge. Crash
points are counted as in `state/crash_points.py`: before each commit, before and after each call of NetSuite; and before
and after each file that is moved. Providers and bank drop files, so that no call is theirs.
"""

from __future__ import annotations

import gc
import json
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import sqlalchemy as sa

from bcns_pipeline.clients.files import folder as drop
from bcns_pipeline.clients.files.folder import DropFolder
from bcns_pipeline.clients.netsuite.models import (
    AccountCurrency,
    AccountFacts,
    AccountRow,
    JournalLine,
    JournalRow,
    PeriodRow,
)
from bcns_pipeline.config import Mapping as MappingFile
from bcns_pipeline.defs.account import CURSOR as ACCOUNT
from bcns_pipeline.defs.modes import Mode
from bcns_pipeline.defs.payouts import apply
from bcns_pipeline.defs.payouts.bank import take_statements
from bcns_pipeline.defs.payouts.planning import make_plan
from bcns_pipeline.defs.payouts.reconcile import reconcile
from bcns_pipeline.defs.payouts.take import take
from bcns_pipeline.outcomes import Outcome, Sent
from bcns_pipeline.resources.settlements import SettlementReader, profile_of
from bcns_pipeline.rules.payouts.body import canonical
from bcns_pipeline.state.engine import create_engine
from bcns_pipeline.state.store import State
from bcns_pipeline_tests.crash_findings import FarSide
from bcns_pipeline_tests.state.crash_points import Countdown, forked

TODAY = datetime.now(UTC).date()
PATIENCE_SECONDS = 60.0
ROLES = {"bank": 1, "clearing": 2, "fees": 3, "disputes": 4, "dispute_fees": 5, "dispute_losses": 6}
MAPPING = MappingFile.model_validate(
    {"payouts": {"providers": {"square": {**ROLES, "categories": {"lost": "chargeback_lost"}}}}}
)
HEADER = "provider,payout_id,payout_date,currency,line_id,category,gross,fee,net,references"
# Two payouts in one file, the second with a dispute that is over and lost: three entries.
ROWS = (
    "square,po_1,{day},USD,l1,charge,100.00,2.90,97.10,sq_1",
    "square,po_1,{day},USD,l2,refund,-20.00,0.00,-20.00,sq_2",
    "square,po_2,{day},USD,l3,charge,50.00,1.75,48.25,sq_3",
    "square,po_2,{day},USD,l4,dispute,-10.00,5.00,-15.00,cb_1",
    "square,po_2,{day},USD,l5,lost,0.00,0.00,0.00,cb_1",
)
STATEMENT = (
    "account,currency,booked_on,amount,description\nDE1,USD,{day},77.10,SQUARE\nDE1,USD,{day},33.25,SQUARE\n"
)
KEYS = (
    "psp-square-default-dispute-cb_1",
    "psp-square-default-payout-po_1",
    "psp-square-default-payout-po_2",
)
FACTS = AccountFacts(
    oneworld=False,
    suitetax=False,
    multi_currency=True,
    currencies={"USD": AccountCurrency(1, 2, base=True)},
    subsidiaries={},
    order_fields=frozenset(),
    line_fields=frozenset(),
    customer_fields=frozenset(),
    fulfilment_fields=frozenset(),
    record_types=frozenset(),
)


class FarJournals(FarSide):
    """NetSuite's ledger: each call makes an entry anew, and what is there is approved."""

    def __init__(self, url: str, store: str, countdown: Countdown) -> None:
        super().__init__(url, store)
        self._countdown = countdown

    def create(self, body: Mapping[str, Any]) -> Outcome:
        self._countdown.tick()
        ((made,),) = self.ask(
            "insert into far.journal (store, key, body) values (%s, %s, %s) returning id",
            body["externalId"],
            canonical(body).decode(),
        )
        self._countdown.tick()
        return Sent(record_id=str(made))

    def find(self, keys: Iterable[str]) -> dict[str, int]:
        self._countdown.tick()
        query = "select key, min(id) from far.journal where store = %s and key = any(%s) group by key"
        return dict(self.ask(query, list(keys)))

    def by_external_id(self, keys: Iterable[str], *, oneworld: bool = False) -> dict[str, JournalRow]:
        self._countdown.tick()
        query = "select key, id, body from far.journal where store = %s and key = any(%s) order by id"
        return {key: shown(key, number, body) for key, number, body in self.ask(query, list(keys))}

    def accounts(self, ids: Iterable[int]) -> dict[int, AccountRow]:
        self._countdown.tick()
        return {one: AccountRow(one, str(one), "an account", "Bank", None, False) for one in ids}

    def periods(self, start: date, end: date) -> list[PeriodRow]:
        self._countdown.tick()
        return [PeriodRow(1, "a long period", start - timedelta(days=400), end, False, False)]


def shown(key: str, number: int, body: str) -> JournalRow:
    """An entry as NetSuite shows it."""
    told = json.loads(body, parse_float=Decimal)
    lines = tuple(
        JournalLine(
            number, place, place, int(row["account"]["id"]),
            Decimal(row.get("debit", 0)) - Decimal(row.get("credit", 0)), memo=row["memo"],
        )
        for place, row in enumerate(told["line"]["items"])
    )  # fmt: skip
    day = date.fromisoformat(told["tranDate"])
    return JournalRow(number, key, f"JE{number}", "B", True, day, None, 1, None, told["memo"], lines=lines)


class Folder(DropFolder):
    """A drop folder whose moves are steps, too."""

    countdown: Countdown

    def done(self, path: Path) -> Path:
        self.countdown.tick()
        moved = super().done(path)
        self.countdown.tick()
        return moved


def connections(state: State, far: FarJournals, root: Path, countdown: Countdown) -> Any:
    """As much of the real ones as the flow's steps ask for."""

    def folder(name: str) -> Folder:
        made = Folder(root / name, f"drop/{name}")
        made.countdown = countdown
        return made

    return SimpleNamespace(
        state=state,
        mapping=MAPPING,
        payout_policy=MAPPING.payouts.policy(),
        settlement_reader=SettlementReader(profile_of(MAPPING.payouts)),
        scratch={ACCOUNT: FACTS},
        settings=SimpleNamespace(require=lambda _: SimpleNamespace(concurrency=1)),
        netsuite=lambda _: SimpleNamespace(journals=far),
        payout_sources=list,
        payout_files=partial(folder, "payouts"),
        bank_files=partial(folder, "bank"),
    )


def run(made: Any) -> None:
    """One run of `payout_posting`, step by step."""
    take(made, None, quiet)
    take_statements(made)
    planned = make_plan(made, mode=Mode.APPLY, days=None, progress=quiet)
    apply.apply_plan(made, planned.plan, quiet)
    reconcile(made, None)


def quiet(_: str) -> None:
    """Nobody watches."""


def dropped(root: Path) -> None:
    """What the provider and the bank left in the folders."""
    for name, text in (("payouts", "\n".join((HEADER, *ROWS)) + "\n"), ("bank", STATEMENT)):
        (root / name).mkdir(parents=True)
        (root / name / "file.csv").write_text(text.format(day=TODAY))


def facts(state: State, far: FarJournals, root: Path) -> dict[str, Any]:
    """What the test judges after the recovery."""
    query = "select key, count(*), min(id) from far.journal where store = %s group by key order by key"
    there = far.ask(query)
    journals = {one.natural_key: one for one in state.payouts.journals()}
    return {
        "open": len(state.outbox.find()),
        "entries": {key: count for key, count, _ in there},
        "known": all(journals[key].netsuite_id == str(number) for key, _, number in there),
        "equal": all(one.differences == [] and one.approved for one in journals.values()),
        "statuses": sorted(one.status for one in state.payouts.having()),
        "files": sorted(str(path.relative_to(root)) for path in root.rglob("*.csv")),
        "head": state.head_hash(),
    }


def a_state(engine: sa.Engine, store: str, run_id: str) -> State:
    return State(engine, store, run_id=run_id, data_key=b"k" * 32)


def attempt(engine: sa.Engine, url: str, root: Path, store: str, at: int | None) -> None:
    countdown = Countdown(at)
    countdown.watch(engine)
    far = FarJournals(url, store, countdown)
    run(connections(a_state(engine, store, f"first-{at}"), far, root / store, countdown))


def recover(engine: sa.Engine, url: str, root: Path, store: str, at: int) -> None:
    state, countdown = a_state(engine, store, f"second-{at}"), Countdown(None)
    begun = time.monotonic()
    with closing(FarJournals(url, store, countdown)) as far:
        while True:
            run(connections(state, far, root / store, countdown))
            # The loss of a dispute follows once its payout is posted: a schedule would simply come again.
            done = facts(state, far, root / store)
            over = len(done["entries"]) == len(KEYS) and done["equal"]
            if over or time.monotonic() - begun > PATIENCE_SECONDS:
                break
    print(json.dumps({"at": at, **done}), flush=True)


def main() -> None:
    url, step, root = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    apply.SETTLE_SECONDS, drop._SETTLED_SECONDS = 0.0, 0.0  # type: ignore[misc]
    setup = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql"))
    with setup, setup.cursor() as cursor:
        cursor.execute("create schema far")
        cursor.execute("create table far.journal (id bigserial, store text, key text, body text)")
    setup.close()
    # All that recovers is done here, where connections have met every table already.
    engine = create_engine(url, pool_size=2)
    dropped(root / "warm")
    nothing = Countdown(None)
    with closing(FarJournals(url, "warm", nothing)) as far:
        run(connections(a_state(engine, "warm", "warm"), far, root / "warm", nothing))
    gc.freeze()
    at = 1
    while True:
        store = f"crash-{at}"
        dropped(root / store)
        ended = forked(engine, partial(attempt, engine, url, root, store, at))
        if ended not in (0, -signal.SIGKILL):
            raise SystemExit(f"crash point {at}: the first process ended with {ended}")
        recover(engine, url, root, store, at)
        if ended == 0:
            break
        at += step
    print(json.dumps({"chain": str(State(engine, "").verify_audit())}))


if __name__ == "__main__":
    main()
