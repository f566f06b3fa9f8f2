"""The control endpoint: how tests, the demo and the bench move the sandbox and look into it.

Put its verbs here. Do not put anything here that a pipeline may use: it is not part of either system.
Bodies and answers are JSON; a request that can't be carried out gets 400 and one sentence.
"""

# ruff: noqa: ARG002 - a route hands the call to every handler, whether it looks at it or not.

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, MutableMapping
from dataclasses import asdict, replace
from typing import Any

from bcns_pipeline.sandbox.bank.control import BankControl
from bcns_pipeline.sandbox.bigcommerce.orders.handling import OutOfStock
from bcns_pipeline.sandbox.events import BadEvent, Events
from bcns_pipeline.sandbox.faults import parse_fault
from bcns_pipeline.sandbox.merchant import Merchant
from bcns_pipeline.sandbox.office_control import OfficeControl
from bcns_pipeline.sandbox.options import Options, Troubles
from bcns_pipeline.sandbox.payments.control import PaymentControl
from bcns_pipeline.sandbox.service import read, write
from bcns_pipeline.sandbox.shop_cart import BadCart
from bcns_pipeline.sandbox.shop_control import ShopControl
from bcns_pipeline.sandbox.shop_hooks import HookHand
from bcns_pipeline.sandbox.web import Answer, Call, Found, Routes, json_answer


