# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation of the action plugin host_certificate."""

from __future__ import annotations

DOCUMENTATION = """
module: host_certificate
author: The trinitycore.mcp authors
version_added: 2.0.0
short_description: A certificate for a host, signed by an internal CA on the controller
description:
  - Makes a private key on the host, signs a certificate for it on the controller and puts both certificates in place.
    The host's private key never leaves the host, the CA's never leaves the controller.
  - The certificate serves both sides of TLS, server and client.
  - It is renewed when it is missing, when its names or subject differ, when another authority signed it, when it
    belongs to another key, or when fewer than O(renew_before_days) days remain.
  - One round trip when there is nothing to do, two when a certificate is signed.
  - Works in check mode also on a host, or with a CA, that does not exist yet.
requirements:
  - cryptography on the controller
  - openssl on the host
options:
  directory:
    description: Folder on the host for C(ca.crt) (0644), C(host.crt) (0644) and C(host.key) (0640).
    type: path
    required: true
  group:
    description: Group that may read the private key; made as a system group if missing.
    type: str
    required: true
  common_name:
    description: Common name of the certificate's subject.
    type: str
    required: true
  subject_alt_names:
    description: Names of the host, each C(DNS:name) or C(IP:address).
    type: list
    elements: str
    required: true
  authority_certificate:
    description: The CA's certificate, a PEM file on the controller.
    type: path
    required: true
  authority_key:
    description: The CA's encrypted private key, a PEM file on the controller.
    type: path
    required: true
  authority_passphrase:
    description: Passphrase of O(authority_key).
    type: str
    required: true
  valid_days:
    description: How long a new certificate is valid, but never longer than the CA itself.
    type: int
    default: 365
  renew_before_days:
    description: A certificate with fewer days left is renewed.
    type: int
    default: 30
attributes:
  action:
    support: full
  check_mode:
    support: full
  diff_mode:
    support: full
"""

EXAMPLES = """
- name: Certificate of this host
  trinitycore.mcp.host_certificate:
    directory: /etc/trinitycore-pki
    group: trinitycore-tls
    common_name: "{{ inventory_hostname }}"
    subject_alt_names:
      - "DNS:{{ inventory_hostname }}"
      - "IP:{{ ansible_host }}"
    authority_certificate: "{{ inventory_dir }}/pki/ca.crt"
    authority_key: "{{ inventory_dir }}/pki/ca.key"
    authority_passphrase: "{{ pki_ca_passphrase }}"
"""

RETURN = """
renewed:
  description: Why a new certificate was, or in check mode would be, signed. Empty if the current one is good.
  returned: success
  type: list
  elements: str
not_after:
  description: End of the certificate's validity, ISO 8601. Empty in check mode if it is not signed yet.
  returned: success
  type: str
"""
