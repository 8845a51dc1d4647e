# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Action of host_certificate: the host keeps its key, the controller signs."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.trinitycore.mcp.plugins.module_utils.pki import signing

ARGUMENTS: dict[str, dict[str, Any]] = {
    "directory": {"type": "path", "required": True},
    "group": {"type": "str", "required": True},
    "common_name": {"type": "str", "required": True},
    "subject_alt_names": {"type": "list", "elements": "str", "required": True},
    "authority_certificate": {"type": "path", "required": True},
    "authority_key": {"type": "path", "required": True},
    "authority_passphrase": {"type": "str", "required": True, "no_log": True},
    "valid_days": {"type": "int", "default": 365},
    "renew_before_days": {"type": "int", "default": 30},
}
NO_LIFETIME_LEFT = datetime.timedelta(days=365)


class ActionModule(ActionBase):
    """Compares what the host has with what it should have; signs and installs on a difference."""

    TRANSFERS_FILES = False
    _requires_connection = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the action; returns the task's result."""
        super().run(tmp, task_vars)
        _, options = self.validate_argument_spec(ARGUMENTS)
        try:
            return self._ensure(options, task_vars or {})
        except signing.SigningError as error:
            raise AnsibleActionFail(f"certificate of {options['common_name']}: {error}") from error

    def _ensure(self, options: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        wanted = signing.WantedCertificate(
            common_name=options["common_name"],
            subject_alt_names=tuple(dict.fromkeys(options["subject_alt_names"])),
            valid_days=options["valid_days"],
            renew_before_days=options["renew_before_days"],
        )
        result = self._on_host(options, task_vars)
        if result.get("failed"):
            return result
        current, public_key, trusted = (str(result.pop(key)) for key in ("certificate", "public_key", "authority"))
        authority_file = Path(options["authority_certificate"])
        check_mode = bool(self._task.check_mode)
        if not authority_file.exists() and check_mode:
            authority_text, authority = "", None
            reasons = ["the authority is not made yet"]
        else:
            authority_text, authority = _read_authority(authority_file)
            now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
            reasons = signing.reasons_to_renew(current, public_key, authority, wanted, now)
            if authority.not_valid_after_utc - now < NO_LIFETIME_LEFT:
                result["warnings"] = [f"the CA {authority_file} expires on {authority.not_valid_after_utc:%Y-%m-%d}"]

        renewed_pem = ""
        if reasons and authority is not None and not check_mode:
            key = signing.load_authority_key(Path(options["authority_key"]), options["authority_passphrase"])
            renewed_pem = signing.sign(public_key, authority, key, wanted, now).pem
        if not check_mode and (renewed_pem or trusted != authority_text):
            installed = self._on_host(options, task_vars, {"authority": authority_text, "certificate": renewed_pem})
            if installed.get("failed"):
                return installed

        directory = options["directory"]
        if trusted != authority_text or authority is None:
            result["diff"].append(
                _difference(f"{directory}/ca.crt", _summary(trusted), _summary(authority_text) or ["a new CA"])
            )
        if reasons:
            after = _summary(renewed_pem) or [
                f"new certificate, because {'; '.join(reasons)}",
                f"names: {', '.join(sorted(wanted.subject_alt_names))}",
                f"valid for {wanted.valid_days} days",
            ]
            result["diff"].append(_difference(f"{directory}/host.crt", _summary(current), after))
        valid = renewed_pem or ("" if reasons else current)
        result.update(
            changed=bool(result["diff"]),
            renewed=reasons,
            not_after=signing.load_certificate(valid).not_valid_after_utc.isoformat() if valid else "",
        )
        result.pop("invocation", None)
        return result

    def _on_host(
        self, options: dict[str, Any], task_vars: dict[str, Any], install: dict[str, str] | None = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name="trinitycore.mcp.host_certificate_files",
            module_args={"directory": options["directory"], "group": options["group"], **(install or {})},
            task_vars=task_vars,
        )
        return result


def _read_authority(path: Path) -> tuple[str, Any]:
    try:
        text = path.read_text(encoding="ascii")
    except OSError as error:
        raise signing.SigningError(f"authority {path}: {error.strerror}") from error
    return text, signing.load_certificate(text)


def _summary(pem: str) -> list[str]:
    if not pem:
        return []
    try:
        return signing.describe(signing.load_certificate(pem))
    except signing.SigningError:
        return ["unreadable"]


def _difference(path: str, before: list[str], after: list[str]) -> dict[str, str]:
    text = {
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
    return {"before_header": path, "after_header": path, **text}
