"""Settings: what there is, where it comes from, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from web import config
from wiki.errors import Misconfigured

DOCS = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_reference_is_fresh() -> None:
    assert DOCS.read_text() == config.reference(), "python -m web.config > docs/configuration.md"


def test_each_source_stands_over_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "groundswell.toml"
    file.write_text('[server]\nport = 1\nhost = "0.0.0.0"\n[log]\njson = true\n')
    environment = {"GROUNDSWELL_SERVER_PORT": "2", "GROUNDSWELL_LOG_LEVEL": "debug", "HOME": "/"}
    found = config.load(file, environment, {"server.port": 3, "data.folder": None})
    assert (found.server_host, found.server_port) == ("0.0.0.0", 3)
    assert (found.log_level, found.log_json, found.data_folder) == ("debug", True, "data")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[server]\nprot = 1", "server.prot"),
        ("[sever]\nport = 1", "sever.port"),
        ("port = 1", "port"),
        ('[server]\nport = "x"', "server.port"),
        ("[server]\nport = true", "server.port"),
        ("[server]\nport = 70000", "server.port"),
        ("[server]\nhost = 1", "server.host"),
        ('[search]\nengine = "grep"', "search.engine"),
        ('[log]\nlevel = "loud"', "log.level"),
        ('[log]\njson = "maybe"', "log.json"),
        ('[server]\nurl = "ideas.example"', "server.url"),
        ('[server]\nurl = "https://ideas.example/wiki"', "server.url"),
        ("[files]\nquota_mib = -1", "files.quota_mib"),
        ("[limits]\njoins_per_minute = -1", "limits.joins_per_minute"),
        ("[record]\nquiet_seconds = -1", "record.quiet_seconds"),
    ],
)
def test_what_is_unknown_or_cannot_be_is_refused_by_name(
    tmp_path: Path, text: str, name: str
) -> None:
    file = tmp_path / "groundswell.toml"
    file.write_text(text)
    with pytest.raises(Misconfigured) as told:
        config.load(file, {})
    assert told.value.setting == name and str(told.value).startswith(f"Setting {name}: ")


def test_an_unknown_variable_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="GROUNDSWELL_SERVER_PROT"):
        config.load(None, {"GROUNDSWELL_SERVER_PROT": "1"})
    with pytest.raises(Misconfigured, match="cannot be read"):
        config.load(tmp_path / "nowhere.toml", {})
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="is not TOML"):
        config.load(tmp_path / "bad.toml", {})


def test_the_address_has_no_slash_at_its_end_and_says_whether_it_is_https() -> None:
    here = config.load(None, {}, {"server.url": "https://ideas.example/"})
    assert (here.url, here.is_https) == ("https://ideas.example", True)
    there = config.load(None, {}, {"server.host": "::1", "server.port": 1})
    assert (there.url, there.is_https) == ("http://[::1]:1", False)
