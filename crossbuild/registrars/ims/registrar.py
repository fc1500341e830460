"""Registers artifact sets in IMS, and takes that back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from crossbuild.errors import ProvisionerError, UsageError
from crossbuild.model.architecture import Architecture
from crossbuild.model.artifact import ArtifactSet, OutputKind
from crossbuild.model.ims import MANIFEST, ImsAccess
from crossbuild.model.receipt import Receipt, ReceiptState, RegisteredObject
from crossbuild.model.registration import Action, RegistrationPlan, UndoPlan
from crossbuild.registrars.contract import Listener
from crossbuild.registrars.ims import undoing
from crossbuild.registrars.ims.actions import UNKNOWN_ID, CreateRecord, LinkImage, SendFile, SendManifest
from crossbuild.registrars.ims.content import (
    LARGEST_MANIFEST,
    ImageFile,
    checksums,
    created,
    encoded,
    expected_checksums,
    files_of,
    manifest_of,
)
from crossbuild.registrars.ims.gateway import Gateway
from crossbuild.registrars.ims.images import ImageRecord, Images, Link
from crossbuild.registrars.ims.service import open_bucket, refuse_name
from crossbuild.registrars.ims.stored import StoredObject
from crossbuild.registrars.ims.upload import Outgoing, send_all

Kind = TypeVar("Kind")

KIND = "image"
"""Of the receipt's first object, the record itself."""


class ImsRegistrar:
    """Hands sets to the IMS of one site, by the name of the set or another *name*."""

    kind = OutputKind.IMS
    resumes = True

    def __init__(self, access: ImsAccess, *, name: str = "") -> None:
        self._access = access
        self._name = name
        self._images = Images(Gateway(access), access.api)
        self._bucket = open_bucket(access, access.bucket)

    def plan(self, artifacts: ArtifactSet, unfinished: Receipt | None) -> RegistrationPlan:
        """Look at the set, IMS and S3, and return what is to be done."""
        files = files_of(artifacts)
        name = self._name or artifacts.name
        refuse_name(name, "an image")
        self._bucket.check()
        same = [record for record in self._images.all() if record.name == name]
        begun = _begun(unfinished, name, same) if unfinished else None
        receipt = self._receipt(name, begun.id if begun else "")
        if begun is None and same:
            if any(self._holds(record, artifacts.arch, files) for record in same):
                return RegistrationPlan(actions=(), receipt=receipt)
            raise _taken(name, same)
        requests = self._requests(artifacts, files, name, begun)
        return RegistrationPlan(actions=requests, receipt=receipt)

    def register(self, plan: RegistrationPlan, listener: Listener) -> Receipt:
        """Make the record, send the files and the manifest, link it, and read everything back."""
        receipt = plan.receipt
        for action in _of(plan, CreateRecord):
            listener.on_action(action)
            record = self._images.create(action.name, action.arch)
            receipt = self._receipt(action.name, record.id, like=receipt)
            listener.record(receipt)
        (image,) = receipt.objects
        folder = self._bucket.url(f"{image.id}/")
        stored = self._send_files(plan, image, folder, listener)
        stored[MANIFEST] = self._send_manifest(plan, image, folder, stored, listener)
        link = Link(path=f"{folder}{MANIFEST}", etag=stored[MANIFEST].etag)
        listener.on_action(LinkImage(url=f"{self._images.url}/{image.id}", link=link))
        self._images.link(image.id, link)
        return self._read_back(receipt, link, stored)

    def plan_undo(self, receipt: Receipt) -> UndoPlan:
        """Look at what IMS and S3 still hold of *receipt*, and return how that goes."""
        _refuse_elsewhere(receipt, self._access)
        return undoing.plan(receipt, self._images, self._bucket)

    def undo(self, plan: UndoPlan, on_action: Callable[[Action], None]) -> None:
        """Delete record and objects, and see that they are gone."""
        undoing.carry_out(plan, self._images, self._bucket, on_action)

    def _receipt(self, name: str, image_id: str, like: Receipt | None = None) -> Receipt:
        image = RegisteredObject(kind=KIND, name=name, id=image_id, place=self._images.url)
        if like:
            return dataclasses.replace(like, objects=(image,))
        return Receipt(
            provisioner=self.kind,
            state=ReceiptState.UNFINISHED,
            name=name,
            place=self._access.api,
            version=self._images.version(),
            image="",
            record="",
            registered="",
            objects=(image,),
        )

    def _requests(
        self, artifacts: ArtifactSet, files: Sequence[ImageFile], name: str, begun: ImageRecord | None
    ) -> tuple[Action, ...]:
        image_id = begun.id if begun else UNKNOWN_ID
        folder = self._bucket.url(f"{image_id}/")
        record = CreateRecord(url=self._images.url, name=name, arch=artifacts.arch)
        return (
            *(() if begun else (record,)),
            *(SendFile(file=file, folder=folder) for file in files),
            SendManifest(folder=folder, created=created(artifacts)),
            LinkImage(
                url=f"{self._images.url}/{image_id}", link=Link(path=f"{folder}{MANIFEST}", etag="ETAG")
            ),
        )

    def _holds(self, record: ImageRecord, arch: Architecture, files: Sequence[ImageFile]) -> bool:
        """Say whether *record* is an image of these very files."""
        folder = self._bucket.url(f"{record.id}/")
        if record.arch != arch or not record.link or record.link.path != f"{folder}{MANIFEST}":
            return False
        if self._bucket.find(f"{record.id}/{MANIFEST}") is None:
            return False
        try:
            manifest = json.loads(self._bucket.read(f"{record.id}/{MANIFEST}", LARGEST_MANIFEST))
        except ValueError:
            return False
        return checksums(manifest) == expected_checksums(files)

    def _send_files(
        self, plan: RegistrationPlan, image: RegisteredObject, folder: str, listener: Listener
    ) -> dict[str, StoredObject]:
        outgoing: dict[str, Outgoing] = {}
        for action in _of(plan, SendFile):
            listener.on_action(dataclasses.replace(action, folder=folder))
            file = action.file
            outgoing[file.name] = Outgoing(
                source=file.source,
                label=file.name,
                key=f"{image.id}/{file.name}",
                digests=file.digests,
                metadata=_metadata(file.digests.md5, image),
            )
        stored = send_all(self._bucket, tuple(outgoing.values()), listener.on_progress)
        return dict(zip(outgoing, stored, strict=True))

    def _send_manifest(
        self,
        plan: RegistrationPlan,
        image: RegisteredObject,
        folder: str,
        stored: Mapping[str, StoredObject],
        listener: Listener,
    ) -> StoredObject:
        (action,) = _of(plan, SendManifest)
        links = {name: Link(path=f"{folder}{name}", etag=found.etag) for name, found in stored.items()}
        files = [sending.file for sending in _of(plan, SendFile)]
        body = encoded(manifest_of(action.created, files, links), folder)
        listener.on_action(dataclasses.replace(action, folder=folder))
        key = f"{image.id}/{MANIFEST}"
        md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
        self._bucket.put(key, body, dict(_metadata(md5, image)))
        found = self._bucket.find(key)
        if found is None or self._bucket.read(key, len(body) + 1) != body:
            raise _not_as_sent(self._bucket.url(key), f"S3 says: {found}.")
        return found

    def _read_back(self, receipt: Receipt, link: Link, stored: Mapping[str, StoredObject]) -> Receipt:
        """Return the receipt in the words of IMS and S3 themselves; what was sent before does not count."""
        image = receipt.objects[0]
        record = self._images.find(image.id)
        wanted = (image.name, Architecture.AARCH64.value, link)
        if record is None or (record.name, record.arch, record.link) != wanted:
            raise _not_as_sent(f"{self._images.url}/{image.id}", f"IMS says: {record}.")
        objects = [dataclasses.replace(image, arch=Architecture(record.arch))]
        for name, sent in stored.items():
            key = f"{image.id}/{name}"
            found = self._bucket.find(key)
            if found is None or found != sent:
                raise _not_as_sent(self._bucket.url(key), f"S3 says: {found}.")
            objects.append(
                RegisteredObject(
                    kind="object",
                    name=name,
                    id=found.etag,
                    checksum=f"md5:{found.md5}",
                    place=self._bucket.url(key),
                )
            )
        return dataclasses.replace(receipt, objects=tuple(objects))


