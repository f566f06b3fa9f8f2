"""What waits for whom: status on one page, the exceptions, and a person's decision about one of them.

Put here what a person on call reads and decides. Do not put SQL here (`queries.py`), nor what an approval
lets through: the flow that asked the question reads the answer in its next run.
"""

from __future__ import annotations

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import age, say, show_table, stamp
from bcns_pipeline.cli.queries import calls_of_run, exception_by_id, last_plans, waiting
from bcns_pipeline.config import load_or_default
from bcns_pipeline.rules.exceptions import CATALOGUE
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import Settings, load_settings
from bcns_pipeline.state.exceptions import ExceptionRow
from bcns_pipeline.state.plans import Plan
from bcns_pipeline.state.store import State

# The platform's own sensor takes leftovers up after this long; what is older is stuck.
STUCK_MINUTES = 5
# One row per code on the status page: a thousand stuck SKUs of one cause are one thing to mend.
SUBJECTS_SHOWN = 3
ROWS_SHOWN = 200


def show_status() -> int:
    """One page. Ends with 0 where nothing waits for a person and nothing is stuck, else with 1."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        stuck = state.outbox.open_older_than(STUCK_MINUTES)
        questions = state.exceptions.find()
        say(f"Store {state.store}, audit chain at {state.head_hash()[:24]}…")
        say()
        _last_runs(state, zone)
        _waiting(state)
        _questions(questions)
    errors = [one for one in questions if one.severity == "error"]
    if stuck:
        say(
            f"{len(stuck):,} operations wait for more than {STUCK_MINUTES} minutes: `bcns run FLOW` takes "
            "them up."
        )
    if errors:
        say(
            f"{len(errors):,} open questions of severity error: `bcns exceptions` shows cause and fix of "
            "each."
        )
    if not stuck and not errors:
        say("Nothing is stuck.")
    return 1 if stuck or errors else 0


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
    return (
        "run",
        "applied" if plan.applied_at is not None else "not applied: pushing was paused, or it failed",
    )


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


def show_exceptions(code: str | None, *, open_only: bool) -> None:
    """The exceptions with owner, then cause and fix of each code once."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        found = state.exceptions.find(code=code.upper() if code else None, open_only=open_only)
    if not found:
        say(f"No {'open ' if open_only else ''}exception{f' of code {code.upper()}' if code else ''}.")
        return
    columns = ["no.", "severity", "code", "owner", "about", "since", "met", "what"]
    rows = [
        [
            one.id,
            one.severity,
            one.code,
            one.owner,
            one.subject,
            stamp(one.opened_at, zone),
            one.count,
            one.message,
        ]
        for one in found
    ]
    if not open_only:
        columns.append("ended")
        for row, one in zip(rows, found, strict=True):
            row.append(_ending(one, zone))
    show_table(columns, rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        say(f"… and {len(rows) - ROWS_SHOWN:,} more; name a code with --code.")
    for name in sorted({one.code for one in found}):
        entry = CATALOGUE.get(name)
        if entry is not None:
            say(f"{name}: {entry.cause}")
            say(f"  fix: {entry.fix}")


def _ending(one: ExceptionRow, zone: str | None) -> str:
    if one.resolved_at is None:
        return "open"
    return f"{one.resolution} by {one.resolved_by} {stamp(one.resolved_at, zone)}: {one.resolution_reason}"


def approve_exception(number: int, reason: str, *, dismiss: bool) -> None:
    """Write a person's decision down: who, why, when. Raises BadInput for an unknown or closed number."""
    settings = load_settings()
    if not reason.strip():
        raise BadInput(["--reason is empty; say why, because it goes into the audit chain."])
    with remembered(settings) as state:
        zone = zone_of(settings)
        row = state.exceptions.resolve(
            number, "dismissed" if dismiss else "approved", reason.strip(), actor=settings.actor
        )
        if row is None:
            raise BadInput([_why_not(state, number, zone)])
    word = "dismissed" if dismiss else "approved"
    say(f"{word} by {settings.actor} at {stamp(row.resolved_at, zone)}: {row.code} {row.subject}")
    say(f"  {row.message}")
    entry = CATALOGUE.get(row.code)
    again = dismiss or (entry is not None and entry.heals)
    say("  It is asked again where the next run still finds it." if again else "  The next run goes by it.")


def _why_not(state: State, number: int, zone: str | None) -> str:
    known = exception_by_id(state, number)
    if known is None:
        return f"There is no exception {number}; `bcns exceptions` lists the open ones."
    return (
        f"Exception {number} ({known.code} {known.subject}) is closed already: {known.resolution} by "
        f"{known.resolved_by} "
        f"at {stamp(known.resolved_at, zone)}."
    )


def zone_of(settings: Settings) -> str | None:
    """The merchant's time zone where the mapping file names it; a faulty file must not hide what is stuck."""
    return load_or_default(settings.config)[0].store.timezone
