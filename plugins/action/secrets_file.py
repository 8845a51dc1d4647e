# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action of secrets_file: runs on the controller, with the vault passwords of the run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from ansible import constants as C  # noqa: N812  # Ansible's own habit
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.vault import VaultLib, is_encrypted, match_encrypt_secret
from ansible.plugins.action import ActionBase
from ansible_collections.trinitycore.mcp.plugins.module_utils.secrets import store

ARGUMENTS: dict[str, dict[str, Any]] = {
    "path": {"type": "path", "required": True},
    "names": {"type": "list", "elements": "str", "required": True},
}


class VaultCipher:
    """Ansible Vault with the run's passwords; what was opened with one vault ID is closed with the same."""

    def __init__(self, secrets: list[tuple[str, Any]]) -> None:
        self._vault = VaultLib(secrets)
        self._secrets = secrets
        self._vault_id: str | None = None

    def decrypt(self, data: bytes) -> bytes:
        """Return the plain text.

        :raises SecretsFileError: no password of the run opens it.
        """
        if not self._secrets:
            raise store.SecretsFileError("it is encrypted and this run has no vault password")
        try:
            plain, self._vault_id, _ = self._vault.decrypt_and_get_vault_id(data)
        except AnsibleError as error:
            raise store.SecretsFileError("no vault password of this run opens it") from error
        return bytes(plain)

    def encrypt(self, plain: bytes) -> bytes:
        """Return the encrypted text."""
        wanted = (
            self._vault_id if self._vault_id in dict(self._secrets) else _constant("DEFAULT_VAULT_ENCRYPT_IDENTITY")
        )
        vault_id, secret = match_encrypt_secret(self._secrets, encrypt_vault_id=wanted)
        return bytes(self._vault.encrypt(plain, secret, vault_id=vault_id))


class ActionModule(ActionBase):
    """Ensures that the file holds every secret."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the action; returns the task's result, without any secret."""
        super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(ARGUMENTS)
        path = Path(options["path"])
        try:
            return self._ensure(path, options["names"], task_vars or {})
        except (store.SecretsFileError, OSError) as error:
            raise AnsibleActionFail(f"secrets file {path}: {error}") from error

    def _ensure(self, path: Path, names: list[str], task_vars: dict[str, Any]) -> dict[str, Any]:
        store.refuse_shadowed(path)
        current = path.read_bytes() if path.exists() else None
        vault_secrets = self._loader._vault.secrets or []  # the only way to the run's vault passwords
        cipher = VaultCipher(vault_secrets)
        encrypted = current is not None and is_encrypted(current)
        encrypts = encrypted or bool(vault_secrets)
        plan = store.plan(
            current,
            # A secret that the inventory or the command line sets elsewhere is the operator's to keep.
            [name for name in names if name not in task_vars],
            cipher if encrypted else None,
            cipher if encrypts else None,
        )
        changes = list(plan.changes)
        if current is not None and path.stat().st_mode & 0o077:
            changes.append(f"mode {store.FILE_MODE:04o}")
        result: dict[str, Any] = {
            "changed": bool(changes),
            "path": str(path),
            "added": sorted(plan.added),
            "vars_file": str(path),
            "diff": [
                {
                    "before_header": str(path),
                    "after_header": str(path),
                    "before": "" if changes else "\n",
                    "after": "".join(f"{change}\n" for change in changes) or "\n",
                }
            ],
        }
        if self._task.check_mode:
            if plan.added:
                result["vars_file"] = _placeholders(plan.added)
            return result
        if changes:
            store.write(path, plan.content)
        if plan.added and not encrypts:
            result["warnings"] = [
                f"{path} is not encrypted: this run has no vault password. Give one (--vault-password-file) "
                "in the next run and the file is encrypted with it."
            ]
        return result


def _constant(name: str) -> Any:
    """Return one of Ansible's settings; it makes these names at run time, unseen by type checkers."""
    return vars(C)[name]


def _placeholders(added: dict[str, str]) -> str:
    """Write secrets of a check run, which nothing will ever use, to Ansible's folder of the run; return the path."""
    handle, path = tempfile.mkstemp(prefix="secrets-", suffix=".yml", dir=_constant("DEFAULT_LOCAL_TMP"))
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(f"{name}: {value}\n" for name, value in added.items())
    return path
