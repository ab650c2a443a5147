"""Settings: one TOML file, `GROUNDSWELL_*` variables over it, the command line over both.

`SETTINGS` is the list of all there is; docs/configuration.md is made from it
(`python -m web.config > docs/configuration.md`).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sync.limits import Limits
from wiki.errors import Misconfigured

PREFIX = "GROUNDSWELL_"
MIB = 1024 * 1024


class Setting(NamedTuple):
    """`name` as in TOML, with its table; the field of `Config` is the same with `_`."""

    name: str
    default: str | int | float | bool
    doc: str

    @property
    def field(self) -> str:
        return self.name.replace(".", "_")

    @property
    def variable(self) -> str:
        return PREFIX + self.field.upper()


SETTINGS = (
    Setting("server.host", "127.0.0.1", "The address to listen on; `0.0.0.0` for all."),
    Setting("server.port", 8000, "The port to listen on."),
    Setting(
        "server.url",
        "",
        "How people reach the site, such as `https://ideas.acme.example`. Empty: the host and "
        "port above. With `https`, cookies are sent over HTTPS only.",
    ),
    Setting(
        "server.trusted_proxies",
        "127.0.0.1",
        "Addresses, separated by commas, of proxies whose `X-Forwarded-*` headers are believed.",
    ),
    Setting("data.folder", "data", "Where everything is kept: database, files, key, index."),
    Setting("files.quota_mib", 10_240, "How much all files of the site may take, in MiB."),
    Setting("search.engine", "tantivy", "`tantivy`, or `whoosh` (pure Python, slower)."),
    Setting("record.quiet_seconds", 30, "A page is sealed into the record after resting so long."),
    Setting(
        "record.scrub_seconds",
        60,
        "How often an open page, one after the other, is compared with what is on disk; 0: never.",
    ),
    Setting(
        "limits.sockets_per_person",
        64,
        "Pages that one person may have open at once. 0 is no limit, here and below.",
    ),
    Setting(
        "limits.sockets_per_address",
        512,
        "Pages that may be open at once from one address (of IPv6, from one /64). Trusted proxies "
        "are not counted, those whom they speak for are.",
    ),
    Setting(
        "limits.joins_per_minute",
        600,
        "How often pages may be opened from one address; as many at once.",
    ),
    Setting(
        "limits.refusals_per_minute",
        20,
        "How often one person may be closed for what no honest client sends, and come back; twenty "
        "times at once.",
    ),
    Setting(
        "limits.frames_per_second",
        500,
        "Messages that one open page may send, in the long run; one person four times as many. Who "
        "sends more is slowed, and after 30 seconds of that closed.",
    ),
    Setting("limits.kib_per_second", 1024, "The same for KiB."),
    Setting(
        "limits.work_ms_per_second",
        100,
        "The same for the processor time that the messages cost the server, in milliseconds.",
    ),
    Setting(
        "limits.harm_ms_per_second",
        50,
        "Processor time, in milliseconds, for all together who were closed a few times lately for "
        "what no honest client sends. What they send beyond that is not read.",
    ),
    Setting(
        "limits.remarks_per_minute",
        60,
        "Comments, answers, votes and offers of one person, in the long run; as many at once.",
    ),
    Setting(
        "federation.contact", "", "Whom other sites' stewards can write to; they are shown it."
    ),
    Setting(
        "federation.redactions",
        True,
        "Whether what other sites redact of their pages is taken out here, too. They are told.",
    ),
    Setting(
        "federation.loopback",
        False,
        "For trials on one machine: connect with sites at loopback addresses, over plain HTTP.",
    ),
    Setting("log.level", "info", "`debug`, `info`, `warning` or `error`."),
    Setting("log.json", False, "One JSON object a line, instead of text for people."),
    Setting(
        "metrics.token",
        "",
        "Who may read `/metrics`: `Authorization: Bearer <token>`. Empty: this machine only.",
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of one run; see `SETTINGS` for what they mean."""

    server_host: str
    server_port: int
    server_url: str
    server_trusted_proxies: str
    data_folder: str
    files_quota_mib: int
    search_engine: str
    record_quiet_seconds: int
    record_scrub_seconds: int
    limits_sockets_per_person: int
    limits_sockets_per_address: int
    limits_joins_per_minute: int
    limits_refusals_per_minute: int
    limits_frames_per_second: int
    limits_kib_per_second: int
    limits_work_ms_per_second: int
    limits_harm_ms_per_second: int
    limits_remarks_per_minute: int
    federation_contact: str
    federation_redactions: bool
    federation_loopback: bool
    log_level: str
    log_json: bool
    metrics_token: str

    @property
    def folder(self) -> Path:
        return Path(self.data_folder)

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        host = f"[{self.server_host}]" if ":" in self.server_host else self.server_host
        return self.server_url.rstrip("/") or f"http://{host}:{self.server_port}"

    @property
    def is_https(self) -> bool:
        return self.url.startswith("https:")

    @property
    def limits(self) -> Limits:
        """Of what comes over open pages."""
        return Limits(
            self.limits_sockets_per_person,
            self.limits_refusals_per_minute,
            self.limits_frames_per_second,
            self.limits_kib_per_second,
            self.limits_work_ms_per_second,
            self.limits_harm_ms_per_second,
        )

    @property
    def quota_bytes(self) -> int:
        return self.files_quota_mib * MIB


