"""Status: one page of what ran, what is stuck, what waits and for whom.

Put here what a person on call reads first. Do not put SQL here (`queries*.py`), nor the exceptions one by one
(`questions.py`), nor a person's decision (`decisions.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bcns_pipeline.cli.certificates import certificate_end
from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import age, say, show_table, stamp
from bcns_pipeline.cli.money import summed
from bcns_pipeline.cli.queries import calls_of_run, last_plans, waiting
from bcns_pipeline.cli.queries_orders import backlogs
from bcns_pipeline.config import load_or_default
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.order_models import Count
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

# The platform's own sensor takes leftovers up after this long; what is older is stuck.
STUCK_MINUTES = 5
# One row per code on the status page: a thousand stuck SKUs of one cause are one thing to mend.
SUBJECTS_SHOWN = 3
# An order is planned seconds after its event; an inbox row this old means that nothing drains it.
BACKLOG_MINUTES = 15
CERTIFICATE_DAYS = 30


def show_status() -> int:
    """One page. Ends with 0 where nothing waits for a person and nothing is stuck, else with 1."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        questions = state.exceptions.find()
        say(f"Store {state.store}, audit chain at {state.head_hash()[:24]}…")
        say()
        _last_runs(state, zone)
        _orders(state)
        _inbox(state)
        _waiting(state)
        _questions(questions)
        troubles = list(_troubles(state, questions, settings))
    for one in troubles:
        say(one)
    if not troubles:
        say("Nothing is stuck.")
    return 1 if troubles else 0


def _troubles(state: State, questions: list[ExceptionRow], settings: Settings) -> Iterator[str]:
    """One sentence for each kind of thing that does not go on by itself."""
    stuck = state.outbox.open_older_than(STUCK_MINUTES)
    if stuck:
        yield (
            f"{len(stuck):,} operations wait for more than {STUCK_MINUTES} minutes: `bcns run FLOW` takes "
            "them up."
        )
    held = state.outbox.find(states=("held",))
    if held:
        yield f"{len(held):,} operations are held until somebody decides: `bcns operations --state held`."
    old = datetime.now(UTC) - timedelta(minutes=BACKLOG_MINUTES)
    for one in backlogs(state):
        if one.oldest is not None and one.oldest < old:
            yield (
                f"{one.open:,} events about {one.resource}s wait, the oldest for {age(one.oldest)}: is the "
                "sensor running?"
            )
    undecided, since = state.orders.backlog(datetime.now(UTC))
    if since is not None and since < old:
        yield (
            f"{undecided:,} orders were read and are not decided, or are due again, the oldest for {age(since)}: "
            "does order_sync run, and what does its last run say?"
        )
    waiting_orders = sum(one.orders for one in state.orders.counts() if one.disposition == "waiting")
    if waiting_orders:
        # Also where a person has closed the question and the next run has not asked it again yet.
        yield f"{waiting_orders:,} orders wait for something that has to be mended: `bcns orders` says for what."
    errors = [one for one in questions if one.severity == "error"]
    if errors:
        yield (
            f"{len(errors):,} open questions of severity error: `bcns exceptions` shows cause and fix of "
            "each."
        )
    end = certificate_end(settings.netsuite_private_key_path)
    if end is not None and end - datetime.now(UTC) < timedelta(days=CERTIFICATE_DAYS):
        yield f"NetSuite's certificate expires on {end:%Y-%m-%d}: `bcns keygen` makes the next one."


def _orders(state: State) -> None:
    """Orders by where they stand, with the money that they are about; what is waiting or held by its code."""
    groups: dict[tuple[str, str], list[Count]] = {}
    for one in state.orders.counts():
        code = one.code if one.disposition in ("waiting", "held") else None
        groups.setdefault((one.disposition, code or ""), []).append(one)
    rows = [
        (
            disposition,
            code,
            sum(one.orders for one in some),
            ", ".join(map(str, summed(one.total for one in some))),
        )
        for (disposition, code), some in sorted(groups.items())
    ]
    if rows:
        show_table(["orders", "code", "how many", "charged"], rows)


def _inbox(state: State) -> None:
    rows = [
        (
            one.resource,
            one.open,
            age(one.oldest),
            age(one.newest_event),
            age(one.newest_webhook) if one.newest_webhook else None,
        )
        for one in backlogs(state)
    ]
    if rows:
        show_table(["inbox", "open", "oldest", "last event", "last by webhook"], rows)


def _last_runs(state: State, zone: str | None) -> None:
    plans = last_plans(state)
    rows = [
        (p.flow, *_outcome(p), p.lines, stamp(p.created_at, zone), age(p.created_at), _calls(state, p))
        for p in plans
    ]
    if rows:
        show_table(["flow", "last", "what became of it", "lines", "when", "ago", "API calls"], rows)
    else:
        say("No flow has run yet.")
        say()


def _outcome(plan: Plan) -> tuple[str, str]:
    if plan.mode == "plan":
        return "plan", "looked at, nothing sent"
    if not plan.lines:
        return "run", "nothing to send"
    if plan.applied_at is not None:
        return "run", "applied"
    young = datetime.now(UTC) - plan.created_at < timedelta(minutes=STUCK_MINUTES)
    return "run", "not applied yet" if young else "not applied: pushing was paused, or it failed"


def _calls(state: State, plan: Plan) -> str:
    calls = calls_of_run(state, plan.run_id) if plan.run_id else {}
    return ", ".join(f"{system} {count:,}" for system, count in sorted(calls.items()))


def _waiting(state: State) -> None:
    rows = [(one.flow, one.state, one.count, age(one.oldest)) for one in waiting(state)]
    if rows:
        show_table(["flow", "operations", "how many", "oldest"], rows)


def _questions(questions: list[ExceptionRow]) -> None:
    groups: dict[tuple[str, str, str, str], list[ExceptionRow]] = {}
    for one in questions:
        groups.setdefault((one.severity, one.code, one.owner, one.flow), []).append(one)
    rows = []
    for (severity, code, owner, flow), asked in sorted(groups.items()):
        subjects = ", ".join(one.subject for one in asked[:SUBJECTS_SHOWN])
        more = len(asked) - SUBJECTS_SHOWN
        oldest = min(one.opened_at for one in asked)
        rows.append(
            (
                severity,
                code,
                owner,
                flow,
                len(asked),
                age(oldest),
                subjects + (f" and {more:,} more" if more > 0 else ""),
            )
        )
    if rows:
        show_table(["severity", "open question", "owner", "flow", "how many", "oldest", "about"], rows)


def zone_of(settings: Settings) -> str | None:
    """The merchant's time zone where the mapping file names it; a faulty file must not hide what is stuck."""
    return load_or_default(settings.config)[0].store.timezone
