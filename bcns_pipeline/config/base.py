"""What every section of the mapping file is made of: the kinds of values, and how strictly they are read.

Put types of values here that more than one section has. Do not put keys of the file here. YAML says exactly
what is a number and what is text; "5" for 5 or true for 1 would be somebody's slip.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, WithJsonSchema

from bcns_pipeline.rules.inventory.quantities import MAX_STOCK
from bcns_pipeline.rules.money import exponent
from bcns_pipeline.rules.orders.paths import parse_path
from bcns_pipeline.rules.schedule import parse_cron

# A mapping that could write these could make a record of another customer, currency or total.
_OURS: Final = frozenset(
    {"externalId", "id", "item", "entity", "subsidiary", "currency", "exchangeRate", "taxDetails", "line"}
    | {"quantity", "price", "rate", "amount", "taxDetailsOverride", "taxDetailsReference", "shippingCost"}
)


def _cron(text: str) -> str:
    parse_cron(text)
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write one such as America/New_York or UTC") from None
    return name


def _written(number: Any) -> Any:
    """The number as it stands in the file: YAML makes a float of 8.875, whose shortest text is 8.875."""
    if isinstance(number, bool):
        raise ValueError("true and false are no numbers")  # noqa: TRY004 - pydantic wants a ValueError
    return repr(number) if isinstance(number, float) else number


def _currency(code: str) -> str:
    exponent(code)
    return code


def _country(code: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", code):
        raise ValueError(f"{code!r} is no country; write its two capital letters, such as DE")
    return code


def _field(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,59}", name):
        raise ValueError(f"{name!r} is no name of a NetSuite field; write one such as custbody_bc_order_id")
    if name in _OURS:
        raise ValueError(f"{name} is not free to map; the pipeline itself says what it is")
    return name


def off(value: Any) -> Any:
    """`off` is false in YAML 1.1."""
    return "off" if value is False else value


def may_be_off(*others: str) -> tuple[BeforeValidator, WithJsonSchema]:
    """For keys that can be `off`, which YAML 1.1 reads as false: nobody should have to quote it."""
    return BeforeValidator(off), WithJsonSchema({"enum": ["off", False, *others]})


def _path(text: str) -> str:
    parse_path(text)
    return text


def _line_path(text: str) -> str:
    parse_path(text, computed=True)
    return text


Whole = Annotated[int, Strict()]
Text = Annotated[str, Strict()]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
Flag = Annotated[bool, Strict()]
Calls = Annotated[Whole, Field(ge=1)]
Count = Annotated[Whole, Field(ge=0, le=MAX_STOCK)]
Id = Annotated[Whole, Field(ge=1, le=2**53)]
Percent = Annotated[float, Strict(), Field(gt=0, le=100)]
Exact = Annotated[Decimal, BeforeValidator(_written), Field(ge=0, allow_inf_nan=False)]
CronLine = Annotated[Text, AfterValidator(_cron)]
TimeZone = Annotated[Text, AfterValidator(_zone)]
Currency = Annotated[Text, AfterValidator(_currency)]
Country = Annotated[Text, AfterValidator(_country)]
# A path into BigCommerce's order, as rules/orders/paths.py reads it; a line's may be "$net" and the like.
OrderPath = Annotated[Text, AfterValidator(_path)]
LinePath = Annotated[Text, AfterValidator(_line_path)]
FieldName = Annotated[Text, AfterValidator(_field)]


class Section(BaseModel):
    """A group of keys. An unknown key is a fault, because a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
