"""A whole system on loopback: S3, IMS behind its gateway, and a configuration that leads there."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.fakes.ims import s3 as storage
from tests.fakes.ims.gateway import CLIENT, SECRET, TOKEN_PATH, Gateway
from tests.fakes.ims.service import Ims
from tests.fakes.ims.web import Site, serving


@dataclass(frozen=True, kw_only=True)
class System:
    """What a test may look at and disturb."""

    s3: Any
    """The tests' own client of S3."""
    storage: Site
    gateway: Site
    services: Gateway
    folder: Path
    """Where configuration, secrets and state lie."""

    @property
    def ims(self) -> Ims:
        return self.services.ims

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def section(self, **changes: Any) -> dict[str, Any]:
        """Return `provisioners` of a configuration but for *changes* to it; None takes a key out."""
        section = {
            "api": f"{self.gateway.url}/apis/ims",
            "token_endpoint": f"{self.gateway.url}{TOKEN_PATH}",
            "client_id": CLIENT,
            "client_secret_file": str(self.folder / "client-secret"),
            "s3_endpoint": self.storage.url,
            "s3_credentials_file": str(self.folder / "s3-keys"),
            "timeout": 20,
            **changes,
        }
        return {"ims": {key: value for key, value in section.items() if value is not None}}

    def configure(self, **changes: Any) -> Path:
        """Write the configuration with that section."""
        site = {"state": str(self.folder / "state"), "provisioners": self.section(**changes)}
        self.config.write_text(yaml.safe_dump(site))
        return self.config

    def objects(self, bucket: str = "boot-images") -> list[str]:
        """Return the keys of all objects."""
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]

    def uploads(self) -> list[Any]:
        """Return the uploads that nobody finished."""
        found: list[Any] = self.s3.list_multipart_uploads(Bucket="boot-images").get("Uploads", [])
        return found

    def is_empty(self) -> bool:
        """Whether IMS and S3 hold nothing at all."""
        records = [*self.ims.tables.values(), *self.ims.deleted.values()]
        return not any(records) and not self.objects() and not self.objects("ims") and not self.uploads()


@contextlib.contextmanager
def running(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[System]:
    """Run a system with nothing in it while the block lasts, its files in *folder*.

    With *tls*, the gateway and S3 speak it, but for the tests' own client and IMS there is another way in.
    """
    application = storage.S3()
    with serving(application) as inner, serving(application, tls) as s3_site:
        s3 = storage.client(inner.url)
        storage.reset(s3)
        services = Gateway(Ims(s3))
        with serving(services, tls) as gateway:
            system = System(s3=s3, storage=s3_site, gateway=gateway, services=services, folder=folder)
            write_secret(folder / "client-secret", f"{SECRET}\n")
            keys = f"aws_access_key_id = {storage.ACCESS_KEY}\naws_secret_access_key = {storage.SECRET_KEY}\n"
            write_secret(folder / "s3-keys", f"[default]\n{keys}")
            system.configure()
            yield system


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(text)
