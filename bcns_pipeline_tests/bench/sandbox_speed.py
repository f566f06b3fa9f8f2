"""How fast the sandbox itself is: `python -m bcns_pipeline_tests.bench.sandbox_speed [SKUS]`.

Put measurements of the doubles here, and nothing of the pipeline. Every figure is the sandbox's own cost per
call, taken from its control endpoint, with one client and no latency: what `make bench` adds to the latency
in its floors.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
import uuid
from typing import Any
from urllib.parse import urlencode

import jwt

from bcns_pipeline.sandbox.launch import Sandbox, start

LEVELS = """
SELECT i.id AS item_id, i.itemid AS sku, i.itemtype AS item_type, NVL(ail.location, 0) AS location_id,
       NVL(ail.quantityavailable, 0) AS available, NVL(ail.quantityonhand, 0) AS on_hand,
       NVL(ail.quantitycommitted, 0) AS committed, NVL(ail.quantityintransit, 0) AS in_transit,
       NVL(ail.quantitybackordered, 0) AS backordered, NVL(ail.quantityonorder, 0) AS on_order,
       TO_CHAR(ail.lastquantityavailablechange, 'YYYY-MM-DD HH24:MI:SS') AS changed_at
FROM item i LEFT JOIN aggregateitemlocation ail ON ail.item = i.id AND ail.location IN (1, 6)
WHERE i.isinactive = 'F' AND (i.matrixtype IS NULL OR i.matrixtype = 'CHILD')
  AND i.itemtype IN ('InvtPart', 'Assembly') AND (i.id > ? OR (i.id = ? AND ail.location > ?)) AND i.id < ?
ORDER BY i.id ASC, ail.location ASC
"""
CHANGED = LEVELS.replace(
    "AND (i.id > ?",
    """AND i.id IN (SELECT c.item FROM aggregateitemlocation c WHERE c.location IN (1, 6)
    AND c.lastquantityavailablechange >= TO_DATE(?, 'YYYY-MM-DD HH24:MI:SS'))
    AND (i.id > ?""",
)
TARGETS = {"netsuite.suiteql": 12.0, "bigcommerce.absolute": 12.0, "bigcommerce.inventory": 12.0}
PAGES = 40


def send(method: str, url: str, headers: dict[str, str], body: Any = None) -> Any:
    """One JSON call."""
    data = body if isinstance(body, bytes) else (None if body is None else json.dumps(body).encode())
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def token(sandbox: Sandbox) -> str:
    """A bearer token, as a client gets one."""
    now = int(time.time())
    claims = {
        "iss": sandbox.env["BCNS_NETSUITE_CLIENT_ID"],
        "scope": ["rest_webservices"],
        "aud": sandbox.token_url,
        "iat": now,
        "exp": now + 300,
        "jti": uuid.uuid4().hex,
    }
    headers = {"kid": sandbox.env["BCNS_NETSUITE_CERTIFICATE_ID"], "typ": "JWT"}
    assertion = jwt.encode(
        claims, sandbox.env["BCNS_NETSUITE_PRIVATE_KEY"], algorithm="ES256", headers=headers
    )
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return str(send("POST", sandbox.token_url, kind, urlencode(form).encode())["access_token"])


def row(sandbox: Sandbox, name: str, operation: str, *, warm: bool = True) -> None:
    """Print the mean cost of the calls since the last look."""
    cost = sandbox.control.cpu()["operations"][operation]
    cpu, least = cost["total"] / cost["count"] * 1000, cost["service_least"] * 1000
    target = TARGETS.get(operation) if warm else None
    verdict = "" if target is None else ("reached" if cpu <= target else "missed")
    print(f"{name:52} {cost['count']:4} calls  cpu {cpu:6.2f} ms  unloaded {least:6.2f} ms  {verdict}")
    sandbox.control.clear_cpu()


def main(skus: int) -> None:
    """Print all figures for a catalogue of `skus` SKUs at two locations."""
    began = time.perf_counter()
    with start(skus=skus, arguments=["--quota", "0"]) as sandbox:
        print(f"{'start and seed':52} {time.perf_counter() - began:.2f} s for {skus} SKUs x 2 locations")
        headers = {"Authorization": f"Bearer {token(sandbox)}", "Prefer": "transient"}
        url = sandbox.netsuite_url + "/services/rest/query/v1/suiteql?limit=1000&offset=0"
        key: list[Any] = [0, 0, 0]
        sandbox.control.clear_cpu()
        pages = 0
        while pages < PAGES:
            page = send("POST", url, headers, {"q": LEVELS, "params": [*map(str, key), "999999999"]})
            if not pages:
                row(
                    sandbox,
                    "SuiteQL keyset, first page (counts the catalogue)",
                    "netsuite.suiteql",
                    warm=False,
                )
            pages += 1
            if not page["hasMore"]:
                break
            last = page["items"][-1]
            key = [last["item_id"], last["item_id"], last["location_id"]]
        if pages > 1:
            row(sandbox, "SuiteQL keyset, page of 1,000 rows", "netsuite.suiteql")
        for n in range(5):
            sandbox.control.adjust([{"item": 1001 + k, "location": 1, "delta": 1} for k in range(30)])
            since = sandbox.control.clock()["account"][:-2] + "00"
            send("POST", url, headers, {"q": CHANGED, "params": [since, "0", "0", "0", "999999999"]})
            if n == 0:
                sandbox.control.clear_cpu()
        row(sandbox, "SuiteQL, 30 items changed", "netsuite.suiteql")
        store = f"{sandbox.bigcommerce_url}/stores/{sandbox.env['BCNS_BIGCOMMERCE_STORE_HASH']}"
        auth = {"X-Auth-Token": sandbox.env["BCNS_BIGCOMMERCE_ACCESS_TOKEN"], "Accept": "application/json"}
        items = send("GET", f"{store}/v3/inventory/items?limit=1000", auth)["data"]
        row(sandbox, "inventory page, 1,000 items x 2, nothing cached", "bigcommerce.inventory")
        for _ in range(5):
            send("GET", f"{store}/v3/inventory/items?limit=1000", auth)
        row(sandbox, "inventory page, 1,000 items x 2", "bigcommerce.inventory")
        lines = [
            {"location_id": location, "quantity": 7, **identity(item["identity"])}
            for item in items
            for location in (1, 2)
        ][:2000]
        put = {"reason": "speed", "items": lines}
        for _ in range(10):
            send(
                "PUT",
                f"{store}/v3/inventory/adjustments/absolute",
                {**auth, "Content-Type": "application/json"},
                put,
            )
        row(sandbox, f"PUT absolute, {len(lines)} lines", "bigcommerce.absolute")
        for path in ("variants", "products"):
            for number in range(1, 6):
                send("GET", f"{store}/v3/catalog/{path}?limit=250&page={number}", auth)
            row(sandbox, f"catalogue page of 250 {path}", f"bigcommerce.{path}")


def identity(given: dict[str, Any]) -> dict[str, Any]:
    """How an item is adjusted: a base variant by its product, any other by itself."""
    if "sku_id" in given:
        return {"variant_id": given["variant_id"]}
    return {"product_id": given["product_id"]}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
