"""Files of a component: all staged and validated first, then all replaced, and undone as one."""

from __future__ import annotations

import os
import re
import shlex
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as altered
from typing import Any

from . import commands
from .errors import ComponentError
from .ownership import Ownership
from .report import Report

_STAGED = ".ansible-staged."
# Around our lines in a file that others write too.
BLOCK_BEGIN = b"# BEGIN trinitycore.mcp\n"
BLOCK_END = b"# END trinitycore.mcp\n"
_SECRET_WORD = re.compile(r"[^\s\"'=:,;]{6,}")


@dataclass(frozen=True)
class WantedFile:
    """One wanted file: where, what, whose."""

    dest: str
    content: bytes
    ownership: Ownership
    secret: bool = False
    force: bool = True
    validate: str | None = None
    block: bool = False

    @property
    def staged(self) -> str:
        """Where the new content waits: beside the target, hidden from `*.conf` globs, same ending."""
        return os.path.join(os.path.dirname(self.dest), _STAGED + os.path.basename(self.dest))


@dataclass(frozen=True)
class Change:
    """A file whose content differs; `before` is None when there is none yet."""

    wanted: WantedFile
    before: bytes | None
    was: os.stat_result | None


def wanted_files(entries: list[dict[str, Any]], contents: dict[str, bytes]) -> list[WantedFile]:
    """Build the list from the option `files` and the unpacked `contents`; refuses what is ambiguous."""
    files: list[WantedFile] = []
    seen: set[str] = set()
    for entry in entries:
        dest: str = entry["dest"]
        if not os.path.isabs(dest):
            raise ComponentError(f"dest '{dest}' is not an absolute path")
        if dest in seen:
            raise ComponentError(f"{dest} is listed twice in files")
        seen.add(dest)
        validate: str | None = entry.get("validate")
        if validate is not None and "%s" not in validate:
            raise ComponentError(f"validate of {dest} lacks '%s', the place of the file to look at: {validate}")
        files.append(
            WantedFile(
                dest=dest,
                content=contents[dest],
                ownership=Ownership.of(entry),
                secret=bool(entry.get("secret")),
                force=bool(entry.get("force", True)),
                block=bool(entry.get("block")),
                validate=validate,
            )
        )
    return files


def redact(text: str, secrets: Iterable[bytes]) -> str:
    """`text` without the words of the `secrets`: programs quote the line they dislike."""
    for secret in secrets:
        words = set(_SECRET_WORD.findall(secret.decode("utf-8", "replace")))
        for word in sorted(words, key=len, reverse=True):
            text = text.replace(word, "********")
    return text


def _current(path: str) -> tuple[bytes | None, os.stat_result | None]:
    """Content and status of the regular file at `path`; a link or nothing counts as absent."""
    try:
        now = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None, None
    if stat.S_ISDIR(now.st_mode):
        raise ComponentError(f"{path} should be a file but is a directory")
    if not stat.S_ISREG(now.st_mode):
        return None, None
    with open(path, "rb") as stream:
        return stream.read(), now


def with_block(whole: bytes, content: bytes) -> bytes:
    """`whole` with our marked lines holding `content`; the lines of others stay as they are.

    Raises ComponentError when only one of the two marks is there.
    """
    block = BLOCK_BEGIN + content + (b"" if content.endswith(b"\n") else b"\n") + BLOCK_END
    begin, end = whole.find(BLOCK_BEGIN), whole.find(BLOCK_END)
    if (begin < 0) != (end < 0) or end < begin:
        raise ComponentError("one of the marks around our lines is gone, remove the other and what is left of them")
    if begin < 0:
        return whole + (b"" if not whole or whole.endswith(b"\n") else b"\n") + block
    return whole[:begin] + block + whole[end + len(BLOCK_END) :]


