"""BigCommerce's refusals, in BigCommerce's words.

Put error bodies here. Do not put the checks that lead to them here. Sources: facts/bigcommerce.md 1.3, 1.4,
2.2.
"""

from __future__ import annotations

from typing import Any

from bcns_pipeline.sandbox.web import Answer, Headers, json_answer

TYPE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
PROBLEM = "application/problem+json"
TITLES = {
    401: "Unauthorized",
    403: "You don't have a required scope to access the endpoint",
    404: "The requested resource was not found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    429: "Too many requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def problem(
    status: int, title: str | None = None, fields: dict[str, str] | None = None, headers: Headers = ()
) -> Answer:
    """A v3 error body."""
    body: dict[str, Any] = {
        "status": status,
        "title": title or TITLES.get(status, "Error"),
        "type": TYPE,
        "errors": fields or {},
    }
    return json_answer(status, body, PROBLEM, headers)


def v2_problem(status: int, message: str) -> Answer:
    """A v2 error body is an array."""
    return json_answer(status, [{"status": status, "message": message}])


def invalid_fields(fields: dict[str, str]) -> Answer:
    """422 for a body that is not built as documented."""
    return problem(422, "Payload contains invalid fields", fields)
