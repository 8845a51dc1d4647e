"""The servers that show the certificates: made to read new ones, and asked what they show."""

from __future__ import annotations

import datetime
import socket
import ssl
import subprocess
import time

from .certificate import Certificate
from .config import Config, Wanted
from .errors import CertificateError
from .store import Pair, Store

RELOAD_TIMEOUT = 60
SHOWN_TIMEOUT = 15.0
LOOPBACK = "127.0.0.1"


def reload_units(units: tuple[str, ...]) -> None:
    """Have running servers read their certificates again, without closing what they are doing.

    :raises CertificateError: one refuses its configuration; it goes on with the old one.
    """
    for unit in units:
        command = ["systemctl", "try-reload-or-restart", unit]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=RELOAD_TIMEOUT)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CertificateError(f"{' '.join(command)}: {error}") from error
        if done.returncode:
            raise CertificateError(f"{' '.join(command)}: {done.stderr.strip() or done.returncode}")


def shown(port: int, name: str) -> bytes | None:
    """Return the certificate (DER) that this host shows under a name; None if nobody listens.

    :raises CertificateError: there is no TLS to be had under that name.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # what is shown is compared as it is
    try:
        with (
            socket.create_connection((LOOPBACK, port), 5) as plain,
            context.wrap_socket(plain, server_hostname=name) as connection,
        ):
            return connection.getpeercert(binary_form=True)
    except ConnectionRefusedError:
        return None
    except OSError as error:
        raise CertificateError(f"port {port} under the name {name}: {error}") from error


def until_shown(wanted: Wanted, certificate: Certificate) -> None:
    """Wait until this host shows a certificate, if it is to show it at all.

    :raises CertificateError: it goes on showing another one.
    """
    if not wanted.port:
        return
    end = time.monotonic() + SHOWN_TIMEOUT
    name = wanted.names[0].replace("*.", "any.", 1)
    while True:
        current = shown(wanted.port, name)
        if current is None or current == certificate.der:
            return
        if time.monotonic() > end:
            raise CertificateError(f"port {wanted.port} does not show the new certificate {SHOWN_TIMEOUT:.0f} s later")
        time.sleep(0.1)


def switch(config: Config, wanted: Wanted, pair: Pair, now: datetime.datetime) -> None:
    """Have a new certificate served. When anything is wrong with it, the one before is served again.

    :raises CertificateError: it is not fit to be served, or a server does not take it.
    """
    store = Store.of(config)
    before = store.version(wanted.name)
    certificate = store.install(wanted, pair, now)
    try:
        reload_units(config.reload_units)
        until_shown(wanted, certificate)
    except CertificateError:
        store.switch(wanted.name, before)
        reload_units(config.reload_units)
        raise
    store.prune(wanted.name)
