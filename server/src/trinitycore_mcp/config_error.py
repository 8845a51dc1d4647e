"""The one exception of everything that reads configurations; apart, so that catching it costs no import."""


class ConfigError(Exception):
    """The configuration can't be used; the message names each key, its value and what is allowed, a line each."""
