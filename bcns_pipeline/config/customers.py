"""The mapping file's `customers`: what shoppers become in NetSuite, and who owns which of their fields.

Put keys of the customer flow here, with their defaults and what contradicts them. How guests are treated
differs by storefront and is in `channels.py`. Do not put rules here (rules/customers). Ids are NetSuite's
internal ids.
"""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from bcns_pipeline.config.base import Calls, FieldName, Flag, Id, Name, Section, Text, Whole
from bcns_pipeline.config.text import Several
from bcns_pipeline.rules.customers.policy import (
    FIELDS,
    Ambiguous,
    Authority,
    CompanyMode,
    CustomerPolicy,
    CustomField,
    EntityId,
)
from bcns_pipeline.rules.customers.reading import FACTS
from bcns_pipeline.rules.orders.paths import As, parse_path

# What the rules write themselves; mapped a second time, the two would overwrite each other.
_WRITTEN: Final = frozenset(
    {"isPerson", "firstName", "lastName", "companyName", "email", "phone", "entityId", "addressBook"}
    | {"currencyList", "category", "priceLevel", "terms", "isInactive"}
)


def _fact(text: str) -> str:
    path = parse_path(text)
    if path.parts and path.parts[0] not in FACTS:
        raise ValueError(f"a shopper has no {path.parts[0]!r}; it has {', '.join(sorted(FACTS))}")
    return text


FactPath = Annotated[Text, AfterValidator(_fact)]


class CustomerFieldMapping(Section):
    """A NetSuite field of the customer in the long form."""

    path: FactPath
    as_: As = Field("text", alias="as", description="text, number, flag, or reference (an internal id).")
    values: dict[Name, Id] | None = Field(
        None, description="Internal ids of a list's values, by BigCommerce's; others are not sent."
    )


class CustomerPollMapping(Section):
    """How changed shoppers are looked for, beside webhooks, which do not tell of every address."""

    seconds: Annotated[Whole, Field(ge=30, le=86_400)] = 90
    overlap_minutes: Annotated[Whole, Field(ge=1, le=1440)] = 5


class CustomersMapping(Section):
    """Shoppers, from BigCommerce to NetSuite."""

    sync: Flag = Field(True, description="Also those who did not order: created or changed accounts.")
    company: CompanyMode = Field(
        "when_named", description="A company record for whoever names one; else a person, always."
    )
    ambiguous: Ambiguous = Field(
        "exception", description="Several customers of one e-mail address: ask, or take the oldest."
    )
    category: Id | None = Field(None, description="Set when a customer is made, and NetSuite's from then on.")
    price_level: Id | None = Field(None, description="As category.")
    terms: Id | None = Field(None, description="As category.")
    entity_id: EntityId = Field(
        "auto", description="named: we give a unique name, where NetSuite does not number customers."
    )
    fields: dict[FieldName, FactPath | CustomerFieldMapping] = Field(
        default_factory=dict, description="NetSuite field of the customer: what of the shopper it holds."
    )
    authority: dict[FieldName, Authority] = Field(
        default_factory=dict, description="Who owns name, company, email, phone, addresses or a mapped field."
    )
    addresses: Flag = Field(True, description="Keep the address book; orders carry their own either way.")
    poll: CustomerPollMapping = CustomerPollMapping()
    batch: Annotated[Whole, Field(ge=1, le=500)] = Field(
        500, description="Shoppers that one run takes at most."
    )
    call_budget: Calls = Field(
        5000, description="API calls that one run should not exceed; more is reported, never refused."
    )

    @field_validator("fields")
    @classmethod
    def _free(cls, fields: dict[str, object]) -> dict[str, object]:
        taken = sorted(fields.keys() & _WRITTEN)
        if taken:
            raise Several(
                [f"{name} is not free to map; the pipeline itself says what it is" for name in taken]
            )
        return fields

    @field_validator("authority")
    @classmethod
    def _known(cls, authority: dict[str, Authority], info: ValidationInfo) -> dict[str, Authority]:
        fields = info.data.get("fields")
        unknown = [name for name in authority if name not in FIELDS and name not in (fields or ())]
        if unknown and fields is not None:
            known = ", ".join(FIELDS)
            raise Several([f"{name} has no authority; {known} and mapped fields have" for name in unknown])
        return authority

    def policy(self) -> CustomerPolicy:
        """What the rules need."""
        return CustomerPolicy(
            company=self.company,
            ambiguous=self.ambiguous,
            authority=self.authority,
            category=self.category,
            price_level=self.price_level,
            terms=self.terms,
            entity_id=self.entity_id,
            fields=tuple(_field(name, given) for name, given in self.fields.items()),
            addresses=self.addresses,
        )


def _field(name: str, given: str | CustomerFieldMapping) -> CustomField:
    if isinstance(given, str):
        return CustomField(name, parse_path(given))
    return CustomField(name, parse_path(given.path, given.as_), given.values)
