"""Files go to S3 in parts, several at a time, read once; what arrived earlier is not sent again."""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from crossbuild.errors import ArtifactError, ProvisionerError
from crossbuild.model.artifact import Digests
from crossbuild.registrars.ims.stored import StoredObject, StoredPart

if TYPE_CHECKING:
    from crossbuild.registrars.ims.bucket import Bucket

PART = 8 << 20
"""Bytes of a part, at least; S3 takes 5 MiB and more, and at most so many of them:"""
MOST_PARTS = 10_000
WORKERS = 8
AHEAD = 4
"""Parts that are read while all workers send."""

Sink = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """A file and what it becomes."""

    source: Path
    label: str
    """As progress names it."""
    key: str
    digests: Digests
    """What the artifact set's record says of it."""
    metadata: tuple[tuple[str, str], ...]

    @property
    def part_size(self) -> int:
        """The same for the same file, so that a later run can go on."""
        return max(PART, math.ceil(self.digests.size / MOST_PARTS / PART) * PART)

    @property
    def in_parts(self) -> bool:
        """Whether it is too large for one request."""
        return self.digests.size > self.part_size


def send_all(bucket: Bucket, files: Sequence[Outgoing], on_progress: Sink) -> tuple[StoredObject, ...]:
    """Send *files* and return what S3 says of each of them afterwards.

    Raises ArtifactError for a file that is not as its record says, and ProvisionerError for what S3 refuses
    or holds otherwise than it was sent. Uploads that were begun stay begun.
    """
    with _Workers() as workers:
        sent = [_Sending(bucket, file, workers, on_progress) for file in files]
        return tuple(item.result() for item in sent)


class _Sending:
    """One file on its way."""

    def __init__(self, bucket: Bucket, file: Outgoing, workers: _Workers, on_progress: Sink) -> None:
        self._bucket = bucket
        self._file = file
        self._report = on_progress
        self._done = 0
        self._lock = threading.Lock()
        self._etags: list[Future[str]] = []
        self._md5s: dict[int, bytes] = {}
        self._upload = ""
        self._arrived = _matches(bucket.find(file.key), file)
        """Whether an earlier run sent it, all of it: then it is only read, to compare."""
        self._send(workers)

    def _send(self, workers: _Workers) -> None:
        file = self._file
        there: dict[int, StoredPart] = {}
        if file.in_parts and not self._arrived:
            self._upload = self._begun()
            there = self._bucket.parts(file.key, self._upload)
        # Of the record's two checksums the one that processors do in hardware, in a third of the time.
        whole = hashlib.sha256()
        for number, block in enumerate(_blocks(file), 1):
            whole.update(block)
            if not file.in_parts:
                _refuse_damage(file, whole.hexdigest())
            self._etags.append(workers.submit(self._job(number, block, there.get(number))))
        _refuse_damage(file, whole.hexdigest())

    def _begun(self) -> str:
        """Return the upload that an earlier run began, else a new one."""
        file = self._file
        begun = [upload for key, upload in self._bucket.uploads(file.key) if key == file.key]
        return begun[-1] if begun else self._bucket.begin(file.key, dict(file.metadata))

    def _job(self, number: int, block: bytes, there: StoredPart | None) -> Callable[[], str]:
        def send() -> str:
            md5 = self._md5s[number] = hashlib.md5(block, usedforsecurity=False).digest()
            etag = ""
            if there == StoredPart(size=len(block), etag=md5.hex()):
                etag = there.etag
            elif self._upload:
                etag = self._bucket.put_part(self._file.key, self._upload, number, block)
            elif not self._arrived:
                self._bucket.put(self._file.key, block, dict(self._file.metadata))
            self._advance(len(block))
            return etag

        return send

    def _advance(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._report(self._file.label, self._done, self._file.digests.size)

    def result(self) -> StoredObject:
        """Wait for the parts, make an object of them, and compare it with what was sent."""
        file = self._file
        etags = [future.result() for future in self._etags]
        if self._upload:
            self._bucket.finish(file.key, self._upload, etags)
        found = self._bucket.find(file.key)
        if found is None or not _matches(found, file) or not self._is_as_sent(found):
            raise ProvisionerError(
                f"{self._bucket.url(file.key)} is not as it was sent.",
                details=f"Sent: {file.digests.size} bytes, md5 {file.digests.md5}. S3 says: {found}.",
                resolution="Look after the storage behind S3, then run the same command again.",
            )
        return found

    def _is_as_sent(self, found: StoredObject) -> bool:
        """Compare the etag, where it is a checksum of what was sent: by S3's own rule for parts."""
        if found.encrypted:
            return True
        if not self._file.in_parts:
            return found.etag == self._file.digests.md5
        parts = b"".join(md5 for _, md5 in sorted(self._md5s.items()))
        joined = hashlib.md5(parts, usedforsecurity=False).hexdigest()
        return found.etag == f"{joined}-{len(self._md5s)}"


class _Workers:
    """Threads that send; the first failure ends the others' work and reaches whoever submits or waits."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="upload")
        self._room = threading.Semaphore(WORKERS + AHEAD)
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def submit(self, job: Callable[[], str]) -> Future[str]:
        """Run *job* soon; wait while there is enough to do, so that few parts are in memory."""
        self._room.acquire()
        self._raise_failure()
        return self._pool.submit(self._run, job)

    def _run(self, job: Callable[[], str]) -> str:
        try:
            self._raise_failure()
            return job()
        except Exception as error:
            self._failure = self._failure or error
            raise
        finally:
            self._room.release()

    def _raise_failure(self) -> None:
        if self._failure:
            raise self._failure


def _blocks(file: Outgoing) -> Iterator[bytes]:
    """Yield the parts of *file*; an empty file has one, which is empty."""
    try:
        with file.source.open("rb") as source:
            yield source.read(file.part_size)
            while block := source.read(file.part_size):
                yield block
    except OSError as error:
        raise damaged(file.source, str(error)) from error


def _matches(found: StoredObject | None, file: Outgoing) -> bool:
    return found is not None and (found.size, found.md5) == (file.digests.size, file.digests.md5)


def _refuse_damage(file: Outgoing, sha256: str) -> None:
    if sha256 != file.digests.sha256:
        raise damaged(file.source, f"Its sha256 is {sha256}; the record says {file.digests.sha256}.")


def damaged(path: Path, details: str) -> ArtifactError:
    """Return the error of a file that is not as the record of its set says."""
    return ArtifactError(
        f"{path} is damaged.",
        details=details,
        resolution="Build the set again, or fetch it again from where it came.",
    )