def compare(files: list[WantedFile], report: Report) -> list[Change]:
    """The files whose content differs; owner, group and mode of the others are mended at once."""
    changes: list[Change] = []
    for entry in files:
        wanted = entry
        before, now = _current(wanted.dest)
        if wanted.block:
            try:
                wanted = altered(wanted, content=with_block(before or b"", wanted.content))
            except ComponentError as error:
                raise ComponentError(f"{wanted.dest}: {error}") from error
        if now is None or (wanted.force and before != wanted.content):
            changes.append(Change(wanted, before, now))
            continue
        drift = wanted.ownership.drift(now)
        if drift:
            if not report.check:
                wanted.ownership.apply(wanted.dest)
            report.note(f"change {wanted.dest}: {', '.join(drift)}")
    return changes


def _write(path: str, wanted: WantedFile, own: bool) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)  # left by a run that was killed
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(wanted.content)
        stream.flush()
        if own:
            wanted.ownership.apply(stream.fileno())
            os.fsync(stream.fileno())


def _validate(wanted: WantedFile, path: str, report: Report) -> None:
    if wanted.validate is None:
        return
    argv = [word.replace("%s", path) for word in shlex.split(wanted.validate)]
    try:
        done = commands.run(argv)
    except FileNotFoundError as error:
        if report.check:  # its package is not installed yet
            return
        raise ComponentError(f"{wanted.dest} can't be validated: '{argv[0]}' is not installed") from error
    if done.code == 0:
        return
    said = "(output withheld: the file is secret)" if wanted.secret else done.text.replace(path, wanted.dest)
    message = f"{wanted.dest} is refused by '{wanted.validate}' (exit {done.code}): {said}"
    if not report.check:
        raise ComponentError(message)
    # What the validator misses may be what this very run would have made: tell, don't fail.
    report.warnings.append(f"in check mode: {message}")


def _discard(changes: list[Change]) -> None:
    for change in changes:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(change.wanted.staged)


def stage(changes: list[Change], report: Report) -> None:
    """Write all new contents beside their targets and validate each; on a refusal nothing is left."""
    if report.check:
        with tempfile.TemporaryDirectory() as room:
            for number, change in enumerate(changes):
                if change.wanted.validate is None:
                    continue
                place = os.path.join(room, str(number), os.path.basename(change.wanted.dest))
                os.mkdir(os.path.dirname(place))
                _write(place, change.wanted, own=False)
                _validate(change.wanted, place, report)
        return
    try:
        for change in changes:
            try:
                _write(change.wanted.staged, change.wanted, own=True)
            except (FileNotFoundError, NotADirectoryError) as error:
                raise ComponentError(
                    f"the directory of {change.wanted.dest} does not exist: list it in directories "
                    "or install its package"
                ) from error
        for change in changes:
            _validate(change.wanted, change.wanted.staged, report)
    except BaseException:
        _discard(changes)
        raise


def replace(changes: list[Change], report: Report) -> None:
    """Move every staged file into its place; when one can't be, those before are put back."""
    done: list[Change] = []
    if not report.check:
        try:
            for change in changes:
                os.replace(change.wanted.staged, change.wanted.dest)
                done.append(change)
        except OSError as error:
            restore(done)
            _discard(changes)
            raise ComponentError(f"{changes[len(done)].wanted.dest} can't be replaced: {error.strerror}") from error
    for change in changes:
        report.file(change.wanted.dest, change.before, change.wanted.content, change.wanted.secret)


def restore(changes: list[Change]) -> None:
    """Put the former contents of `changes` back; what was not there is removed again."""
    for change in changes:
        dest = change.wanted.dest
        if change.before is None or change.was is None:
            os.unlink(dest)
            continue
        staged = change.wanted.staged
        descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(change.before)
            stream.flush()
            os.chown(stream.fileno(), change.was.st_uid, change.was.st_gid)
            os.chmod(stream.fileno(), stat.S_IMODE(change.was.st_mode))
        os.utime(staged, ns=(change.was.st_atime_ns, change.was.st_mtime_ns))
        os.replace(staged, dest)
