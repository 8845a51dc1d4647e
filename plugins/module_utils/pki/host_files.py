# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Host side of host certificates: private key, certificate and authority as files. Standard library and openssl."""

from __future__ import annotations

import contextlib
import grp
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

AUTHORITY, CERTIFICATE, KEY = "ca.crt", "host.crt", "host.key"
MODES = {AUTHORITY: 0o644, CERTIFICATE: 0o644, KEY: 0o640}


class HostFilesError(Exception):
    """A program failed or a file is unusable; the message says which and why."""


@dataclass
class HostFiles:
    """The three files of one host and the group that may read the key. Whoever runs this owns them: root.

    In check mode nothing is written; :attr:`changes` then holds what would change.

    :ivar changes: ``{before_header, after_header, before, after}`` per change, free of secrets.
    """

    directory: Path
    group: str
    check_mode: bool = False
    changes: list[dict[str, str]] = field(default_factory=list)

    def prepare(self) -> None:
        """Make group, directory and private key where they are missing, and mend owners and modes."""
        self._ensure_group()
        self._ensure_directory()
        if not self.public_key():
            self._make_key()
        for name, mode in MODES.items():
            self._ensure_attributes(self.directory / name, mode, self._group_id() if name == KEY else os.getegid())

    def install(self, authority: str, certificate: str) -> None:
        """Put the authority's and the host's certificate (PEM) in place, each atomically; empty leaves it as is.

        :raises HostFilesError: the certificate is not one for this host's key; nothing is replaced then.
        """
        if self.check_mode:
            return
        staged = {
            name: self._stage(name, text)
            for name, text in ((AUTHORITY, authority), (CERTIFICATE, certificate))
            if text and self.read(name) != text
        }
        try:
            if CERTIFICATE in staged:
                of_certificate = _openssl("x509", "-in", str(staged[CERTIFICATE]), "-noout", "-pubkey")
                if of_certificate != self.public_key():
                    raise HostFilesError(f"the new certificate does not belong to {self.directory / KEY}")
            for name, path in staged.items():
                path.replace(self.directory / name)
        finally:
            for path in staged.values():
                path.unlink(missing_ok=True)

    def read(self, name: str) -> str:
        """Return the text of one of the public files, empty if it is missing."""
        try:
            return (self.directory / name).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return ""

    def public_key(self) -> str:
        """Return the public half of the private key as PEM, empty if there is no usable key."""
        path = self.directory / KEY
        if not path.exists():
            return ""
        with contextlib.suppress(HostFilesError):
            return _openssl("pkey", "-in", str(path), "-pubout")
        return ""

    def _ensure_group(self) -> None:
        with contextlib.suppress(KeyError):
            grp.getgrnam(self.group)
            return
        self._changed(f"group {self.group}", "absent\n", "present (system)\n")
        if not self.check_mode:
            _run(["groupadd", "--system", self.group])

    def _ensure_directory(self) -> None:
        if not self.directory.is_dir():
            self._changed(str(self.directory), "absent\n", "directory 0755\n")
            if self.check_mode:
                return
            self.directory.mkdir(parents=True)
            self.directory.chmod(0o755)
        self._ensure_attributes(self.directory, 0o755, os.getegid())

    def _make_key(self) -> None:
        path = self.directory / KEY
        before = "absent\n" if not path.exists() else "not a usable private key\n"
        self._changed(str(path), before, f"new private key, EC P-256, group {self.group}, 0640\n")
        if self.check_mode:
            return
        with self._temporary(KEY) as staged:
            _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(staged))
            os.chown(staged, -1, self._group_id())
            staged.chmod(MODES[KEY])
            staged.replace(path)

    def _ensure_attributes(self, path: Path, mode: int, group_id: int) -> None:
        try:
            status = path.stat()
        except FileNotFoundError:
            return
        owner = os.geteuid()
        now, wanted = (status.st_uid, status.st_gid, status.st_mode & 0o7777), (owner, group_id, mode)
        if now == wanted:
            return
        self._changed(str(path), *(f"uid {uid} gid {gid} mode {bits:04o}\n" for uid, gid, bits in (now, wanted)))
        if not self.check_mode:
            os.chown(path, owner, group_id)
            path.chmod(mode)

    def _group_id(self) -> int:
        try:
            return grp.getgrnam(self.group).gr_gid
        except KeyError:
            # Only in check mode on a host that lacks the group; -1 can't be a file's group, so a change is reported.
            return -1

    def _stage(self, name: str, text: str) -> Path:
        handle, staged = tempfile.mkstemp(prefix=f".{name}.", dir=self.directory)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        path = Path(staged)
        path.chmod(MODES[name])
        return path

    @contextlib.contextmanager
    def _temporary(self, name: str) -> Iterator[Path]:
        handle, staged = tempfile.mkstemp(prefix=f".{name}.", dir=self.directory)
        os.close(handle)
        try:
            yield Path(staged)
        finally:
            Path(staged).unlink(missing_ok=True)

    def _changed(self, header: str, before: str, after: str) -> None:
        self.changes.append({"before_header": header, "after_header": header, "before": before, "after": after})


def _openssl(*arguments: str) -> str:
    return _run(["openssl", *arguments])


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o077)
    except FileNotFoundError as error:
        raise HostFilesError(f"{command[0]} is not installed") from error
    if done.returncode:
        raise HostFilesError(f"{' '.join(command[:2])} failed: {done.stderr.strip()}")
    return done.stdout
