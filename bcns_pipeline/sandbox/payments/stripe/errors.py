"""Stripe's refusals, in Stripe's words.

Put error bodies here. Do not put the checks that lead to them here. Every error is one object under `error` with
`type`, `message` and, where there is one, `code` and `param`.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.web import Answer, Headers, json_answer


class StripeRefusal(Exception):
    """An answer other than 200."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def error(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Headers = (),
) -> Answer:
    """An error body."""
    inner: dict[str, Any] = {"message": message, "type": kind}
    if code is not None:
        inner = {"code": code, **inner}
    if param is not None:
        inner["param"] = param
    return json_answer(status, {"error": inner}, headers=headers)


def invalid(message: str, param: str, code: str | None = None, status: int = 400) -> StripeRefusal:
    """A parameter that Stripe does not take."""
    return StripeRefusal(error(status, message, code=code, param=param))


def missing(what: str, name: str, param: str, status: int = 404) -> StripeRefusal:
    """No object of this id: 404 in a path, 400 in a parameter."""
    return invalid(f"No such {what}: '{name}'", param, "resource_missing", status)


def too_many() -> Answer:
    """Above the rate limit."""
    message = (
        "Testmode request rate limit exceeded, the rate limits in testmode are lower than livemode. "
        "You can learn more about rate limits in the documentation."
    )
    headers = (("Stripe-Should-Retry", "true"), ("Stripe-Rate-Limited-Reason", "global-rate"))
    return error(429, message, code="rate_limit", headers=headers)
