"""What it means for an order that NetSuite refused it: a code with an owner, and when to try again.

Put the reading of refusals here. Do not put the reading of NetSuite's words here (clients/netsuite/errors.py):
what arrives here is a class already. Everything that may be mended without us is tried again by itself.
"""

from datetime import datetime, timedelta

from bcns_pipeline.outcomes import Refused

# A class of refusal -> exception. What is not here is ORDER_REFUSED.
_CODES = {
    "PERIOD_CLOSED": "PERIOD_CLOSED",
    "SUBSIDIARY": "SUBSIDIARY_MISMATCH",
    "CURRENCY": "CURRENCY_UNMAPPED",
}
SOON = timedelta(minutes=1)
LATER = timedelta(minutes=15)
# Somebody else is at work on the record, or a customer that it names is on its way.
_PASSING = frozenset({"RECORD_LOCKED", "RECORD_CHANGED"})


def code_of(refused: Refused) -> str:
    """The exception for a refused sales order."""
    return _CODES.get(refused.code, "ORDER_REFUSED")


def retry_at(refused: Refused, now: datetime) -> datetime:
    """When it is worth another try: soon for what passes by itself, later for what a person has to mend."""
    return now + (SOON if refused.code in _PASSING else LATER)
