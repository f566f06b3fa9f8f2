"""`bcns merge`: which NetSuite customer took another one's place, said by a person and obeyed from then on.

Put here the saying and the showing of merges. Do not merge anything in NetSuite here, nor decide who is a duplicate:
the check `no_duplicates` and the plan's table `duplicates` name those who probably are.
"""

from __future__ import annotations

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
