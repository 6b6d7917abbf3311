"""Models published in an S3 bucket."""

import base64
import io
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from edgemind.adapters.aws_calls import REMEDIES, Fault, Outcome, errors, fault_of, new_client
from edgemind.adapters.model_store.disk import explained
from edgemind.adapters.model_store.objects import CHUNK_BYTES, ObjectChanged, ObjectMissing
from edgemind.domain.model_files import ModelFile, ModelPart
from edgemind.errors import EdgeMindError, ModelStoreUnavailable, PermanentError

TIMEOUT_S = 10.0
ATTEMPTS = 3
_CHANGED = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_BEYOND_THE_END = "InvalidRange"
_OTHER_CONTENT = frozenset({"BadDigest", "InvalidDigest", "XAmzContentChecksumMismatch"})

_Result = TypeVar("_Result")


class S3Objects:
    """`Objects` in a bucket. Nothing is connected before the first call; threads may share it."""

    def __init__(self, bucket: str, region: str | None = None, endpoint_url: str | None = None) -> None:
        self._bucket = bucket
        self._region = region
        self._endpoint_url = endpoint_url
        self._opening = threading.Lock()
        self._client: Any = None
        self.where = f"s3://{bucket}"

    def put_file(self, name: str, source: Path, file: ModelFile) -> None:
        with explained("read", source), source.open("rb") as opened:
            try:
                if len(file.parts) <= 1:
                    self._put_whole(name, opened, file)
                else:
                    self._put_parts(name, opened, file)
            except ObjectChanged as exc:
                message = f"{source} changed while it was published: publish it again when nobody writes to it"
                raise PermanentError(message) from exc

    def read_range(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        wanted = f"bytes={offset}-{offset + size_bytes - 1}"
        with self._explained("read", name):
            try:
                answer = self._opened().get_object(Bucket=self._bucket, Key=name, Range=wanted)
            except errors() as exc:
                if fault_of(exc).code == _BEYOND_THE_END:
                    return
                raise
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def read(self, name: str) -> tuple[bytes, str]:
        with self._explained("read", name):
            answer = self._opened().get_object(Bucket=self._bucket, Key=name)
            with closing(answer["Body"]) as body:
                return body.read(), answer["ETag"]

    def write(self, name: str, content: bytes, mark: str | None) -> None:
        condition = {"IfNoneMatch": "*"} if mark is None else {"IfMatch": mark}
        with self._explained("write", name):
            self._opened().put_object(Bucket=self._bucket, Key=name, Body=content, **condition)

    def names_below(self, prefix: str) -> Sequence[str]:
        with self._explained("list", prefix):
            pages = (
                self._opened()
                .get_paginator("list_objects_v2")
                .paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/")
            )
            found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
        return sorted(name.removeprefix(prefix).rstrip("/") for name in found)

    def _put_whole(self, name: str, opened: BinaryIO, file: ModelFile) -> None:
        with self._explained("write", name):
            checked = _checked(opened, file.parts[0]) if file.parts else {"Body": b""}
            self._opened().put_object(Bucket=self._bucket, Key=name, **checked)

    def _put_parts(self, name: str, opened: BinaryIO, file: ModelFile) -> None:
        """Part by part, each refused by S3 unless it has its digest; the object is there when all are."""
        with self._explained("write", name):
            client, place = self._opened(), {"Bucket": self._bucket, "Key": name}
            upload = client.create_multipart_upload(**place, ChecksumAlgorithm="SHA256")["UploadId"]
            try:
                done = []
                for number, part in enumerate(file.parts, 1):
                    checked = _checked(opened, part)
                    answer = client.upload_part(**place, UploadId=upload, PartNumber=number, **checked)
                    done.append(
                        {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checked["ChecksumSHA256"]}
                    )
                client.complete_multipart_upload(**place, UploadId=upload, MultipartUpload={"Parts": done})
            except BaseException:
                # Parts of an upload that is neither finished nor given up are stored, and paid for, without end.
                with suppress(*errors()):
                    client.abort_multipart_upload(**place, UploadId=upload)
                raise

    def _opened(self) -> Any:
        with self._opening:
            if self._client is None:
                self._client = new_client(
                    "s3", self._region, self._endpoint_url, timeout_s=TIMEOUT_S, attempts=ATTEMPTS
                )
            return self._client

    @contextmanager
    def _explained(self, doing: str, name: str) -> Iterator[None]:
        try:
            yield
        except errors() as exc:
            raise self._error(doing, name, fault_of(exc)) from exc

    def _error(self, doing: str, name: str, fault: Fault) -> EdgeMindError:
        if fault.code in _CHANGED or fault.code in _OTHER_CONTENT:
            return ObjectChanged(name)
        if fault.code == "NoSuchBucket":
            return PermanentError(f"there is no bucket {self._bucket}. Deploy it (cdk deploy), or correct its name.")
        if fault.outcome is Outcome.MISSING:
            return ObjectMissing(name)
        message = f"cannot {doing} {self.where}/{name}: {fault.says}. "
        if fault.outcome is Outcome.REFUSED:
            return PermanentError(message + "Check the bucket's name and region.")
        return ModelStoreUnavailable(message + f"{REMEDIES[fault.outcome]}.")


def _checked(opened: BinaryIO, part: ModelPart) -> Mapping[str, Any]:
    """A part's content for S3, and the digest that it must have there."""
    checksum = base64.b64encode(bytes.fromhex(part.sha256)).decode("ascii")
    return {"Body": _Stretch(opened, part), "ChecksumSHA256": checksum}


class _Stretch(io.RawIOBase):
    """A stretch of an open file, read as if it were a file: a part is never in memory whole."""

    def __init__(self, opened: BinaryIO, part: ModelPart) -> None:
        self._opened = opened
        self._part = part
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._part.size_bytes}[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        left = max(0, self._part.size_bytes - self._position)
        self._opened.seek(self._part.offset + self._position)
        chunk = self._opened.read(left if size < 0 else min(size, left))
        self._position += len(chunk)
        return chunk
