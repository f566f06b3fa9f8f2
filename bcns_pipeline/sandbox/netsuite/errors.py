"""NetSuite's refusals, in NetSuite's words.

Put error bodies and their texts here. Do not put the checks that lead to them here. Sources:
facts/netsuite.md 1 (401), 2.2 (SuiteQL), 3.7 (records, 429).
"""

from __future__ import annotations

from bcns_pipeline.sandbox.web import Answer, Headers, json_answer

RFC = "https://www.rfc-editor.org/rfc/rfc9110.html#section-15.5."
SECTIONS = {400: "1", 401: "2", 403: "4", 404: "5", 405: "6", 429: "1", 500: "1"}
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    # Oracle's own sample of a 429 carries this title.
    429: "Bad Request",
    500: "Internal Server Error",
}
PROBLEM = "application/vnd.oracle.resource+json; type=error; charset=UTF-8"


class SuiteQLError(Exception):
    """A query that NetSuite refuses; the text is what stands behind its fixed preamble."""


def problem(status: int, code: str, detail: str, *, headers: Headers = (), **where: str) -> Answer:
    """An error body; `where` are its path fields, such as `o_errorQueryParam`."""
    details: dict[str, str] = {"detail": detail}
    details.update({name.replace("o_", "o:", 1): value for name, value in where.items()})
    details["o:errorCode"] = code
    body = {
        "type": RFC + SECTIONS.get(status, "1"),
        "title": TITLES.get(status, "Error"),
        "status": status,
        "o:errorDetails": [details],
    }
    return json_answer(status, body, PROBLEM, headers)


def invalid_login() -> Answer:
    """What a bad token gets, and at times what an overloaded account says to a good one."""
    detail = (
        "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at Setup > "
        "Users/Roles > User Management > View Login Audit Trail."
    )
    return problem(401, "INVALID_LOGIN", detail, headers=(("WWW-Authenticate", "Bearer"),))


def concurrency_exceeded() -> Answer:
    """More requests at once than the account allows; Oracle documents no Retry-After."""
    return problem(
        429,
        "CONCURRENCY_LIMIT_EXCEEDED",
        "Concurrent request limit exceeded. Request blocked. To retry, wait until other requests finish.",
    )


def bad_query(text: str) -> Answer:
    """A refused SuiteQL query."""
    detail = f"Invalid search query. Detailed unprocessed description follows. {text}"
    return problem(400, "INVALID_PARAMETER", detail, o_errorQueryParam="q")


def unexpected(status: int = 500) -> Answer:
    """A failure of the server."""
    return problem(
        status, "UNEXPECTED_ERROR", "An unexpected error occurred. Error ID: sandbox0000000000000000"
    )


def oauth_error(error: str, description: str, status: int = 400) -> Answer:
    """The token endpoint fails in OAuth's shape, not in NetSuite's."""
    return json_answer(status, {"error": error, "error_description": description})
