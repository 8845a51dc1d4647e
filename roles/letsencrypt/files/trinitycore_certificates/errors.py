"""What this program refuses or fails with."""

from __future__ import annotations


class CertificateError(Exception):
    """Something can't be done or isn't safe to do; the message is for the operator."""