def load(
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    given: Mapping[str, Any] | None = None,
) -> Config:
    """The settings in force. Raises Misconfigured for what is unknown or cannot be."""
    values: dict[str, Any] = {setting.name: setting.default for setting in SETTINGS}
    values |= _from_file(file) if file is not None else {}
    values |= _from_environment(environment)
    values |= {name: value for name, value in (given or {}).items() if value is not None}
    for setting in SETTINGS:
        values[setting.name] = _checked(setting, values[setting.name])
    _check(values)
    return Config(**{setting.field: values[setting.name] for setting in SETTINGS})


def reference() -> str:
    """docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Made from `web/config.py`; change it there, then `python -m web.config > "
        "docs/configuration.md`.",
        "",
        "Settings come from a TOML file (`scripts/serve --config groundswell.toml`), from "
        "variables, and from the command line (`--host`, `--port`, `--data`), each over the one "
        "before. A name that is not in this list is refused.",
        "",
        "| in the file | variable | default | meaning |",
        "|---|---|---|---|",
    ]
    for setting in SETTINGS:
        default = f"`{_toml(setting.default)}`"
        lines.append(f"| `{setting.name}` | `{setting.variable}` | {default} | {setting.doc} |")
    lines += ["", "A file:", "", "```toml", "[server]", 'url = "https://ideas.acme.example"']
    lines += ["port = 8080", "", "[search]", 'engine = "whoosh"', "```", ""]
    return "\n".join(lines)


def _toml(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(file.read_text())
    except OSError as error:
        raise Misconfigured(str(file), f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(str(file), f"is not TOML: {error}") from error
    found: dict[str, Any] = {}
    for table, entries in tables.items():
        if not isinstance(entries, dict):
            raise Misconfigured(table, "is unknown; settings stand in tables such as [server]")
        found |= {f"{table}.{name}": value for name, value in entries.items()}
    known = {setting.name for setting in SETTINGS}
    for name in found:
        if name not in known:
            raise Misconfigured(name, "is unknown; see docs/configuration.md for what there is")
    return found


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    by_variable = {setting.variable: setting.name for setting in SETTINGS}
    found = {}
    for variable, value in environment.items():
        if variable.startswith(PREFIX):
            if variable not in by_variable:
                raise Misconfigured(variable, "is unknown; see docs/configuration.md")
            found[by_variable[variable]] = value
    return found


def _checked(setting: Setting, value: Any) -> Any:
    wanted = type(setting.default)
    if isinstance(value, str) and wanted is bool:
        if value.lower() not in ("true", "false", "1", "0"):
            raise Misconfigured(setting.name, "is true or false")
        return value.lower() in ("true", "1")
    if isinstance(value, str) and wanted is int:
        if not value.isascii() or not value.isdigit():
            raise Misconfigured(setting.name, f"is a whole number, not “{value}”")
        return int(value)
    if type(value) is not wanted:
        raise Misconfigured(setting.name, f"is a {wanted.__name__}, not “{value}”")
    return value


def _check(values: Mapping[str, Any]) -> None:
    if not 0 <= values["server.port"] <= 65_535:
        raise Misconfigured("server.port", "is from 0 (any free one) to 65535")
    for name, value in values.items():
        if isinstance(value, int) and value < 0:
            raise Misconfigured(name, "is 0 or more")
    if values["search.engine"] not in ("tantivy", "whoosh"):
        raise Misconfigured("search.engine", "is tantivy or whoosh")
    if values["log.level"] not in ("debug", "info", "warning", "error"):
        raise Misconfigured("log.level", "is debug, info, warning or error")
    url = values["server.url"]
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        raise Misconfigured("server.url", "begins with https:// or http:// and names a host")
    if url and urlsplit(url).path.strip("/"):
        raise Misconfigured("server.url", "has no path: the site is at the root of its host")


assert [setting.field for setting in SETTINGS] == [field.name for field in fields(Config)]

if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - it is what this command is for
