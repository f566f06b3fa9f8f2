"""The mapping file's `intake`: the store's webhooks, and how it is made sure that nothing was missed.

Put here what our hooks deliver and where to. How their calls are proven is a matter of secrets and is in the
environment (`settings.py`: BCNS_WEBHOOK_...). How often a flow polls is in the flow's own section.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, field_validator

from bcns_pipeline.config.base import CronLine, Section, Text, Whole
from bcns_pipeline.rules.hooks import receiver_address

# All that the flows act on. Payloads are never trusted, so several scopes of one record cost one more read at most.
# Stock is not among them: each line that we push would call us back, and what was sold is told by its order.
SCOPES: Final = (
    "store/order/created",
    "store/order/updated",
    "store/order/archived",
    "store/order/statusUpdated",
    "store/order/refund/created",
    "store/order/transaction/created",
    "store/order/transaction/updated",
    "store/shipment/created",
    "store/shipment/updated",
    "store/shipment/deleted",
    "store/customer/created",
    "store/customer/updated",
    "store/customer/address/created",
    "store/customer/address/updated",
    "store/customer/address/deleted",
)
# Beside them where the mapping file asks for a metafield of an order, for setting one does not change the order.
METAFIELD_SCOPES: Final = tuple(f"store/order/metafield/{what}" for what in ("created", "updated", "deleted"))
_SCOPE: Final = re.compile(r"store(/[A-Za-z0-9_]+)+(/\*)?")


def _scope(text: str) -> str:
    if not _SCOPE.fullmatch(text):
        raise ValueError(f"{text!r} is no scope of a webhook; write one such as store/order/created")
    return text


class HooksMapping(Section):
    """The webhooks that the pipeline makes and mends."""

    destination: Annotated[Text, AfterValidator(receiver_address)] | None = Field(
        None,
        description="Public address of the receiver (or BCNS_WEBHOOK_URL); without either, polling is all.",
    )
    scopes: tuple[Annotated[Text, AfterValidator(_scope)], ...] = Field(
        SCOPES,
        description="What is delivered; store/order/* stands for all below it. Events of metafields are added "
        "where orders.fields asks for one.",
    )
    check_schedule: CronLine = Field(
        "7-59/15 * * * *", description="When the hooks are looked at and mended."
    )

    @field_validator("scopes")
    @classmethod
    def _each_once(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({one for one in scopes if scopes.count(one) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands there twice; the store takes a scope once")
        return scopes


class IntakeMapping(Section):
    """Events into the inbox."""

    hooks: HooksMapping = HooksMapping()
    missing_schedule: CronLine = Field(
        "29 * * * *", description="When the store's order ids are compared with ours."
    )
    missing_after_minutes: Annotated[Whole, Field(ge=5, le=10_080)] = Field(
        60, description="An order this old without a row is reported as missing."
    )
    missing_days: Annotated[Whole, Field(ge=1, le=90)] = Field(
        7, description="How many days back each comparison goes."
    )
