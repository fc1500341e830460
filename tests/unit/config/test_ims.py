"""The section of IMS: what belongs together, and what would show a token to the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from crossbuild.config.site import load_site
from crossbuild.errors import SpecError

SECTION = {
    "api": "https://gw.test/apis/ims/",
    "token_endpoint": "https://gw.test/token",
    "client_id": "c",
    "client_secret_file": "/etc/secret",
    "s3_endpoint": "http://rgw.test",
    "s3_credentials_file": "/etc/keys",
}


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def written(folder: Path, **changes: Any) -> Path:
    section = {key: value for key, value in {**SECTION, **changes}.items() if value is not None}
    (folder / "config.yaml").write_text(yaml.safe_dump({"provisioners": {"ims": section}}))
    return folder / "config.yaml"


def test_defaults(tmp_path: Path) -> None:
    found = load_site(written(tmp_path)).ims
    assert found
    assert (found.api, found.gateway) == ("https://gw.test/apis/ims", "https://gw.test/apis")
    assert (found.bucket, found.recipe_bucket, found.ca_bundle) == ("boot-images", "ims", None)
    assert load_site(tmp_path / "config.yaml").ims == found  # as it is remembered


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"client_id": None}, "belong together", id="no client"),
        pytest.param({"client_secret_file": None}, "belong together", id="no secret"),
        pytest.param({"token_endpoint": "http://gw.test/t"}, "must begin with https", id="token by http"),
        pytest.param({"api": "http://gw.test/ims"}, "must begin with https", id="IMS by http"),
        pytest.param({"gateway": "http://gw.test"}, "must begin with https", id="the others by http"),
        pytest.param({"api": "https://user:pw@gw.test/ims"}, "without a user name", id="password in a URL"),
        pytest.param({"api": "gw.test"}, "must be a URL", id="no URL"),
        pytest.param({"bucket": "Boot/Images"}, "bucket", id="no bucket"),
        pytest.param({"client_secret_file": "secret"}, "absolute", id="relative path"),
        pytest.param({"client_secret": "x"}, "no such key", id="a secret in the configuration"),
        pytest.param({"verify": False}, "no such key", id="no verification"),
        pytest.param({"timeout": 0}, "timeout", id="no time"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_site(written(tmp_path, **changes))
    assert words in caught.value.details


@pytest.mark.parametrize(
    "changes",
    [
        {
            "api": "http://127.0.0.1:8080/ims",
            "token_endpoint": "http://localhost/t",
            "gateway": "http://[::1]",
        },
        {"api": "http://cray-ims", "token_endpoint": None, "client_id": None, "client_secret_file": None},
    ],
    ids=["this host", "no token to show"],
)
def test_plain_http_where_it_shows_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert load_site(written(tmp_path, **changes)).ims
