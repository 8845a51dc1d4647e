"""What the authority says of when to renew (ACME Renewal Information, RFC 9773).

The packaged certbot of Debian 12 and 13 asks no authority for it, so this program does; it takes no account.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import ssl
import urllib.request
from dataclasses import dataclass
from typing import Any

from .certificate import Certificate
from .clock import UTC, now
from .decision import Window
from .errors import CertificateError

TIMEOUT = 10.0
LARGEST_ANSWER = 1 << 20
SHORTEST_PAUSE, LONGEST_PAUSE, USUAL_PAUSE = 60.0, 86400.0, 6 * 3600.0


@dataclass(frozen=True)
class RenewalInfo:
    """A suggested window, why (for the operator; empty if not said), and how long not to ask again."""

    window: Window
    explanation: str
    pause: datetime.timedelta


def ask(directory_url: str, ca_bundle: str, current: Certificate) -> RenewalInfo | None:
    """Ask the authority when a certificate is to be renewed; None if this authority has no such service.

    :param ca_bundle: certificates that the directory's own is checked against; empty for the system's.
    :raises CertificateError: it does not answer, or with what can't be understood.
    """
    context = ssl.create_default_context(cafile=ca_bundle or None)
    directory, _ = _get(directory_url, context)
    base = directory.get("renewalInfo")
    if not base or not current.renewal_id:
        return None
    url = f"{str(base).rstrip('/')}/{current.renewal_id}"
    answer, retry_after = _get(url, context)
    try:
        window = answer["suggestedWindow"]
        found = Window(_time(window["start"]), _time(window["end"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CertificateError(f"{url}: no renewal window ({error})") from error
    return RenewalInfo(found, str(answer.get("explanationURL", "")), _pause(retry_after))


def _get(url: str, context: ssl.SSLContext) -> tuple[dict[str, Any], str]:
    if not url.startswith("https://"):
        raise CertificateError(f"{url}: not an https URL")
    request = urllib.request.Request(url, headers={"User-Agent": "trinitycore-certificates"})  # noqa: S310 - https
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as answer:  # noqa: S310 - https
            loaded = json.loads(answer.read(LARGEST_ANSWER))
            retry_after = answer.headers.get("Retry-After", "")
    except (OSError, ValueError) as error:
        raise CertificateError(f"{url}: {error}") from error
    if not isinstance(loaded, dict):
        raise CertificateError(f"{url}: not a JSON object")
    return loaded, retry_after


def _time(text: str) -> datetime.datetime:
    # Python 3.10 knows neither "Z" nor nanoseconds, which some authorities write.
    day, _, zone = text.replace("Z", "+00:00").partition("+")
    parsed = datetime.datetime.fromisoformat(f"{day.split('.')[0]}+{zone or '00:00'}")
    return parsed.astimezone(UTC)


def _pause(retry_after: str) -> datetime.timedelta:
    """Read a Retry-After header, in seconds or as a date, within reason."""
    seconds = USUAL_PAUSE
    if retry_after.strip().isdigit():
        seconds = float(retry_after)
    elif retry_after:
        parsed = email.utils.parsedate_to_datetime(retry_after) if "," in retry_after else None
        if parsed is not None:
            seconds = (parsed - now()).total_seconds()
    return datetime.timedelta(seconds=min(max(seconds, SHORTEST_PAUSE), LONGEST_PAUSE))
