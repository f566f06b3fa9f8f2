"""The evidence of a month: counts, sums, hashes, checks, open questions and decisions, as one canonical document.

Put here what the pack holds. Do not put file formats of reports here. Made again of the same state it is the same
bytes: it holds no time of its making.
"""

import hashlib
from dataclasses import dataclass
from decimal import Decimal

from bcns_pipeline.defs.close import reports
from bcns_pipeline.defs.close.outside import outside
from bcns_pipeline.rules.close.reports import SPECS, About, remainder
from bcns_pipeline.rules.close.table import text
from bcns_pipeline.state import finance
from bcns_pipeline.state.scope import canonical
from bcns_pipeline.state.store import State


@dataclass(frozen=True, slots=True)
class Pack:
    """The document, its hash, and the checklist: {what must be true: (whether it is, numbers in words)}."""

    content: bytes
    checks: dict[str, tuple[bool, str]]
    orders: int

    @property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def green(self) -> bool:
        """Whether the month may be closed."""
        return all(holds for holds, _ in self.checks.values())


def pack(state: State, about: About) -> Pack:
    """The pack of these days."""
    made = {name: reports.make(state, name, about) for name in SPECS}
    left = {name: remainder(spec, made[name]) for name, spec in SPECS.items() if spec.ties}
    said = outside(state, reports.last_of(about))
    forward, _ = reports.roll_forwards(state, about, said)
    asked = made["exceptions"].rows
    severity, answered = (made["exceptions"].columns.index(name) for name in ("severity", "answered"))
    # What was open at the end of the period and is answered since keeps nobody from closing it.
    open_ = [row for row in asked if row[answered] is None]
    errors = sum(row[severity] == "error" for row in open_)
    awaiting = sum(one.awaits for one in forward)
    checks = {
        "no exception of the period is open": (
            not open_,
            f"{len(open_)} open, {errors} of them errors; {len(asked) - len(open_)} answered since its end",
        ),
        "every cent has a reason, UNKNOWN is 0.00": (not left["tie-out"], _said(left["tie-out"])),
        "NetSuite was asked what the clearing accounts hold": (
            said.ledger is not None or not forward,
            f"{len(forward)} accounts",
        ),
        "no journal awaits approval": (not awaiting, f"{awaiting} accounts with entries that wait"),
        **{f"{SPECS[name].title} ties": (not one, _said(one)) for name, one in left.items() if name != "tie-out"},
    }  # fmt: skip
    _, decisions = finance.rows(state, "decisions", about.since, about.until)
    content = {
        "period": {"since": str(about.since), "until": str(about.until)},
        "store": state.store,
        "code_version": about.code_version,
        "config_digest": about.config_digest,
        "bank": "evidenced" if about.bank_evidenced else "not evidenced",
        "outside": list(said.notes),
        "checks": {name: {"passed": holds, "numbers": said} for name, (holds, said) in checks.items()},
        "reports": {
            name: {
                "number": one.number,
                "title": one.title,
                "rows": len(one.rows),
                "controls": [[column, unit, f"{total:f}"] for column, unit, total in one.controls],
                "notes": list(one.notes),
                "sha256": one.sha256,
            }
            for name, one in made.items()
        },
        "exceptions": [dict(zip(made["exceptions"].columns, map(text, row), strict=True)) for row in asked],
        "decisions": [{name: text(value) for name, value in row.items()} for row in decisions],
        "journals_beancount_sha256": hashlib.sha256(reports.ledger(state, about).encode()).hexdigest(),
    }
    return Pack(canonical(content).encode(), checks, len(made["orders"].rows))


def _said(left: dict[str, Decimal]) -> str:
    return ", ".join(f"{amount:f} {currency}".strip() for currency, amount in sorted(left.items())) or "0.00"
