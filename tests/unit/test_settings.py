"""Settings: flags win over the environment, and every fault is named with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigurationError
from pipeline.settings import SETTINGS, Settings, Url, masked
from pipeline.settings.document import document
from pipeline.settings.units import parse_bytes, parse_seconds, show_bytes, show_seconds


def test_nothing_set_gives_the_defaults() -> None:
    assert Settings.load({}, {}) == Settings()


def test_every_default_is_within_its_own_bounds() -> None:
    for setting in SETTINGS:
        if setting.default is not None and setting.kind is not str:
            assert setting.parse(setting.show(setting.default)) == setting.default, setting.name


def test_every_setting_says_what_it_means() -> None:
    for setting in SETTINGS:
        assert setting.meaning.endswith("."), setting.name
        assert setting.variables, setting.name


def test_a_flag_wins_over_the_environment() -> None:
    settings = Settings.load({"ORGSTREAM_PARTITIONS": "4"}, {"partitions": "8"})
    assert settings.partitions == 8


def test_an_empty_variable_is_unset() -> None:
    assert Settings.load({"ORGSTREAM_PARTITIONS": "", "DATABASE_URL": ""}, {}) == Settings()


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({"REDIS_URL": "redis://plain"}, "redis://plain"),
        ({"REDIS_URL": "redis://plain", "REDIS_TLS_URL": "rediss://tls"}, "rediss://tls"),
        ({"REDIS_URL": "redis://plain", "REDIS_TLS_URL": ""}, "redis://plain"),
    ],
)
def test_the_redis_url_with_tls_is_preferred(environ: dict[str, str], url: str) -> None:
    assert Settings.load(environ, {}).redis_url == url


def test_quantities_are_read_with_their_units() -> None:
    settings = Settings.load(
        {
            "ORGSTREAM_RETENTION": "36h",
            "ORGSTREAM_LEASE_SECONDS": "2.5",
            "ORGSTREAM_STREAM_MAX_BYTES": "1GiB",
            "ORGSTREAM_RULES": "rules/",
            "ORGSTREAM_LOG_FORMAT": "json",
        },
        {},
    )
    assert settings.retention == 36 * 3600
    assert settings.lease_seconds == 2.5
    assert settings.stream_max_bytes == 2**30
    assert settings.rules == Path("rules")
    assert settings.log_format == "json"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        (
            "ORGSTREAM_PARTITIONS",
            "0",
            "too small. Set it to a whole number from 1 to 256; the default is 16.",
        ),
        ("ORGSTREAM_PARTITIONS", "257", "too large"),
        ("ORGSTREAM_PARTITIONS", "many", "not a whole number"),
        ("ORGSTREAM_RETENTION", "7 weeks", "not a duration. Set it to a duration such as 45s or 7d"),
        ("ORGSTREAM_RETENTION", "-1d", "not a number with a unit"),
        ("ORGSTREAM_RETENTION", "nan", "not a number with a unit"),
        ("ORGSTREAM_STREAM_MAX_BYTES", "64MB", "not a size. Set it to a size such as 64MiB or 1GiB"),
        ("ORGSTREAM_STREAM_MAX_BYTES", "1B", "at least 1MiB"),
        ("ORGSTREAM_LOG_LEVEL", "loud", "Set it to debug or info or warning or error; the default is info."),
        ("DATABASE_URL", "mysql://host/db", "Set it to a URL that begins with postgres:// or postgresql://"),
        ("PORT", "65536", "from 0 to 65535"),
    ],
)
def test_a_bad_value_is_named_with_its_remedy(variable: str, value: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({variable: value}, {})
    assert str(refused.value).startswith(f'{variable} is "{value}": ')
    assert told in str(refused.value)


def test_a_bad_flag_is_named_as_a_flag() -> None:
    with pytest.raises(ConfigurationError, match=r'^--lease-seconds is "soon": '):
        Settings.load({}, {"lease_seconds": "soon"})


@pytest.mark.parametrize(
    ("unknown", "suggested"),
    [
        ("ORGSTREAM_PARTITONS", "Did you mean ORGSTREAM_PARTITIONS?"),
        ("ORGSTREAM_DATABASE_URL", "Did you mean DATABASE_URL?"),
        ("ORGSTREAM_XYZZY", "`orgstream settings` lists all of them."),
    ],
)
def test_an_unknown_variable_is_refused_with_a_suggestion(unknown: str, suggested: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({unknown: "1"}, {})
    assert str(refused.value) == f"{unknown} is not a setting. {suggested}"


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({"ORGSTREAM_PARTITIONS": "x", "ORGSTREAM_NOPE": "1"}, {"retention": "y"})
    assert len(str(refused.value).splitlines()) == 3


def test_variables_of_others_are_none_of_our_business() -> None:
    assert Settings.load({"ORGSTREAMING": "1", "PGHOST": "x"}, {}) == Settings()


def test_a_url_that_is_needed_and_missing_is_asked_for() -> None:
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL is not set"):
        Settings().require_database_url()
    with pytest.raises(ConfigurationError, match=r"^REDIS_URL is not set"):
        Settings().require_redis_url()
    assert Settings(redis_url=Url("redis://h")).require_redis_url() == "redis://h"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://user:secret@host/db", "postgres://user:***@host/db"),
        ("postgres://user:se/cr@et@host/db?a=b", "postgres://user:***@host/db?a=b"),
        ("redis://:secret@host", "redis://:***@host"),
        (
            "postgres://host/db?password=secret&sslpassword=secret&x=1",
            "postgres://host/db?password=***&sslpassword=***&x=1",
        ),
        ("host=h password='secret secret' port=1", "host=h password=*** port=1"),
        ("could not reach redis://u:secret@h:1 now", "could not reach redis://u:***@h:1 now"),
        ("postgres://user@host/db", "postgres://user@host/db"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_passwords_are_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_no_repr_shows_a_password() -> None:
    url = Url("postgres://user:secret@host/db")
    settings = Settings(database_url=url)
    assert "secret" in url
    assert "secret" not in f"{url!r} {settings!r} {settings}"


def test_a_fault_of_a_url_does_not_show_its_password() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Settings.load({"DATABASE_URL": "mysql://user:secret@host/db"}, {})
    assert "secret" not in str(refused.value)


@given(st.integers(min_value=0, max_value=2**50))
def test_sizes_survive_being_shown(size: int) -> None:
    assert parse_bytes(show_bytes(size)) == size


@given(st.integers(min_value=0, max_value=10**12).map(lambda milliseconds: milliseconds / 1000))
def test_durations_survive_being_shown(seconds: float) -> None:
    assert parse_seconds(show_seconds(seconds)) == seconds


def test_the_page_of_settings_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text() == document(), "run: python -m pipeline.settings.document > docs/settings.md"
