"""S3 as moto serves it, with a check that real S3 makes and moto does not."""

from __future__ import annotations

import base64
import hashlib
import io
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE", "s3-secret-of-the-tests"
BUCKETS = ("boot-images", "ims")


class S3:
    """A WSGI application; *strict*, it refuses what did not arrive as its Content-MD5 says."""

    def __init__(self, *, strict: bool = True) -> None:
        self._strict = strict
        self._moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        if (told := request.headers.get("Content-MD5")) and self._strict:
            body = request.get_data()
            environ["wsgi.input"] = io.BytesIO(body)
            if told != base64.b64encode(hashlib.md5(body).digest()).decode():
                wrong = refusal(400, "BadDigest", "The Content-MD5 you specified did not match.")
                return wrong(environ, start_response)
        return self._moto(environ, start_response)


def refusal(status: int, code: str, message: str) -> Response:
    """Return an error as S3 writes it."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, content_type="application/xml")


def client(url: str) -> Any:
    """Return the tests' own client of the S3 at *url*."""
    keys = {"aws_access_key_id": ACCESS_KEY, "aws_secret_access_key": SECRET_KEY}
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=config, **keys)


def reset(s3: Any) -> None:
    """Leave nothing in S3 but empty buckets."""
    for bucket in [item["Name"] for item in s3.list_buckets()["Buckets"]]:
        for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=item["Key"])
        s3.delete_bucket(Bucket=bucket)
    for bucket in BUCKETS:
        s3.create_bucket(Bucket=bucket)
