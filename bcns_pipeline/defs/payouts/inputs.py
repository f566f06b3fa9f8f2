"""What an entry was made from besides the documents: so that it can be made again from their bytes, to the byte.

Put here what is written down beside a journal, and how it comes back. The mapping's payouts section is kept as a
document of its own, under its digest: accounts of last year's entries are last year's.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bcns_pipeline.config.payouts import PayoutsMapping
from bcns_pipeline.defs.payouts.linking import Held
from bcns_pipeline.resources.connections import Connections
from bcns_pipeline.rules.payouts.books import Booked, Books, Posting, Split, Treatment
from bcns_pipeline.rules.payouts.plan import PayoutPlan
from bcns_pipeline.state.documents import NewDocument
from bcns_pipeline.state.store import State

MAPPING = "payouts_mapping"


def keep_mapping(connections: Connections) -> str:
    """The digest of the payouts section with all its defaults, which is kept under it from now on."""
    plain = connections.mapping.payouts.model_dump(mode="json", by_alias=True)
    body = json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
    mark = hashlib.sha256(body).hexdigest()
    connections.state.documents.store_changed([NewDocument("bcns", MAPPING, f"{MAPPING}:{mark}", body)])
    return mark


def mapping_at(state: State, mark: str) -> PayoutsMapping | None:
    """The payouts section as it was when something was posted by it; None where it was never kept."""
    found = state.documents.latest(MAPPING, [f"{MAPPING}:{mark}"])
    kept = found.get(f"{MAPPING}:{mark}")
    return None if kept is None else PayoutsMapping.model_validate_json(state.documents.load(kept.id))


def inputs_of(
    version: int, held: Held, made: PayoutPlan, posting: Posting, currencies: Mapping[str, int]
) -> dict[str, Any]:
    """Everything that the entries of a payout depend on and that no provider says.

    Lines are named by their ids. What is the same for all of them, treatment and account of the clearing mode, is
    written down once. `currencies` are NetSuite's ids.
    """
    booked = held.books.booked
    common = _commonest([one.account for one in booked.values()])
    failed_on = made.payout.failed_on
    return {
        "version": version,
        "listed": held.listed,
        "failed_on": None if failed_on is None else failed_on.isoformat(),
        "currencies": {one.currency: currencies.get(one.currency) for one in made.entries},
        "day": posting.day.isoformat(),
        "exchange_rate": posting.exchange_rate,
        "treatments": {
            line: one.value for line, one in sorted(made.treatments.items()) if one is not Treatment.CLEARING
        },
        "account": common,
        "booked": {
            line: [one.account, one.carrying]
            for line, one in sorted(booked.items())
            if one.account != common or one.carrying is not None
        },
        "unbooked": sorted(line for line in made.treatments if line not in booked),
        "splits": {
            line: [one.revenue, one.shipping, one.tax, one.stored_value]
            for line, one in sorted(held.books.splits.items())
        },
    }


def books_of(inputs: Mapping[str, Any], lines: Sequence[str]) -> tuple[Books, dict[str, Treatment], Posting]:
    """What `inputs_of` wrote, for the payout's `lines` (ids)."""
    unbooked, told = set(inputs["unbooked"]), inputs["booked"]
    booked = {}
    for line in lines:
        if line in told:
            account, carrying = told[line]
            booked[line] = Booked(line, account, carrying)
        elif line not in unbooked and inputs["account"] is not None:
            booked[line] = Booked(line, inputs["account"])
    splits = {line: Split(*values) for line, values in inputs["splits"].items()}
    treatments = {line: Treatment(one) for line, one in inputs["treatments"].items()}
    rate = inputs["exchange_rate"]
    posting = Posting(date.fromisoformat(inputs["day"]), None if rate is None else Decimal(str(rate)))
    return Books(booked=booked, splits=splits), treatments, posting


def _commonest(accounts: Sequence[int]) -> int | None:
    return min(Counter(accounts).items(), key=lambda one: (-one[1], one[0]))[0] if accounts else None
