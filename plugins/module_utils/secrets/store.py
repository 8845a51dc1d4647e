# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A YAML file of secrets: adds what is missing, keeps what is there, encrypted or not."""

from __future__ import annotations

import math
import os
import secrets
import string
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import yaml

ALPHABET = string.ascii_letters + string.digits
LENGTH = math.ceil(256 / math.log2(len(ALPHABET)))
LONGEST = {"mysql_replication_password": 32}
"""Characters at most, where a server takes no more: MySQL for following another one."""
FILE_MODE = 0o600


class SecretsFileError(Exception):
    """The file can't be used; the message says why and never holds a secret."""


class Cipher(Protocol):
    """What the store needs of Ansible Vault."""

    def decrypt(self, data: bytes) -> bytes:
        """Return the plain text."""

    def encrypt(self, plain: bytes) -> bytes:
        """Return the encrypted text."""


@dataclass(frozen=True)
class Plan:
    """What a file would become.

    :ivar content: bytes of the whole file.
    :ivar added: secrets generated now, by name.
    :ivar changes: sentences free of secrets, one per difference.
    """

    content: bytes
    added: dict[str, str]
    changes: list[str]


def generate_secret(name: str) -> str:
    """Return a new secret of 256 random bits, or of as many as fit into what this one may be.

    It is of letters and digits only, so safe in any place and at its start.
    """
    return "".join(secrets.choice(ALPHABET) for _ in range(LONGEST.get(name, LENGTH)))


class _Loader(yaml.SafeLoader):
    """Reads YAML for its keys; values behind tags such as ``!vault`` are of no interest."""


def _value_behind_tag(_loader: Any, suffix: str, _node: Any) -> str:
    return suffix


_Loader.add_multi_constructor("!", _value_behind_tag)


def variable_names(plain: bytes) -> set[str]:
    """Return the names that a YAML text defines.

    :raises SecretsFileError: it is not a mapping; the message shows nothing of the text.
    """
    try:
        data = yaml.load(plain, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise SecretsFileError(f"not valid YAML{f', line {mark.line + 1}' if mark else ''}") from None
    if data is None:
        return set()
    if not isinstance(data, dict):
        raise SecretsFileError("not a mapping of names to secrets")
    return {str(name) for name in data}


def plan(
    current: bytes | None,
    names: Collection[str],
    decrypt: Cipher | None,
    encrypt: Cipher | None,
) -> Plan:
    """Work out a file that holds all ``names``.

    :param current: the file as it is, None if it is missing.
    :param decrypt: opens ``current``; None if it is not encrypted.
    :param encrypt: closes the new file; None for a plain one.
    """
    for name in names:
        if not (name.isascii() and name.isidentifier()):
            raise SecretsFileError(f"{name!r} is no name for a variable")
    plain = b"" if current is None else decrypt.decrypt(current) if decrypt else current
    present = variable_names(plain)
    added = {name: generate_secret(name) for name in names if name not in present}
    changes = [f"{name}: new" for name in added]
    if not plain.strip():
        plain = b"---\n# Made once, kept for good: losing this file means losing the way into what it protects.\n"
    elif not plain.endswith(b"\n"):
        plain += b"\n"
    plain += b"".join(f"{name}: {value}\n".encode() for name, value in added.items())
    if current is not None and encrypt and not decrypt:
        changes.append("encrypted with the run's vault password")
    if not changes and current is not None:
        return Plan(current, {}, [])
    return Plan(encrypt.encrypt(plain) if encrypt else plain, added, changes)


def refuse_shadowed(path: Path) -> None:
    """Refuse to make ``group_vars/<group>/`` beside ``group_vars/<group>.yml``: Ansible would read only the folder.

    :raises SecretsFileError: such a file is there and the folder is not.
    """
    folder = path.parent
    if folder.is_dir() or folder.parent.name not in ("group_vars", "host_vars"):
        return
    for suffix in ("", ".yml", ".yaml", ".json"):
        other = folder.with_name(folder.name + suffix)
        if other.is_file():
            raise SecretsFileError(
                f"{other} would no longer be read once {folder}/ exists; move it to {folder}/main.yml and run again"
            )


def write(path: Path, content: bytes) -> None:
    """Replace a file atomically, readable by its owner only; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, staged = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(staged).replace(path)
    finally:
        Path(staged).unlink(missing_ok=True)
