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


class Refused(Exception):
    """A record that NetSuite does not take. `path` names the property, as `item.items[0].item` does."""

    def __init__(self, code: str, detail: str, path: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.path = path

    @property
    def answer(self) -> Answer:
        """The body that says so."""
        where = {"o_errorPath": self.path} if self.path else {}
        return problem(400, self.code, self.detail, headers=(), **where)


def invalid_content(name: str, path: str) -> Refused:
    """A value of the wrong shape."""
    return Refused("INVALID_CONTENT", f"Invalid value for the property '{name}'.", path)


def bad_reference(value: object, field: str, path: str) -> Refused:
    """A reference to what is not there, or may not be used here, in the words of Oracle's own sample."""
    detail = (
        f"Error while accessing resource: You have entered an Invalid Field Value {value} "
        f"for the following field: {field.lower()}"
    )
    return Refused("INVALID_CONTENT", detail, path)


def invalid_field(value: object, field: str, path: str | None = None) -> Refused:
    """A select field with a value that the form would not offer."""
    return Refused(
        "USER_ERROR", f"Invalid Field Value {value} for the following field: {field.lower()}", path
    )


def missing(name: str) -> Refused:
    """A mandatory property without a value."""
    return Refused("USER_ERROR", f"You must enter a value for {name}.")


def duplicate() -> Refused:
    """An external id, or a name, that is taken."""
    return Refused("USER_ERROR", "Error while accessing a resource. This entity already exists.")


def locked() -> Refused:
    """A workflow has locked the record; nothing in the API shows that beforehand."""
    return Refused("USER_ERROR", "This record has been locked by a user defined workflow.")


def changed() -> Refused:
    """Somebody else saved the record in the meantime."""
    return Refused("USER_ERROR", "Record has been changed")


def period(name: str, state: str) -> Refused:
    """A posting date in a period that takes no postings; the exact words are unverified."""
    detail = f"The transaction date falls in the {state} accounting period {name}. Period is {state}."
    return Refused("USER_ERROR", detail, "tranDate")


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


def no_permission() -> Answer:
    """A record type on which the role has no right; in these words, with this code (facts/netsuite.md 3.7)."""
    return problem(403, "USER_ERROR", "Your current role does not have permission to perform this action.")


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
