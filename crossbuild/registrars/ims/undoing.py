"""Deletes what a registration made: the record, what IMS deletes with it, and what IMS does not know of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from crossbuild.errors import ProvisionerError
from crossbuild.model.receipt import Receipt
from crossbuild.model.registration import Action, Left, UndoPlan
from crossbuild.registrars.ims.actions import AbortUploads, DeleteForGood, DeleteObjects, DeleteRecord
from crossbuild.registrars.ims.images import ID, ImageRecord, Images

if TYPE_CHECKING:
    from crossbuild.registrars.ims.bucket import Bucket


def plan(receipt: Receipt, images: Images, bucket: Bucket) -> UndoPlan:
    """Look at what is there of *receipt*, and return how it goes."""
    image_id = receipt.objects[0].id or _lost_id(receipt, images)
    if not image_id:
        return UndoPlan(receipt=receipt, actions=())
    record = images.find(image_id)
    if record and _is_foreign(record, receipt, bucket):
        reason = f"Somebody else changed it: it is {record.name}, linked to {record.link}."
        return UndoPlan(receipt=receipt, actions=(), left=(Left(what=f"image {image_id}", reason=reason),))
    return UndoPlan(receipt=receipt, actions=tuple(_actions(image_id, record, images, bucket)))


def carry_out(plan: UndoPlan, images: Images, bucket: Bucket, on_action: Callable[[Action], None]) -> None:
    """Do what *plan* says, and raise ProvisionerError if anything is there afterwards."""
    for action in plan.actions:
        on_action(action)
        match action:
            case AbortUploads():
                for key, upload in bucket.uploads(_prefix(action.folder, bucket)):
                    bucket.abort(key, upload)
            case DeleteRecord():
                images.delete(action.url.rsplit("/", 1)[1])
            case DeleteForGood():
                images.delete_for_good(action.url.rsplit("/", 1)[1])
            case DeleteObjects():
                for key in bucket.keys(_prefix(action.folder, bucket)):
                    bucket.delete(key)
            case _:
                raise TypeError(f"{action} is no action of an undo")
    _refuse_remains(plan, images, bucket)


def _actions(image_id: str, record: ImageRecord | None, images: Images, bucket: Bucket) -> list[Action]:
    own, deleted = f"{image_id}/", f"deleted/{image_id}/"
    found: list[Action] = []
    if bucket.uploads(own):
        found.append(AbortUploads(folder=bucket.url(own)))
    if record:
        found.append(DeleteRecord(url=f"{images.url}/{image_id}"))
    if record or images.is_deleted(image_id):
        found.append(DeleteForGood(url=images.deleted_url(image_id)))
    linked = record is not None and record.link is not None
    # IMS moves what is linked below `deleted/`, and leaves some of it there where its deleting fails.
    prefixes = [prefix for prefix in (own, deleted) if bucket.keys(prefix) or (linked and prefix == deleted)]
    return [*found, *(DeleteObjects(folder=bucket.url(prefix)) for prefix in prefixes)]


def _lost_id(receipt: Receipt, images: Images) -> str:
    """Return the id of the record that was asked for when everything ended, empty where it was not made."""
    name = receipt.objects[0].name
    found = [record.id for record in images.all() if record.name == name and record.link is None]
    return found[0] if len(found) == 1 else ""


def _is_foreign(record: ImageRecord, receipt: Receipt, bucket: Bucket) -> bool:
    ours = bucket.url(f"{record.id}/")
    linked = record.link is not None and not record.link.path.startswith(ours)
    return record.name != receipt.objects[0].name or linked


def _prefix(folder: str, bucket: Bucket) -> str:
    """Return the keys' prefix of *folder*; everything below it is deleted, so it must name one image."""
    prefix = folder.removeprefix(bucket.url(""))
    if not ID.fullmatch(prefix.removeprefix("deleted/").removesuffix("/")):
        raise ValueError(f"{folder} is not the folder of an image")
    return prefix


def _refuse_remains(plan: UndoPlan, images: Images, bucket: Bucket) -> None:
    urls = [action.url for action in plan.actions if isinstance(action, DeleteRecord | DeleteForGood)]
    folders = [action.folder for action in plan.actions if isinstance(action, DeleteObjects | AbortUploads)]
    ids = {url.rsplit("/", 1)[1] for url in urls}
    remains = [f"{images.url}/{one}" for one in sorted(ids) if images.find(one) or images.is_deleted(one)]
    remains += [bucket.url(key) for folder in folders for key in bucket.keys(_prefix(folder, bucket))]
    if remains:
        raise ProvisionerError(
            "Not everything was deleted.",
            details="\n".join(dict.fromkeys(remains)),
            resolution="See who keeps it there, then take it back again.",
        )
