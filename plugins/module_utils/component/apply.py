"""One component of a host, brought to its wanted state."""

from __future__ import annotations

import shlex
from typing import Any

from . import accounts, commands, files, paths
from .errors import ComponentError
from .report import Report
from .systemd import Systemd
from .units import Units, is_definition
from .watch import ABSENT, Stamps, Watch, digest


class _Checks:
    """The commands of the option `check`, run at most once a call."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._done = False

    def run(self) -> None:
        """Run each; ComponentError with the output of the first that fails."""
        if self._done:
            return
        self._done = True
        for line in self._lines:
            commands.require(shlex.split(line), "check failed")


def apply(
    options: dict[str, Any], contents: dict[str, bytes], systemd: Systemd, stamps: Stamps, report: Report
) -> None:
    """Bring groups, users, directories, files, links, absent paths and units to what `options` say.

    `options` are the module's parameters, `contents` the files' contents by destination. What was
    done is added to `report`. Raises ComponentError; before that, either no file or every file of
    the call was replaced.
    """
    for group in options["groups"]:
        accounts.ensure_group(group, report)
    for user in options["users"]:
        accounts.ensure_user(user, report)
    for directory in options["directories"]:
        paths.ensure_directory(directory, report)

    wanted = files.wanted_files(options["files"], contents)
    changes = files.compare(wanted, report)
    files.stage(changes, report)
    files.replace(changes, report)
    for path in options["absent"]:
        paths.ensure_absent(path, report)
    for link in options["links"]:
        paths.ensure_link(link, report)

    checks = _Checks(options["check"])
    if report.changed_files and not report.check:
        try:
            checks.run()
        except ComponentError as error:
            files.restore(changes)
            report.taken_back([change.wanted.dest for change in changes])
            raise ComponentError(f"the new files are refused, the former ones are back: {error}") from error

    foreseen: dict[str, str] = {}
    if report.check:
        foreseen = dict.fromkeys(report.changed_files, ABSENT)
        foreseen.update(
            {link["path"]: f"link:{link['target']}" for link in options["links"] if link["path"] in foreseen}
        )
        foreseen.update({change.wanted.dest: digest(change.wanted.content) for change in changes})
    if options["units"] or any(map(is_definition, report.changed_files)):
        units = Units(
            systemd,
            report,
            Watch(foreseen),
            stamps,
            written=[file.dest for file in wanted],
            before_acting=checks.run,
        )
        units.ensure(options["units"], reload_needed=any(map(is_definition, report.changed_files)))


def secrets_of(options: dict[str, Any], contents: dict[str, bytes]) -> list[bytes]:
    """Contents of the files marked secret: their words must not appear in any message."""
    return [contents[entry["dest"]] for entry in options["files"] if entry.get("secret") and entry["dest"] in contents]
