"""The tables that this NetSuite has: names, columns and kinds, as seen in real accounts.

Put a column here only where the fact sheet (facts/netsuite.md 2.4) or Oracle's records catalogue has it: the
latter tells who made and approved a transaction, and what of it is paid. Do not put data here. What is
missing here is refused, because the real system refuses it; a generous double would let a wrong query
through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a value is, which decides how it is compared and printed."""

    INT = "int"
    NUM = "num"
    TEXT = "text"
    FLAG = "flag"
    DATE = "date"
    TIME = "time"

    @property
    def is_number(self) -> bool:
        """Integers and decimals compare as numbers."""
        return self in (Kind.INT, Kind.NUM)

    @property
    def is_date(self) -> bool:
        """Dates with and without a time of day."""
        return self in (Kind.DATE, Kind.TIME)


DUCKDB_TYPES: Mapping[Kind, str] = {
    Kind.INT: "BIGINT",
    Kind.NUM: "DECIMAL(18,5)",
    Kind.TEXT: "VARCHAR",
    Kind.FLAG: "VARCHAR",
    Kind.DATE: "TIMESTAMP",
    Kind.TIME: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Table:
    """One SuiteQL table. `relation` is what holds it in DuckDB; `wide` has the columns that cost a join."""

    name: str
    columns: Mapping[str, Kind]
    relation: str
    wide: str | None = None
    wide_columns: frozenset[str] = frozenset()


def _columns(**kinds: str) -> dict[str, Kind]:
    return {
        name: kind for kind, names in kinds.items() for name, kind in ((n, Kind(kind)) for n in names.split())
    }


ITEM_TOTALS = (
    "quantityonhand",
    "quantitycommitted",
    "quantityavailable",
    "quantityonorder",
    "quantitybackordered",
)

ITEM = _columns(
    int="id parent class department location incomeaccount assetaccount",
    text="itemid fullname displayname description itemtype subtype matrixtype externalid upccode mpn "
    "subsidiary salesdescription custitem_brand",
    flag="isinactive",
    num="averagecost cost lastpurchaseprice reorderpoint " + " ".join(ITEM_TOTALS),
    time="lastmodifieddate",
)

LEVELS = _columns(
    int="item location leadtime",
    num="quantityavailable quantityonhand quantitycommitted quantityonorder quantitybackordered "
    "quantityintransit averagecostmli lastpurchasepricemli onhandvaluemli reorderpoint "
    "safetystocklevel preferredstocklevel",
    time="lastquantityavailablechange lastmodifieddate",
)

TYPED_LEVELS = {name: kind for name, kind in LEVELS.items() if name != "lastmodifieddate"}

ADDRESS = "addressee attention addr1 addr2 addr3 city state zip country addrphone"

BALANCE = _columns(
    int="item location binnumber inventorynumber inventorystatus",
    num="quantityonhand quantityavailable quantitypicked committedqtyperlocation "
    "committedqtyperseriallotnumber committedqtyperseriallotnumberlocation",
)

STORED: Mapping[str, Mapping[str, Kind]] = {
    "location": _columns(
        int="id parent mainaddress",
        text="name fullname subsidiary locationtype externalid",
        flag="isinactive makeinventoryavailable makeinventoryavailablestore usebins",
        time="lastmodifieddate",
    ),
    "subsidiary": _columns(
        int="id parent currency", text="name fullname country externalid", flag="iselimination isinactive"
    ),
    "currency": _columns(
        int="id currencyprecision", text="symbol name", num="exchangerate", flag="isbasecurrency isinactive"
    ),
    "department": _columns(int="id parent", text="name fullname externalid", flag="isinactive"),
    "classification": _columns(int="id parent", text="name fullname externalid", flag="isinactive"),
    "account": _columns(
        int="id currency subsidiary",
        text="acctnumber acctname accttype fullname accountsearchdisplayname externalid",
        flag="isinactive",
    ),
    "shipitem": _columns(int="id", text="itemid displayname description externalid", flag="isinactive"),
    "salestaxitem": _columns(int="id taxtype", text="name"),
    "customrecord_ste_taxrate": _columns(
        int="id custrecord_ste_taxrate_taxcode", num="custrecord_ste_taxrate_rate"
    ),
    "pricelevel": _columns(int="id", text="name", num="discountpct", flag="isinactive isonline"),
    "itemmember": _columns(int="parentitem item linenumber memberunit", text="itemsource", num="quantity"),
    "assemblyitemmember": _columns(
        int="parentitem item linenumber memberunit", text="itemsource", num="quantity"
    ),
    "customer": _columns(
        int="id currency pricelevel category parent terms defaultbillingaddress defaultshippingaddress "
        "subsidiary",
        text="entityid companyname firstname lastname email phone externalid",
        flag="isperson isinactive taxable",
        time="datecreated lastmodifieddate",
    ),
    "customersubsidiaryrelationship": _columns(
        int="id entity subsidiary", flag="isprimarysub", time="lastmodifieddate"
    ),
    "customeraddressbook": _columns(
        int="entity internalid addressbookaddress", text="label", flag="defaultshipping defaultbilling"
    ),
    "customeraddressbookentityaddress": _columns(
        int="nkey", text="addr1 addr2 city state zip country addressee addrphone"
    ),
    "transaction": _columns(
        int="id entity currency subsidiary postingperiod shippingaddress billingaddress createdby "
        "lastmodifiedby approvalstatus reversal",
        text="type recordtype tranid transactionnumber externalid status memo otherrefnum trackingnumberlist "
        "shipcarrier",
        num="exchangerate total foreigntotal foreignamountpaid foreignamountunpaid "
        "foreignpaymentamountused foreignpaymentamountunused",
        flag="posting void voided isreversal",
        date="trandate actualshipdate reversaldate",
        time="createddate lastmodifieddate",
    ),
    "transactionline": _columns(
        int="id transaction linesequencenumber uniquekey item entity createdfrom location subsidiary department "
        "class kitmemberof shipmethod",
        num="quantity rate netamount foreignamount quantityshiprecv quantitybilled quantitycommitted "
        "quantitybackordered quantitypicked quantitypacked",
        text="memo",
        flag="mainline taxline iscogs isinventoryaffecting isclosed isfullyshipped kitcomponent "
        "assemblycomponent",
        time="linelastmodifieddate",
    ),
    "transactionaccountingline": _columns(
        int="transaction transactionline accountingbook account",
        num="amount debit credit netamount exchangerate amountpaid amountunpaid",
        flag="posting",
    ),
    "transactiontaxdetail": _columns(
        int="transaction line taxtype taxcode", num="taxrate taxbasis taxamount basetaxamount"
    ),
    "transactionshipment": _columns(
        int="doc shippingmethod",
        text="sourceaddress destinationaddress",
        num="weight shippingrate handlingrate",
    ),
    "transactionshippingaddress": _columns(int="nkey", text=ADDRESS),
    "transactionbillingaddress": _columns(int="nkey", text=ADDRESS),
    "trackingnumber": _columns(int="id", text="trackingnumber"),
    "trackingnumbermap": _columns(int="transaction trackingnumber"),
    "shipmentpackage": _columns(int="itemfulfillment trackingnumber", text="carrierpackaging"),
    "transactionlink": _columns(int="previousdoc nextdoc", text="linktype"),
    "transactionstatus": _columns(text="id trantype name fullname"),
    "accountingperiod": _columns(
        int="id",
        text="periodname",
        date="startdate enddate",
        flag="isposting isadjust isquarter isyear isinactive closed alllocked arlocked aplocked "
        "allownonglchanges",
    ),
    "deletedrecord": _columns(int="recordid deletedby", text="type context", time="deleteddate"),
    "dual": _columns(text="dummy"),
}

# Subtypes and both directions of the links are views; nobody may ask for the relation behind the links.
FULFILMENT = _columns(int="id createdfrom", text="status", time="lastmodifieddate")
LINKS = ("nexttransactionlink", "previoustransactionlink")

ONEWORLD_TABLES = frozenset({"subsidiary", "customersubsidiaryrelationship"})
ONEWORLD_COLUMNS = frozenset({"subsidiary"})
SUITETAX_TABLES = frozenset({"customrecord_ste_taxrate", "transactiontaxdetail"})
MULTI_LOCATION_TABLES = frozenset(
    {"aggregateitemlocation", "inventoryitemlocations", "assemblyitemlocations", "inventorybalance"}
)
CUSTOM_FIELDS = {"custbody": "transaction", "custcol": "transactionline", "custentity": "customer"}


def stored(custom_fields: Sequence[str] = ()) -> dict[str, dict[str, Kind]]:
    """What DuckDB holds per table: the columns of `STORED` and the account's own fields, all of them text.

    Raises `ValueError` for a field that belongs to none of body, line and entity.
    """
    found = {name: dict(columns) for name, columns in STORED.items()}
    for field in custom_fields:
        table = CUSTOM_FIELDS.get(field.split("_", 1)[0])
        if table is None:
            raise ValueError(
                f"A custom field starts with custbody_, custcol_ or custentity_; {field!r} does not."
            )
        found[table][field.lower()] = Kind.TEXT
    return found


def tables(
    *, oneworld: bool, multi_location: bool, suitetax: bool = True, custom_fields: Sequence[str] = ()
) -> dict[str, Table]:
    """The tables of an account with these features; a column of a feature that is off does not exist."""
    found = {name: Table(name, columns, f"ns.{name}") for name, columns in stored(custom_fields).items()}
    link = found.pop("transactionlink")
    found |= {name: Table(name, link.columns, link.relation) for name in LINKS}
    found["itemfulfillment"] = Table("itemfulfillment", FULFILMENT, "ns.itemfulfillment")
    found["item"] = Table("item", ITEM, "ns.item", "ns.item_totals", frozenset(ITEM_TOTALS))
    found["aggregateitemlocation"] = Table("aggregateitemlocation", LEVELS, "ns.aggregateitemlocation")
    for name in ("inventoryitemlocations", "assemblyitemlocations"):
        found[name] = Table(name, TYPED_LEVELS, f"ns.{name}")
    found["inventorybalance"] = Table("inventorybalance", BALANCE, "ns.inventorybalance")
    if not multi_location:
        found = {name: table for name, table in found.items() if name not in MULTI_LOCATION_TABLES}
    if not suitetax:
        found = {name: table for name, table in found.items() if name not in SUITETAX_TABLES}
    if not oneworld:
        found = {
            name: Table(
                name,
                {c: k for c, k in table.columns.items() if c not in ONEWORLD_COLUMNS},
                table.relation,
                table.wide,
                table.wide_columns,
            )
            for name, table in found.items()
            if name not in ONEWORLD_TABLES
        }
    return found
