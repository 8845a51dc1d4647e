"""What hosts tell one another: certificates with their keys, the account, and how they fare.

Both sides show their host's certificate of the internal CA, and a host tells only those that are its peers by name. So
a new certificate reaches every load balancer without the controller, and any of them can go on when another is gone.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from .client import Account
from .config import Config, Peer
from .errors import CertificateError
from .store import Pair

TIMEOUT = 5.0
LARGEST_ANSWER = 8 << 20
SHARE, WAKE = "/share", "/wake"


@dataclass(frozen=True)
class Shared:
    """One certificate as a host tells of it: the pair, if it has a public one, and whether its last attempt failed."""

    pair: Pair | None
    failing: bool


@dataclass(frozen=True)
class Share:
    """All that a host tells. `last_run` is in seconds since 1970."""

    last_run: float
    certificates: dict[str, Shared] = field(default_factory=dict)
    account: Account | None = None

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, text: str | bytes) -> Share:
        """Read what a peer told.

        :raises CertificateError: it makes no sense.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            certificates = {
                str(name): Shared(Pair(**one["pair"]) if one["pair"] else None, bool(one["failing"]))
                for name, one in values["certificates"].items()
            }
            account = Account(**values["account"]) if values["account"] else None
            return cls(float(values["last_run"]), certificates, account)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CertificateError(f"a peer's answer makes no sense: {error}") from error


def share_file(config: Config) -> Path:
    """Return the file that holds what this host tells its peers."""
    return config.state_directory / "share.json"


def _context(config: Config, purpose: ssl.Purpose) -> ssl.SSLContext:
    context = ssl.create_default_context(purpose, cafile=str(config.tls_directory / "ca.crt"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(str(config.tls_directory / "host.crt"), str(config.tls_directory / "host.key"))
    return context


class _Connection(http.client.HTTPSConnection):
    """Connects to a peer's address and expects its name in the certificate."""

    def __init__(self, peer: Peer, port: int, context: ssl.SSLContext) -> None:
        super().__init__(peer.name, port, timeout=TIMEOUT, context=context)
        self._peer, self._tls = peer, context

    def connect(self) -> None:
        plain = socket.create_connection((self._peer.address, self.port), TIMEOUT)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._peer.name)


def ask(config: Config, peer: Peer) -> Share:
    """Ask a peer for its certificates.

    :raises CertificateError: it does not answer, or not with what we know.
    """
    return Share.parse(_call(config, peer, "GET", SHARE))


def wake(config: Config, peer: Peer) -> None:
    """Have a peer look after its certificates now, as there is a new one.

    :raises CertificateError: it does not answer.
    """
    _call(config, peer, "POST", WAKE)


def _call(config: Config, peer: Peer, method: str, path: str) -> bytes:
    try:
        connection = _Connection(peer, config.port, _context(config, ssl.Purpose.SERVER_AUTH))
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read(LARGEST_ANSWER)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise CertificateError(f"{peer.name} ({peer.address}:{config.port}): {error}") from error
    if answer.status not in (200, 204):
        raise CertificateError(f"{peer.name} ({peer.address}:{config.port}): {answer.status} {answer.reason}")
    return body


class _Handler(BaseHTTPRequestHandler):
    """Answers peers; everybody else gets 403."""

    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT
    server: PeerServer

    def setup(self) -> None:
        """Greet by TLS in the connection's own thread: who never greets keeps nobody else waiting."""
        self.request.settimeout(TIMEOUT)
        self.request.do_handshake()
        super().setup()

    def do_GET(self) -> None:
        """Tell of this host's certificates."""
        if self._is_peer() and self.path == SHARE:
            try:
                self._answer(200, self.server.share.read_bytes())
            except OSError:
                self._answer(503)
        else:
            self._answer(404 if self._is_peer() else 403)

    def do_POST(self) -> None:
        """Have this host look after its certificates: systemd watches the file."""
        if self._is_peer() and self.path == WAKE:
            self.server.wake_file.touch()
            self._answer(204)
        else:
            self._answer(404 if self._is_peer() else 403)

    def _is_peer(self) -> bool:
        certificate = self.connection.getpeercert() or {}
        names = {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
        return bool(names & self.server.peers)

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class PeerServer(ThreadingHTTPServer):
    """Listens for peers. Certificates are read anew for each connection, so their renewal needs no restart."""

    daemon_threads = True

    def __init__(self, config: Config) -> None:
        """Listen on the port, for these peers only."""
        if ":" in config.listen:
            self.address_family = socket.AF_INET6
        self._config = config
        self.share, self.wake_file = share_file(config), config.wake_file
        self.peers = frozenset(peer.name for peer in config.peers)
        super().__init__((config.listen, config.port), _Handler)

    def get_request(self) -> tuple[ssl.SSLSocket, Any]:
        """Accept a connection; its greeting comes in its own thread."""
        plain, address = super().get_request()
        context = _context(self._config, ssl.Purpose.CLIENT_AUTH)
        return context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave it at that: strangers and broken connections are no news."""
