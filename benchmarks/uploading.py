"""How fast an image set gets to S3, against one upload of the same bytes by boto3's own transfer manager.

Usage, in the checkout: python -m benchmarks.uploading [SCRATCH_FOLDER]. Prints the ratio of one run on one
machine, over loopback, with the least time of each: what others do there at the same time only adds to it.
"""

from __future__ import annotations

import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossbuild.host.digests import file_digests
from crossbuild.model.ims import ImsAccess
from crossbuild.registrars.ims.bucket import Bucket
from crossbuild.registrars.ims.upload import Outgoing, send_all
from tests.fakes.ims import s3 as storage
from tests.fakes.ims.system import write_secret
from tests.fakes.ims.web import serving

SIZES = {"rootfs": 390 << 20, "initrd": 33 << 20, "kernel": 27 << 20}
"""450 MB, shared out as in a real image."""
ROUNDS = 5
SLOWER = 1.3
"""What the upload of the set must reach: at most this times the time of the single upload."""


def main() -> int:
    folder = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        return compare(Path(scratch))


def compare(scratch: Path) -> int:
    """Time both in turn, each in S3 that is empty, and print what came out."""
    files = [written(scratch / name, size) for name, size in SIZES.items()]
    single = scratch / "single"
    with single.open("wb") as target:
        for file in files:
            target.write(file.read_bytes())
    ours, theirs = [], []
    parent, child = multiprocessing.Pipe()
    # In a process of its own: S3 is no part of what is measured.
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(child,))
    server.start()
    try:
        url = parent.recv()
        for _ in range(ROUNDS):
            theirs.append(timed(url, lambda s3: s3.upload_file(str(single), "boot-images", "single")))
            ours.append(timed(url, lambda _: send(url, files, scratch)))
    finally:
        parent.send(None)
        server.join()
    return report(min(ours), min(theirs))


def serve(pipe: Any) -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with serving(storage.S3(strict=False)) as site:
        pipe.send(site.url)
        pipe.recv()


def timed(url: str, upload: Callable[[Any], object]) -> float:
    s3 = storage.client(url)
    storage.reset(s3)
    began = time.monotonic()
    upload(s3)
    return time.monotonic() - began


def send(url: str, files: list[Path], scratch: Path) -> None:
    bucket = Bucket(access(url, scratch), "boot-images")
    outgoing = [
        Outgoing(
            source=file,
            label=file.name,
            key=f"id/{file.name}",
            digests=DIGESTS[file.name],
            metadata=(("md5sum", DIGESTS[file.name].md5),),
        )
        for file in files
    ]
    send_all(bucket, outgoing, lambda _, __, ___: None)


DIGESTS: dict[str, Any] = {}
"""As a set's record has them from packing."""


def written(path: Path, size: int) -> Path:
    with path.open("wb") as file:
        for number in range(size >> 20):
            file.write(random.Random(number).randbytes(1 << 20))
    DIGESTS[path.name] = file_digests(path)
    return path


def access(url: str, scratch: Path) -> ImsAccess:
    keys = scratch / "keys"
    secret = f"aws_secret_access_key = {storage.SECRET_KEY}\n"
    write_secret(keys, f"[default]\naws_access_key_id = {storage.ACCESS_KEY}\n{secret}")
    return ImsAccess(
        api="http://127.0.0.1",
        gateway="http://127.0.0.1",
        token_endpoint="",
        client_id="",
        client_secret_file=None,
        ca_bundle=None,
        s3_endpoint=url,
        s3_credentials_file=keys,
        bucket="boot-images",
        recipe_bucket="ims",
        timeout=120,
    )


def report(ours: float, theirs: float) -> int:
    megabytes = sum(SIZES.values()) / 1e6
    print(f"one upload of {megabytes:.0f} MB by boto3   {theirs:6.2f} s  {megabytes / theirs:6.0f} MB/s")
    print(f"the set, verified, by crossbuild    {ours:6.2f} s  {megabytes / ours:6.0f} MB/s")
    print(f"ratio {ours / theirs:.2f}, at most {SLOWER}")
    return 0 if ours <= SLOWER * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
