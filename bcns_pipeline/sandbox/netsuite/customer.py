"""The properties of a customer: names, shapes, and the SuiteQL columns that show them.

Put the definition of the record here. Do not put its rules here (customers.py). Source: facts/netsuite.md
3.6 and Oracle's REST API Browser 2026.1; a property that is missing here is unknown to this account.
"""

from __future__ import annotations

from bcns_pipeline.sandbox.netsuite.definition import (
    Definition,
    Fields,
    Property,
    Sublist,
    enum,
    flag,
    reference,
    sublist,
    text,
)

CUSTOMER = Definition(
    name="customer",
    group="entity",
    fields=Fields.of(
        {
            "id": text("id", read_only=True),
            "externalId": text("externalid"),
            "entityId": text("entityid"),
            "isPerson": flag("isperson"),
            "firstName": text("firstname"),
            "middleName": text(),
            "lastName": text("lastname"),
            "salutation": text(),
            "companyName": text("companyname"),
            "email": text("email"),
            "phone": text("phone"),
            "mobilePhone": text(),
            "comments": text(),
            "isInactive": flag("isinactive"),
            "subsidiary": reference("subsidiary", "subsidiary", feature="oneworld"),
            "currency": reference("currency", "currency"),
            "category": reference(column="category"),
            "terms": reference(column="terms"),
            "priceLevel": reference("pricelevel", "pricelevel"),
            "parent": reference("customer", "parent"),
            "entityStatus": reference(),
            "customForm": reference(),
            "emailPreference": enum("PDF", "HTML", "DEFAULT"),
            "taxable": flag("taxable"),
            "vatRegNumber": text(feature="legacy"),
            "defaultTaxReg": text(feature="suitetax"),
            "taxRegistration": sublist(feature="suitetax"),
            "defaultAddress": text(read_only=True),
            "dateCreated": Property("datetime", "datecreated", read_only=True),
            "lastModifiedDate": Property("datetime", "lastmodifieddate", read_only=True),
            "addressBook": sublist(),
            "currencyList": sublist(),
        }
    ),
    sublists={
        "addressBook": Sublist(
            Fields.of(
                {
                    "internalId": Property("integer"),
                    "id": Property("integer"),
                    "label": text(),
                    "defaultShipping": flag(),
                    "defaultBilling": flag(),
                    "isResidential": flag(),
                    "addressBookAddress": Property("address"),
                }
            ),
            existing=("internalId",),
        ),
        "currencyList": Sublist(
            Fields.of({"currency": reference("currency"), "displaySymbol": text()}),
            existing=("currency",),
        ),
        "taxRegistration": Sublist(
            Fields.of(
                {
                    "id": Property("integer"),
                    "nexusCountry": enum(),
                    "nexus": reference(),
                    "taxRegistrationNumber": text(),
                    "address": text(),
                }
            ),
            existing=("id",),
        ),
    },
)
RELATIONSHIP = Definition(
    name="customerSubsidiaryRelationship",
    group="entity",
    fields=Fields.of(
        {
            "id": text("id", read_only=True),
            "externalId": text(),
            "entity": reference("customer", "entity"),
            "subsidiary": reference("subsidiary", "subsidiary"),
            "isPrimarySub": flag(read_only=True),
        }
    ),
)
