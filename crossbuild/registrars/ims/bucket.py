"""One S3 bucket, as the Ceph gateway of a site serves it; the place for boto3."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from crossbuild.errors import ProvisionerError
from crossbuild.model.ims import ImsAccess
from crossbuild.registrars.ims.answers import ENOUGH, LONGEST, trust_advice
from crossbuild.registrars.ims.credentials import read_s3_keys
from crossbuild.registrars.ims.stored import StoredObject, StoredPart

CONNECT_SECONDS = 10
CONNECTIONS = 16
MISSING = frozenset({"404", "NoSuchKey", "NoSuchUpload", "NotFound"})
ADVICE = {
    "NoSuchBucket": "Create the bucket, or correct its name under `provisioners.ims` in the configuration.",
    "QuotaExceeded": "Raise the quota of the bucket or its user, or delete images that nobody needs.",
    "EntityTooLarge": "Make the image smaller, or let S3 take larger objects.",
}
KEYS_ADVICE = "Check the keys in {file}, and that they may write to the bucket."


class Bucket:
    """Reads and writes objects of one bucket; everything that is refused is a ProvisionerError."""

    def __init__(self, access: ImsAccess, name: str) -> None:
        self.name = name
        self._access = access
        self._client = _client(access)

    def check(self) -> None:
        """Raise ProvisionerError if the bucket is not there or the keys do not open it."""
        with self._told(f"look into the bucket {self.name}"):
            self._client.list_objects_v2(Bucket=self.name, MaxKeys=1)

    def url(self, key: str) -> str:
        """Return how manifests name an object."""
        return f"s3://{self.name}/{key}"

    def find(self, key: str) -> StoredObject | None:
        """Return what S3 says of the object *key*, None where there is none."""
        try:
            with self._told(f"look at {self.url(key)}"):
                head = self._client.head_object(Bucket=self.name, Key=key)
        except _MissingError:
            return None
        return StoredObject(
            size=head["ContentLength"],
            etag=_plain(head["ETag"]),
            md5=head["Metadata"].get("md5sum", ""),
            encrypted="ServerSideEncryption" in head or "SSECustomerAlgorithm" in head,
        )

    def read(self, key: str, limit: int) -> bytes:
        """Return the first *limit* bytes of the object *key*."""
        with self._told(f"read {self.url(key)}"):
            body = self._client.get_object(Bucket=self.name, Key=key)["Body"]
            with contextlib.closing(body):
                return bytes(body.read(limit))

    def keys(self, prefix: str) -> list[str]:
        """Return the keys of all objects that begin with *prefix*."""
        with self._told(f"list {self.url(prefix)}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
            return [item["Key"] for page in pages for item in page.get("Contents", ())]

    def put(self, key: str, body: bytes, metadata: dict[str, str]) -> None:
        """Write a small object, whole; S3 refuses it if it does not arrive as it was signed."""
        with self._told(f"write {self.url(key)}"):
            self._client.put_object(Bucket=self.name, Key=key, Body=body, Metadata=metadata)

    def delete(self, key: str) -> None:
        """Delete the object *key*; it may be gone already."""
        with self._told(f"delete {self.url(key)}"):
            self._client.delete_object(Bucket=self.name, Key=key)

    def uploads(self, prefix: str) -> list[tuple[str, str]]:
        """Return key and id of each upload below *prefix* that is not finished, the oldest first."""
        with self._told(f"list uploads to {self.url(prefix)}"):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.name, Prefix=prefix
            )
            found = [item for page in pages for item in page.get("Uploads", ())]
        ordered = sorted(found, key=lambda item: (item["Initiated"], item["UploadId"]))
        return [(item["Key"], item["UploadId"]) for item in ordered]

    def begin(self, key: str, metadata: dict[str, str]) -> str:
        """Begin an upload in parts and return its id."""
        with self._told(f"begin the upload of {self.url(key)}"):
            found = self._client.create_multipart_upload(Bucket=self.name, Key=key, Metadata=metadata)
        return str(found["UploadId"])

    def parts(self, key: str, upload: str) -> dict[int, StoredPart]:
        """Return the parts that have arrived, by number."""
        with self._told(f"list parts of {self.url(key)}"):
            pages = self._client.get_paginator("list_parts").paginate(
                Bucket=self.name, Key=key, UploadId=upload
            )
            return {
                part["PartNumber"]: StoredPart(size=part["Size"], etag=_plain(part["ETag"]))
                for page in pages
                for part in page.get("Parts", ())
            }

    def put_part(self, key: str, upload: str, number: int, body: bytes) -> str:
        """Send a part and return its etag; S3 refuses it if it does not arrive as it was signed."""
        with self._told(f"write part {number} of {self.url(key)}"):
            answer = self._client.upload_part(
                Bucket=self.name,
                Key=key,
                UploadId=upload,
                PartNumber=number,
                Body=body,
            )
        return _plain(answer["ETag"])

    def finish(self, key: str, upload: str, etags: list[str]) -> None:
        """Make an object of the parts, whose *etags* are in their order."""
        parts = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
        with self._told(f"finish the upload of {self.url(key)}"):
            self._client.complete_multipart_upload(
                Bucket=self.name, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
            )

    def abort(self, key: str, upload: str) -> None:
        """Throw away the parts of an upload; it may be gone already."""
        with contextlib.suppress(_MissingError), self._told(f"abort the upload of {self.url(key)}"):
            self._client.abort_multipart_upload(Bucket=self.name, Key=key, UploadId=upload)

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except exceptions.ClientError as error:
            raise self._refused(what, error) from error
        except exceptions.SSLError as error:
            raise ProvisionerError(
                f"The certificate of {self._access.s3_endpoint} is not trusted.",
                details=str(error)[:LONGEST],
                resolution=trust_advice(self._access),
            ) from error
        except (exceptions.BotoCoreError, exceptions.HTTPClientError) as error:
            raise ProvisionerError(
                f"S3 at {self._access.s3_endpoint} gave no answer: cannot {what}.",
                details=str(error)[:LONGEST],
                resolution=ENOUGH,
            ) from error

    def _refused(self, what: str, error: Any) -> ProvisionerError:
        found = error.response.get("Error", {})
        code = str(found.get("Code", ""))
        kind = _MissingError if code in MISSING else ProvisionerError
        keys = KEYS_ADVICE.format(file=self._access.s3_credentials_file)
        denied = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 403
        return kind(
            f"S3 refuses to {what}.",
            details=f"{code}: {str(found.get('Message', ''))[:LONGEST]}",
            resolution=ADVICE.get(code, keys if denied else ENOUGH),
        )


class _MissingError(ProvisionerError):
    """There is no such object or upload."""


def _client(access: ImsAccess) -> Any:
    keys = read_s3_keys(access.s3_credentials_file)
    return boto3.session.Session().client(
        "s3",
        endpoint_url=access.s3_endpoint,
        region_name="us-east-1",  # Ceph has none, but the signature names one
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.session_token or None,
        verify=os.fspath(access.ca_bundle) if access.ca_bundle else True,
        config=Config(
            s3={
                "addressing_style": "path",  # names of buckets are no host names in the management network
                "payload_signing_enabled": True,  # S3 refuses a body that changed on the way
            },
            # Older Ceph refuses the checksums that boto3 adds by itself.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=CONNECT_SECONDS,
            read_timeout=access.timeout,
            max_pool_connections=CONNECTIONS,
            proxies={},  # S3 is in the management network, too
        ),
    )


def _plain(etag: str) -> str:
    return etag.strip('"')
