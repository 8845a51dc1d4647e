# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the options by which modules log in to Redis servers and Sentinels."""

from __future__ import annotations


class ModuleDocFragment:
    """Fragment C(trinitycore.mcp.redis_login)."""

    DOCUMENTATION = r"""
options:
  user:
    description: ACL user who may do what the module does, wherever it does it.
    type: str
    default: admin
  password:
    description: Password of that user.
    type: str
    required: true
  ca_file:
    description: Authority that signed the certificates.
    type: path
    required: true
  cert_file:
    description: Certificate of this host.
    type: path
    required: true
  key_file:
    description: Key of this host.
    type: path
    required: true
  timeout:
    description: Seconds to wait for each answer.
    type: float
    default: 3.0
"""
