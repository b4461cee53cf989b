"""Configuration: what is wrong is said in one sentence that names the cause and the cure."""

from pathlib import Path
from typing import Any

import pytest

from fedcorp import config
from fedcorp.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "no key `domain`"),
        ('domain = "a.localhost"\nnmae = "x"', "did you mean `name`"),
        ('domain = "a.localhost"\n[server]\nprot = 1', "did you mean `server.port`"),
        ('domain = "a.localhost"\nserver = 1', "must be a table"),
        ('domain = "a.localhost"\n[server]\nport = "80"', "a whole number"),
        ('domain = "a.localhost"\n[server]\nport = 99999', "between 0 and 65535"),
        ('domain = "a.localhost"\n[limits]\nenabled = 1', "true or false"),
        ('domain = "a.localhost"\n[federation]\nmode = "ajar"', "one of closed, open"),
        ('domain = "a.localhost"\n[federation]\nnetworks = ["nowhere"]', "no network"),
        ('domain = "a.localhost"\n[federation]\ndefault_reach = "far"', "one of department"),
        ('domain = "a.localhost"\n[server]\ntls_cert = "x"', "go together"),
        ('domain = "https://a.example"', "host name"),
        ('domain = "A.example"', "host name"),
        ('domain = "a.example"\nurl = "http://a.example"', "plain http"),
        ('domain = "a.example"\nurl = "https://a.example/path"', "without a path"),
        ('domain = "a.localhost"\nrules = ["Be kind.", " "]', "an empty line"),
        ('domain = "a.localhost"\n[push]\nservices = ["https://push.example.com"]', "which is no host name"),
        ('domain = "a.localhost"\n[push]\nservices = ["*"]', "which is no host name"),
        ('domain = "a.localhost"\nprivacy_policy = "nowhere.txt"', "which is no file"),
        ("domain = ", "not valid TOML"),
    ],
)
def test_one_sentence(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text))
    assert word in caught.value.text
    assert "\n" not in caught.value.text


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="fedcorp init"):
        config.load(tmp_path / "nothing.toml")


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        ({"domain": "finance.localhost:8001"}, "http://finance.localhost:8001"),
        ({"domain": "hr.example.com"}, "https://hr.example.com"),
        ({"domain": "hr.example.com", "url": "https://social.hr.example.com"}, "https://social.hr.example.com"),
        (
            {"domain": "hr.localhost", "server": {"tls_cert": "c", "tls_key": "k"}},
            "https://hr.localhost",
        ),
    ],
)
def test_the_origin(values: dict[str, Any], origin: str, tmp_path: Path) -> None:
    assert config.parse(values, folder=tmp_path).origin == origin


def test_closed_means_company_and_open_means_public(tmp_path: Path) -> None:
    assert config.parse({"domain": "a.localhost"}, folder=tmp_path).default_reach == "company"
    opened = {"domain": "a.localhost", "federation": {"mode": "open"}}
    assert config.parse(opened, folder=tmp_path).default_reach == "public"


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    made = config.parse({"domain": "a.localhost"}, folder=tmp_path)
    assert made.database_url == f"sqlite:///{tmp_path.resolve()}/fedcorp.db"
    assert made.media_folder == (tmp_path / "media").resolve()
