"""S3 as moto serves it, with a check that real S3 makes and moto does not."""

from __future__ import annotations

import hashlib
import io
import re
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Request, Response

ACCESS_KEY, SECRET_KEY = "AKIAEXAMPLE", "s3-secret-of-the-tests"
BUCKETS = ("boot-images", "ims")


class S3:
    """A WSGI application; unlike moto, and like real S3, it refuses a body that is not as it was signed."""

    def __init__(self, *, strict: bool = True) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._strict = strict

    def __call__(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        signed = request.headers.get("X-Amz-Content-SHA256", "")
        if self._strict and signed == "UNSIGNED-PAYLOAD" and request.method == "PUT":
            return refusal(400, "InvalidRequest", "These tests want signed bodies.")(environ, start_response)
        if self._strict and re.fullmatch(r"[0-9a-f]{64}", signed):
            body = request.get_data()
            environ["wsgi.input"] = io.BytesIO(body)
            if signed != hashlib.sha256(body).hexdigest():
                wrong = refusal(400, "XAmzContentSHA256Mismatch", "The body is not as it was signed.")
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
