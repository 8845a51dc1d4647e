"""What a caller without access is told."""

from __future__ import annotations

from typing import Literal

from trinitycore_mcp.access.principal import SCOPES, Principal, Scope

Status = Literal[400, 401, 403, 503]


class Refused(Exception):
    """The request is not let in. Nothing in it came from the credential.

    :param status: 400 malformed, 401 who are you, 403 not you, 503 can't be found out now.
    :param error: error code of RFC 6750 section 3.1; None when no credential was sent, as it asks.
    :param description: for people, ASCII without quotes.
    :param scope: what the request needs.
    """

    def __init__(self, status: Status, error: str | None, description: str, scope: str = "read") -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description
        self.scope = scope


def missing() -> Refused:
    """Return the answer to a request without credential."""
    return Refused(401, None, "an API key or token is needed: Authorization: Bearer")


def malformed(why: str) -> Refused:
    """Return the answer to credentials that can't be read in only one way."""
    return Refused(400, "invalid_request", why)


def invalid(why: str) -> Refused:
    """Return the answer to a credential that opens nothing."""
    return Refused(401, "invalid_token", why)


def scopeless() -> Refused:
    """Return the answer to a good key or token that was granted none of our scopes, and so would open nothing."""
    why = f"the API key or token has none of the scopes that there are: {', '.join(SCOPES)}"
    return Refused(403, "insufficient_scope", why)


def unavailable(why: str) -> Refused:
    """Return the answer when what the credential is checked against can't be reached."""
    return Refused(503, "temporarily_unavailable", why)


def require(principal: Principal, scope: Scope) -> None:
    """Let the caller pass who has the scope.

    :raises Refused: 403, it has not.
    """
    if not principal.may(scope):
        raise Refused(403, "insufficient_scope", f"scope {scope} is needed", scope)
