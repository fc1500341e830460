"""How IMS itself looks at S3: it reads manifests, validates links, and moves objects when it deletes."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from werkzeug.wrappers import Response

from tests.fakes.ims.web import problem

ROOTFS = "application/vnd.cray.image.rootfs.squashfs"
MANIFEST = "application/vnd.cray.image.manifest"
LARGEST = 1 << 20


class UnreadableManifestError(Exception):
    """The manifest is no JSON or cannot be got."""


class Storage:
    """S3, as IMS uses it."""

    def __init__(self, s3: Any) -> None:
        self.s3 = s3

    def head(self, path: str) -> Any:
        bucket, key = place(path)
        return self.s3.head_object(Bucket=bucket, Key=key)

    def exists(self, path: str) -> bool:
        try:
            self.head(path)
        except ClientError:
            return False
        return True

    def manifest(self, path: str) -> Any:
        bucket, key = place(path)
        try:
            return json.loads(self.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        except (ClientError, ValueError) as error:
            raise UnreadableManifestError(str(error)) from error

    def move(self, path: str, prefix_off: str, prefix_on: str) -> str:
        bucket, key = place(path)
        target = f"{prefix_on}{key.removeprefix(prefix_off)}"
        self.s3.copy_object(Bucket=bucket, Key=target, CopySource={"Bucket": bucket, "Key": key})
        self.s3.delete_object(Bucket=bucket, Key=key)
        return f"s3://{bucket}/{target}"

    def refuse_image_link(self, link: dict[str, str], taken: list[str]) -> Response | None:
        """Return what IMS answers to a link that it does not take, by its own order of checks."""
        path = link["path"]
        if path in taken:
            return unprocessable(f"The link path {path} matches the link path for another record.")
        if not self.exists(path):
            return unprocessable(f"The s3 artifact {link} cannot be validated.")
        if self.head(path)["ContentLength"] >= LARGEST:
            return bad("Image manifest file is larger than the expected maximum size")
        found = self.manifest(path)
        return self._refuse_manifest(found) if found else None

    def _refuse_manifest(self, manifest: Any) -> Response | None:
        if "version" not in manifest:
            return unprocessable("The image's manifest.json does not contain a version field.")
        if manifest["version"] != "1.0":
            return unprocessable("The image's manifest.json has a version that is not supported.")
        artifacts = manifest.get("artifacts")
        if not isinstance(artifacts, list):
            return unprocessable("The image's manifest.json is malformed.")
        return self._refuse_artifacts(artifacts)

    def _refuse_artifacts(self, artifacts: list[Any]) -> Response | None:
        for artifact in artifacts:
            link = artifact.get("link") if isinstance(artifact, dict) else None
            if not isinstance(link, dict) or link.get("type") != "s3" or not link.get("path"):
                return unprocessable("The image's manifest.json is malformed. An artifact has no link.")
            if not self.exists(link["path"]):
                return unprocessable(f"The s3 artifact {link} cannot be validated.")
        if any("type" not in artifact for artifact in artifacts):
            return unprocessable("The image's manifest.json is malformed. An artifact has no type field")
        roots = [artifact for artifact in artifacts if artifact["type"].startswith(ROOTFS)]
        return None if len(roots) == 1 else bad(f"The manifest includes {len(roots)} rootfs artifacts.")

    def bury(self, path: str, image_id: str) -> str:
        """Move what the manifest at *path* lists below `deleted/`, and write down where it is."""
        moved = []
        for artifact in self.manifest(path)["artifacts"]:
            target = self.move(artifact["link"]["path"], "", "deleted/")
            if "md5" in artifact:  # without it, IMS has moved the object and forgets it
                link = {"path": target, "etag": "", "type": "s3"}
                moved.append({"type": artifact["type"], "md5": artifact["md5"], "link": link})
        bucket, _ = place(path)
        link = {"path": self.move(path, "", "deleted/"), "etag": "", "type": "s3"}
        moved.append({"type": MANIFEST, "link": link})
        key = f"deleted/{image_id}/deleted_manifest.json"
        self.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps({"version": "1.0", "artifacts": moved}))
        return f"s3://{bucket}/{key}"

    def destroy(self, path: str) -> None:
        """Delete what the manifest of a deleted image lists, and that manifest."""
        for artifact in self.manifest(path)["artifacts"]:
            self.delete(artifact["link"]["path"])
        self.delete(path)

    def delete(self, path: str) -> None:
        bucket, key = place(path)
        self.s3.delete_object(Bucket=bucket, Key=key)


def place(path: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` URL."""
    found = urlsplit(path)
    return found.netloc, found.path.lstrip("/")


def unprocessable(detail: str) -> Response:
    return problem(422, "Unprocessable Entity", detail)


def bad(detail: str) -> Response:
    return problem(400, "Bad Request", detail)