class Control:
    """The ASGI application of the control port."""

    def __init__(self, merchant: Merchant, stop: asyncio.Event) -> None:
        self.merchant = merchant
        self.events = Events(merchant)
        self._stop = stop
        self.routes = Routes()
        for method, path, handler in (
            ("POST", "/seed", self._seed),
            ("POST", "/netsuite/stock", self._netsuite_stock),
            ("GET", "/netsuite/stock", self._netsuite_levels),
            ("POST", "/netsuite/item", self._netsuite_item),
            ("POST", "/netsuite/item/delete", self._netsuite_delete),
            ("POST", "/netsuite/members", self._netsuite_members),
            ("POST", "/netsuite/order", self._netsuite_order),
            ("POST", "/netsuite/role", self._role),
            ("POST", "/netsuite/certificate", self._certificate),
            ("POST", "/netsuite/tokens/expire", self._expire),
            ("POST", "/bigcommerce/stock", self._store_stock),
            ("POST", "/bigcommerce/product", self._store_product),
            ("POST", "/bigcommerce/location", self._store_location),
            ("POST", "/bigcommerce/scopes", self._scopes),
            ("POST", "/order", self._order),
            ("POST", "/faults", self._faults),
            ("GET", "/faults", self._open_faults),
            ("DELETE", "/faults", self._no_faults),
            ("POST", "/faults/arrive", self._arrive),
            ("POST", "/clock", self._clock),
            ("GET", "/clock", self._time),
            ("GET", "/log", self._log),
            ("DELETE", "/log", self._no_log),
            ("GET", "/cpu", self._cpu),
            ("DELETE", "/cpu", self._no_cpu),
            ("POST", "/latency", self._latency),
            ("POST", "/limits", self._limits),
            ("GET", "/state/bigcommerce/inventory", self._inventory),
            ("GET", "/state/netsuite/stock", self._books),
            ("POST", "/stop", self._end),
            *OfficeControl(self.events.office).verbs(),
            *PaymentControl(merchant.treasury, merchant.stripe).verbs(),
            *BankControl(merchant.bank, merchant.treasury).verbs(),
            *ShopControl(self.events.shop, HookHand(merchant.bigcommerce.courier)).verbs(),
        ):
            self.routes.add(method, path, path, handler)

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[..., Any], send: Callable[..., Any]
    ) -> None:
        if scope["type"] != "http":
            return
        call = await read(scope, receive)
        found = self.routes.find(call.method, call.path)
        if not isinstance(found, Found):
            await write(
                send, refusal(405 if found else 404, f"There is no {call.method} {call.path}."), cut=False
            )
            return
        try:
            body = json.loads(call.body) if call.body else {}
            if call.path.rstrip("/") == "/seed":
                # The one verb that takes seconds; everything else is done before the next request is read.
                result = await asyncio.get_running_loop().run_in_executor(
                    None, found.route.handler, call, body
                )
            else:
                result = found.route.handler(call, body)
        except (BadEvent, BadCart, OutOfStock, ValueError, KeyError, TypeError) as fault:
            text = f"{fault.args[0]!r} is missing." if isinstance(fault, KeyError) else str(fault)
            result = refusal(400, text)
        await write(send, result if isinstance(result, Answer) else json_answer(200, result), cut=False)

    # -- world -----------------------------------------------------------------------------------------------

    def _seed(self, call: Call, body: dict[str, Any]) -> Any:
        troubles = body.pop("troubles", None)
        options = seed_options(self.merchant.options, body, troubles)
        self.merchant.shared.era += 1
        self.merchant.seed(options)
        self.events.orders.clear()
        return {"items": len(self.merchant.world.items), "variants": len(self.merchant.world.variants)}

    def _netsuite_stock(self, call: Call, body: Any) -> Any:
        if isinstance(body, dict) and body.get("all"):
            return {"moved": self.events.stock_everywhere(float(body["delta"]))}
        return {"moved": self.events.stock(as_list(body))}

    def _netsuite_levels(self, call: Call, body: Any) -> Any:
        return self.events.levels(call.query["sku"])

    def _netsuite_item(self, call: Call, body: Any) -> Any:
        return {"items": [self.events.item(one) for one in as_list(body)]}

    def _netsuite_delete(self, call: Call, body: Any) -> Any:
        return {"item": self.events.delete_item(body)}

    def _netsuite_members(self, call: Call, body: Any) -> Any:
        return {"item": self.events.members(body)}

    def _netsuite_order(self, call: Call, body: Any) -> Any:
        return self.events.sales_order(body)

    def _role(self, call: Call, body: Any) -> Any:
        netsuite = self.merchant.netsuite
        if "administrator" in body:
            netsuite.administrator = bool(body["administrator"])
        if "hidden_tables" in body:
            netsuite.engine.hidden = frozenset(str(t).lower() for t in body["hidden_tables"])
        if "hidden_records" in body:
            netsuite.books.api.hidden = frozenset(str(t).lower() for t in body["hidden_records"])
        return {
            "administrator": netsuite.administrator,
            "hidden_tables": sorted(netsuite.engine.hidden),
            "hidden_records": sorted(netsuite.books.api.hidden),
        }

    def _certificate(self, call: Call, body: Any) -> Any:
        return {"certificate_id": self.merchant.netsuite.certificates.upload(str(body["certificate_pem"]))}

    def _expire(self, call: Call, body: Any) -> Any:
        self.merchant.netsuite.tokens.expire()
        return {}

    def _store_stock(self, call: Call, body: Any) -> Any:
        return {"moved": self.events.hand_edit(as_list(body))}

    def _store_product(self, call: Call, body: Any) -> Any:
        return {"product_id": self.events.change_product(body)}

    def _store_location(self, call: Call, body: Any) -> Any:
        self.merchant.bigcommerce.store.enable(int(body["location_id"]), bool(body["enabled"]))
        return {}

    def _scopes(self, call: Call, body: Any) -> Any:
        self.merchant.bigcommerce.scopes = {str(s) for s in body["scopes"]}
        return {"scopes": sorted(self.merchant.bigcommerce.scopes)}

    def _order(self, call: Call, body: Any) -> Any:
        return asdict(self.events.place_order(body))

    # -- weather ---------------------------------------------------------------------------------------------

    def _faults(self, call: Call, body: Any) -> Any:
        self.merchant.shared.faults.add([parse_fault(raw) for raw in as_list(body)])
        return self.merchant.shared.faults.open()

    def _open_faults(self, call: Call, body: Any) -> Any:
        return self.merchant.shared.faults.open()

    def _no_faults(self, call: Call, body: Any) -> Any:
        self.merchant.shared.faults.clear()
        return []

    def _arrive(self, call: Call, body: Any) -> Any:
        self.merchant.shared.arrive.set()
        self.merchant.shared.arrive = asyncio.Event()
        return {}

    def _clock(self, call: Call, body: Any) -> Any:
        if "advance_seconds" in body:
            self.merchant.clock.advance(float(body["advance_seconds"]))
        if "offset_seconds" in body:
            self.merchant.clock.set_offset(float(body["offset_seconds"]))
        return self._time(call, body)

    def _time(self, call: Call, body: Any) -> Any:
        clock = self.merchant.clock
        account = clock.account().strftime("%Y-%m-%d %H:%M:%S")
        return {
            "utc": clock.utc().isoformat(),
            "account": account,
            "offset_seconds": clock.offset.total_seconds(),
        }

    def _latency(self, call: Call, body: Any) -> Any:
        self.merchant.shared.latency_ms = float(body["ms"])
        return {"ms": self.merchant.shared.latency_ms}

    def _limits(self, call: Call, body: Any) -> Any:
        quota, netsuite = self.merchant.bigcommerce.quota, self.merchant.netsuite
        quota.requests = int(body.get("quota", quota.requests))
        quota.window_ms = int(body.get("quota_window_ms", quota.window_ms))
        if "quota" in body or "quota_window_ms" in body:
            quota.restart()
        netsuite.concurrency = int(body.get("concurrency", netsuite.concurrency))
        netsuite.tokens.seconds = int(body.get("token_seconds", netsuite.tokens.seconds))
        inventory = self.merchant.bigcommerce.inventory
        inventory.delay_ms = float(body.get("adjustment_delay_ms", inventory.delay_ms))
        return {
            "quota": quota.requests,
            "quota_window_ms": quota.window_ms,
            "concurrency": netsuite.concurrency,
            "token_seconds": netsuite.tokens.seconds,
            "adjustment_delay_ms": inventory.delay_ms,
            "adjustments_pending": inventory.pending,
        }

    # -- looking in ------------------------------------------------------------------------------------------

    def _log(self, call: Call, body: Any) -> Any:
        since, system = int(call.query.get("since", 0)), call.query.get("system")
        return [e for e in self.merchant.shared.log if e["seq"] > since and system in (None, e["system"])]

    def _no_log(self, call: Call, body: Any) -> Any:
        self.merchant.shared.log.clear()
        return {"seq": self.merchant.shared.logged}

    def _cpu(self, call: Call, body: Any) -> Any:
        report = dict(self.merchant.shared.costs.report())
        report["netsuite_peak_concurrency"] = self.merchant.netsuite.peak
        return report

    def _no_cpu(self, call: Call, body: Any) -> Any:
        self.merchant.shared.costs.clear()
        self.merchant.netsuite.peak = 0
        return {}

    def _inventory(self, call: Call, body: Any) -> Any:
        return self.events.inventory(call.query.get("sku"))

    def _books(self, call: Call, body: Any) -> Any:
        return self.events.books()

    def _end(self, call: Call, body: Any) -> Any:
        self._stop.set()
        return {}


def seed_options(now: Options, body: dict[str, Any], troubles: Any) -> Options:
    """The options of a new seed: what the body leaves out stays."""
    if unknown := sorted(set(body) - {"skus", "locations", "seed", "stock"}):
        raise ValueError(
            f"A seed has no field {unknown[0]!r}; it has skus, locations, seed, stock and troubles."
        )
    if troubles is None:
        return replace(now, **body)
    chosen = (
        Troubles.none() if troubles == "none" else Troubles(**({} if troubles == "default" else troubles))
    )
    return replace(now, **body, troubles=chosen)


def as_list(body: Any) -> list[dict[str, Any]]:
    """Verbs take one object or a list of them."""
    return body if isinstance(body, list) else [body]


def refusal(status: int, text: str) -> Answer:
    """Why a verb was not carried out."""
    return json_answer(status, {"error": text})
