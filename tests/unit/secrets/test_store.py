"""Adding secrets to a file without touching what is there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.trinitycore.mcp.plugins.module_utils.secrets import store


class Reversing:
    """A stand-in for a cipher, good enough to see when it is used."""

    def decrypt(self, data: bytes) -> bytes:
        return data[::-1]

    def encrypt(self, plain: bytes) -> bytes:
        return plain[::-1]


CIPHER = Reversing()


def test_new_file_has_every_name() -> None:
    plan = store.plan(None, ["a", "b"], None, None)
    assert yaml.safe_load(plan.content) == plan.added
    assert list(plan.added) == ["a", "b"]
    assert plan.changes == ["a: new", "b: new"]


def test_secrets_are_long_random_and_safe_to_write_anywhere() -> None:
    made = {store.generate_secret("a_password") for _ in range(100)}
    assert len(made) == 100
    assert all(len(secret) >= 43 and secret.isalnum() and secret.isascii() for secret in made)


def test_a_password_fits_where_a_server_takes_no_more() -> None:
    assert len(store.generate_secret("mysql_replication_password")) == 32


def test_what_is_there_is_kept_byte_by_byte() -> None:
    current = b"# mine\na: 'x'   # as I wrote it\nb: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162"
    plan = store.plan(current, ["a", "b", "c"], None, None)
    assert plan.content.startswith(current + b"\n")
    assert list(plan.added) == ["c"]


def test_nothing_to_do() -> None:
    plan = store.plan(b"a: x", ["a"], None, None)
    assert (plan.content, plan.added, plan.changes) == (b"a: x", {}, [])


@pytest.mark.parametrize("current", [b"", b"---\n", b"# nothing yet\n"])
def test_empty_file_is_filled(current: bytes) -> None:
    assert yaml.safe_load(store.plan(current, ["a"], None, None).content).keys() == {"a"}


def test_encrypted_file_stays_encrypted() -> None:
    plan = store.plan(b"a: x"[::-1], ["a", "b"], CIPHER, CIPHER)
    assert yaml.safe_load(plan.content[::-1]).keys() == {"a", "b"}
    unchanged = store.plan(b"a: x"[::-1], ["a"], CIPHER, CIPHER)
    assert (unchanged.content, unchanged.changes) == (b"a: x"[::-1], [])


def test_plain_file_is_encrypted_once_there_is_a_password() -> None:
    plan = store.plan(b"a: x\n", ["a"], None, CIPHER)
    assert plan.content[::-1] == b"a: x\n"
    assert plan.changes == ["encrypted with the run's vault password"]


@pytest.mark.parametrize("text", [b"- a\n", b"hunter2", b"a: [hunter2\nb"])
def test_rubbish_is_refused_without_showing_it(text: bytes) -> None:
    with pytest.raises(store.SecretsFileError) as raised:
        store.plan(text, ["a"], None, None)
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("name", ["a-b", "a: b", "1a", "é"])
def test_bad_names_are_refused(name: str) -> None:
    with pytest.raises(store.SecretsFileError, match="no name for a variable"):
        store.plan(None, [name], None, None)


def test_written_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "group_vars/all/secrets.yml"
    store.write(path, b"a: 1\n")
    path.chmod(0o644)
    store.write(path, b"a: 2\n")
    assert path.read_bytes() == b"a: 2\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("other", ["all", "all.yml", "all.yaml", "all.json"])
def test_folder_that_would_hide_a_file_is_refused(tmp_path: Path, other: str) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / other).write_text("x: 1\n")
    with pytest.raises(store.SecretsFileError, match="no longer be read"):
        store.refuse_shadowed(tmp_path / "group_vars/all/secrets.yml")