def _of(plan: RegistrationPlan, kind: type[Kind]) -> list[Kind]:
    return [action for action in plan.actions if isinstance(action, kind)]


def _begun(unfinished: Receipt, name: str, same: Sequence[ImageRecord]) -> ImageRecord | None:
    """Return the record that a killed registration made.

    It was recorded before the request went out, and there was no image of that name then: one without a link
    can only come of that request.
    """
    (image, *_) = unfinished.objects
    if image.name != name:
        raise UsageError(
            f"The set was being registered as {image.name} when that ended.",
            resolution=f"Register it with `--name {image.name}` again, or take that back first.",
        )
    found = [record for record in same if (record.id == image.id if image.id else record.link is None)]
    return found[0] if len(found) == 1 else None


def _taken(name: str, same: Sequence[ImageRecord]) -> ProvisionerError:
    return ProvisionerError(
        f"IMS has an image {name} already.",
        details="\n".join(
            f"{record.id}, {record.arch}, of {record.created}{'' if record.link else ', without a link'}"
            for record in same
        ),
        resolution="Register this one with `--name` and a name of its own, or delete the other one first.",
    )


def _refuse_elsewhere(receipt: Receipt, access: ImsAccess) -> None:
    if receipt.place != access.api:
        raise ProvisionerError(
            f"The image was registered at {receipt.place}.",
            details=f"The configuration names {access.api}.",
            resolution="Use the configuration with which it was registered, with `crossbuild --config FILE`.",
        )


def _metadata(md5: str, image: RegisteredObject) -> tuple[tuple[str, str], ...]:
    """Return what IMS jobs read beside an object: without `md5sum` they do not check what they get."""
    return (
        ("md5sum", md5),
        ("x-shasta-ims-image-id", image.id),
        ("x-shasta-ims-image-name", image.name),
    )


def _not_as_sent(url: str, details: str) -> ProvisionerError:
    return ProvisionerError(
        f"{url} is not as it was sent.",
        details=details,
        resolution="See that nobody else changes this image, then run the same command again.",
    )
