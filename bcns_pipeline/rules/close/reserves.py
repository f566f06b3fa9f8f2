"""The register of reserves: what a provider held and gave back, and when what it held is expected.

Put the columns and the expectation here. Do not put reads here (state/finance_sql.py). No line that
is read names the day of a release; the contract does, and the mapping file tells of it. Nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

COLUMNS = (
    "provider", "account", "payout_id", "arrival", "line_id", "category", "currency", "amount_minor", "held_minor",
    "fee_minor", "order", "day", "age", "expected_release", "expected_by", "journal",
)  # fmt: skip
NOT_KNOWN = "not known"
BY_CONTRACT = "reserve_days of the mapping file"


def shown(
    rows: Sequence[Mapping[str, Any]], days: Mapping[tuple[str, str], int]
) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows of the report, and what is not known in a sentence.

    `days`: by provider and account, after how many a reserve comes back. A release is expected by nobody any more. A
    minimum balance is no reserve of the contract's: its line says that it is held and not until when. `held_minor`:
    what the provider holds after the line, which is what the account of reserves has once the entry is approved.
    """
    found = []
    unknown = 0
    for row in rows:
        held = (row["amount_minor"] or 0) < 0
        after = days.get((row["provider"], row["account"])) if row["class"] == "reserve" else None
        known = held and after is not None and row["day"] is not None
        unknown += held and not known
        expected = row["day"] + timedelta(days=after) if known and after is not None else None
        said = (BY_CONTRACT if known else NOT_KNOWN) if held else ""
        more = {"expected_release": expected, "expected_by": said}
        found.append({name: more[name] if name in more else row[name] for name in COLUMNS})
    if not unknown:
        return found, []
    return found, [
        f"expected release: not known of {unknown} of the amounts held; no line names it, and the mapping file says it "
        "by payouts.providers.<name>.reserve_days"
    ]
