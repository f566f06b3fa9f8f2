"""`bcns duplicates` and `bcns merge`: who is probably one person twice, and which customer took another one's place.

Put here the showing of both and the saying of merges, which are obeyed from then on. Do not merge anything in NetSuite
here, nor decide who is a duplicate: plans of the customer flow did, and their table `duplicates` shows it in Dagster.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bcns_pipeline.cli.connect import remembered
from bcns_pipeline.cli.console import say, show_table, stamp
from bcns_pipeline.cli.questions import retry_exceptions
from bcns_pipeline.cli.status import zone_of
from bcns_pipeline.rules.faults import BadInput
from bcns_pipeline.settings import load_settings

# What a merge may answer, whichever flow asked.
ANSWERED = ("CUSTOMER_AMBIGUOUS", "CUSTOMER_INACTIVE", "SUBSIDIARY_MISMATCH")


def merge_customers(gone: int, stays: int, reason: str) -> None:
    """Customer `gone` is `stays` now; what waited for it is tried again. Raises BadInput."""
    settings = load_settings()
    faults = [f"{one} is no internal id of a customer." for one in (gone, stays) if one < 1]
    if gone == stays:
        faults.append(f"Customer {gone} is itself; name the one that is gone, then the one that stays.")
    if not reason.strip():
        faults.append("--reason is empty; say why, because it goes into the audit chain.")
    if faults:
        raise BadInput(faults)
    with remembered(settings) as state:
        fresh = state.merges.put(str(gone), str(stays), reason.strip(), actor=settings.actor)
        survivor = state.merges.resolve([str(gone)]).get(str(gone), str(stays))
        asked = [one.id for code in ANSWERED for one in state.exceptions.find(code=code)]
    if not fresh:
        say(f"Customer {gone} is {survivor} already; nothing was changed.")
        return
    say(f"customer {gone} is {survivor} from now on, said {settings.actor}: {reason.strip()}")
    say("  Nothing was changed in NetSuite; merge the records there too, so that only one is left.")
    if asked:
        retry_exceptions(asked)


def show_merges() -> None:
    """Every merge that a person told us of, oldest first."""
    settings = load_settings()
    with remembered(settings) as state:
        zone = zone_of(settings)
        found = state.merges.all()
    if not found:
        say("No customer was merged.")
        return
    rows = [(one.from_id, one.into_id, stamp(one.at, zone), one.actor, one.reason) for one in found]
    show_table(["customer", "is", "since", "said", "why"], rows)


def show_duplicates(days: int) -> int:
    """Customers that runs of the last `days` days found twice, without those merged since; 1 where there are any.

    From what runs noted, without a call: a group that was merged in NetSuite alone stands here until one of its
    shoppers is looked at again, or `bcns merge` says so.
    """
    if days < 1:
        raise BadInput([f"--days {days} is not possible; write at least 1."])
    settings = load_settings()
    since = datetime.now(UTC) - timedelta(days=days)
    with remembered(settings) as state:
        zone = zone_of(settings)
        noted = [
            (str(why), [str(one) for one in ids], plan.created_at)
            for plan in state.plans.since("customers", since)
            for why, *ids in plan.summary.get("duplicate_groups", ())
        ]
        standing = state.merges.resolve({one for _, ids, _ in noted for one in ids})
    groups = {}
    for why, ids, at in noted:
        left = list(dict.fromkeys(standing.get(one, one) for one in ids))
        if len(left) > 1:
            groups[frozenset(left)] = (left[0], ", ".join(left[1:]), why, stamp(at, zone))
    if not groups:
        say(f"No run of the last {days} days found a customer twice who is not merged.")
        return 0
    show_table(
        ["keep", "others", "they share", "last seen"], sorted(groups.values(), key=lambda row: int(row[0]))
    )
    say("`bcns merge GONE STAYS --reason …` says that two are one; every later sync obeys it.")
    return 1
