"""What every model store promises, whatever it is made of: one suite, run over each kind of objects."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgemind.adapters.model_store.local_directory import DirectoryObjects
from edgemind.adapters.model_store.objects import ObjectMissing, Objects
from edgemind.adapters.model_store.published import PublishedModels
from edgemind.adapters.model_store.s3 import S3Objects
from edgemind.domain.model_files import ModelFile
from edgemind.errors import ModelDamaged, ModelStoreUnavailable, PermanentError
from edgemind.ports.model_store import PublishedModel
from tests.support.engines.aws import LocalAws

PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes for a part that is not the last."""


@dataclass
class Watched:
    """Objects that note which ranges were read, and that a test may spoil."""

    inner: Objects
    where: str = ""
    spoil: Callable[[Iterator[bytes]], Iterator[bytes]] = iter

    def __post_init__(self) -> None:
        self.where = self.inner.where
        self.ranges: list[tuple[str, int]] = []

    def put_file(self, name: str, source: Path, file: ModelFile) -> None:
        self.inner.put_file(name, source, file)

    def read_range(self, name: str, offset: int, size_bytes: int) -> Iterator[bytes]:
        self.ranges.append((name.rpartition("/")[2], offset))
        return self.spoil(self.inner.read_range(name, offset, size_bytes))

    def read(self, name: str) -> tuple[bytes, str]:
        return self.inner.read(name)

    def write(self, name: str, content: bytes, mark: str | None) -> None:
        self.inner.write(name, content, mark)

    def names_below(self, prefix: str) -> Sequence[str]:
        return self.inner.names_below(prefix)


@pytest.fixture(params=["local_directory", pytest.param("s3", marks=[pytest.mark.engine, pytest.mark.slow])])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Watched:
    if request.param == "local_directory":
        (tmp_path / "published").mkdir()
        return Watched(DirectoryObjects(tmp_path / "published"))
    engine: LocalAws = request.getfixturevalue("ministack")
    return Watched(S3Objects(engine.new_bucket(), engine.region, engine.endpoint_url))


@pytest.fixture
def store(objects: Watched) -> PublishedModels:
    return PublishedModels(objects, PART_BYTES)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model of three files: one of three parts, a small one in a folder, an empty one."""
    folder = tmp_path / "source"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "weights.gguf").write_bytes(os.urandom(2 * PART_BYTES + 1_000))
    (folder / "tokenizer" / "vocabulary.json").write_bytes(b'{"a": 1}')
    (folder / "empty.txt").touch()
    return folder


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".manifest.json"
    }


def overwrite(objects: Watched, suffix: str, change: Callable[[bytes], bytes | None]) -> None:
    """Damage what is stored, behind the store's back."""
    inner = objects.inner
    if isinstance(inner, DirectoryObjects):
        (path,) = Path(inner.where).rglob(suffix)
        changed = change(path.read_bytes())
        path.unlink() if changed is None else path.write_bytes(changed)
        return
    assert isinstance(inner, S3Objects)
    client, bucket = inner._opened(), inner.where.removeprefix("s3://")
    (key,) = [e["Key"] for e in client.list_objects_v2(Bucket=bucket)["Contents"] if e["Key"].endswith(f"/{suffix}")]
    changed = change(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    if changed is None:
        client.delete_object(Bucket=bucket, Key=key)
    else:
        client.put_object(Bucket=bucket, Key=key, Body=changed)


# Publish, list, fetch


def test_a_new_store_is_empty(store: PublishedModels) -> None:
    assert list(store.list_models()) == []
    with pytest.raises(PermanentError, match="has no model smollm2: publish it first"):
        store.manifest("smollm2")


def test_what_was_published_comes_back_as_it_was(store: PublishedModels, source: Path, site: Path) -> None:
    manifest = store.publish("org/model-7b", "1.0", source)
    place = store.fetch("org/model-7b", site)

    assert contents(place) == contents(source)
    assert place == site / "org%2Fmodel-7b" / "1.0"
    assert manifest == store.manifest("org/model-7b") == store.manifest("org/model-7b", "1.0")
    assert manifest.size_bytes == 2 * PART_BYTES + 1_008
    assert [(file.path, len(file.parts)) for file in manifest.files] == [
        ("empty.txt", 0), ("tokenizer/vocabulary.json", 1), ("weights.gguf", 3),
    ]  # fmt: skip


def test_a_single_file_is_a_model_too(store: PublishedModels, source: Path, site: Path) -> None:
    store.publish("smollm2", "1.0", source / "weights.gguf")
    place = store.fetch("smollm2", site)
    assert contents(place) == {"weights.gguf": (source / "weights.gguf").read_bytes()}


def test_models_are_listed_by_name_with_the_version_to_serve(store: PublishedModels, source: Path) -> None:
    file = source / "tokenizer" / "vocabulary.json"
    store.publish("b", "1", file)
    store.publish("a/b:c", "1", file)
    store.publish("b", "2", file)
    assert list(store.list_models()) == [PublishedModel("a/b:c", "1", ()), PublishedModel("b", "2", ("1",))]


def test_rolling_back_moves_a_pointer_and_nothing_else(store: PublishedModels, source: Path, site: Path) -> None:
    store.publish("m", "1", source / "empty.txt")
    store.publish("m", "2", source)
    for _ in range(2):
        store.serve_version("m", "1")

    assert list(store.list_models()) == [PublishedModel("m", "1", ("2",))]
    assert store.fetch("m", site).name == "1"
    assert store.fetch("m", site, "2").name == "2"
    with pytest.raises(PermanentError, match="has no version 3 of m"):
        store.serve_version("m", "3")


def test_publishing_the_same_again_is_fine_and_something_else_is_not(store: PublishedModels, source: Path) -> None:
    first = store.publish("m", "1", source)
    assert store.publish("m", "1", source) == first
    (source / "empty.txt").write_bytes(b"no more")
    with pytest.raises(PermanentError, match="version 1 of m is published already, with other contents"):
        store.publish("m", "1", source)
    assert store.manifest("m") == first


def test_many_who_publish_at_once_lose_nothing(store: PublishedModels, source: Path) -> None:
    versions = [f"1.{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda version: store.publish("m", version, source / "tokenizer"), versions))

    (listed,) = store.list_models()
    assert sorted([listed.version, *listed.previous]) == versions


def test_only_one_of_two_different_contents_becomes_a_version(
    store: PublishedModels, source: Path, tmp_path: Path
) -> None:
    sources = []
    for number in range(6):
        sources.append(tmp_path / f"source-{number}")
        sources[-1].mkdir()
        (sources[-1] / "weights").write_bytes(bytes([number]) * 100)

    def attempt(source: Path) -> Path | None:
        try:
            store.publish("m", "1", source)
        except PermanentError:
            return None
        return source

    with ThreadPoolExecutor(6) as pool:
        (published,) = [source for source in pool.map(attempt, sources) if source]
    assert contents(store.fetch("m", tmp_path / "site")) == contents(published)


@pytest.mark.parametrize(
    ("model", "version"), [("../m", "1"), ("", "1"), ("m", "../1"), ("m", ""), ("m", ".1"), ("m" * 300, "1")]
)
def test_a_name_that_leads_elsewhere_is_refused(
    store: PublishedModels, source: Path, site: Path, model: str, version: str
) -> None:
    with pytest.raises(PermanentError):
        store.publish(model, version, source)
    with pytest.raises(PermanentError):
        store.fetch(model, site, version)


@pytest.mark.parametrize("name", [".hidden", "line\nbreak", "back\\slash", "link"])
def test_a_file_that_cannot_be_published_is_named(store: PublishedModels, source: Path, name: str) -> None:
    if name == "link":
        (source / name).symlink_to("nowhere")
    else:
        (source / name).touch()
    with pytest.raises(PermanentError, match=r"cannot be published: .*is hidden, or no plain file"):
        store.publish("m", "1", source)
    assert list(store.list_models()) == []


def test_nothing_to_publish_says_so(store: PublishedModels, tmp_path: Path) -> None:
    with pytest.raises(ModelStoreUnavailable, match=r"cannot read .*nowhere: No such file"):
        store.publish("m", "1", tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(PermanentError, match="it has no files"):
        store.publish("m", "1", tmp_path / "bare")


# Interruptions and damage


def test_what_was_fetched_once_is_not_fetched_again(
    store: PublishedModels, objects: Watched, source: Path, site: Path
) -> None:
    store.publish("m", "1", source)
    store.fetch("m", site)
    read = len(objects.ranges)
    store.fetch("m", site)
    assert read == len(objects.ranges) == 4


def test_a_transfer_that_was_cut_goes_on_with_what_is_missing(
    store: PublishedModels, objects: Watched, source: Path, site: Path
) -> None:
    store.publish("m", "1", source)

    def cut(chunks: Iterator[bytes]) -> Iterator[bytes]:
        if objects.ranges[-1] == ("weights.gguf", PART_BYTES):
            raise ModelStoreUnavailable("the line was cut")
        return chunks

    objects.spoil = cut
    # One after another, so that what is cut is known.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgemind.adapters.model_store.download.WORKERS", 1)
        with pytest.raises(ModelStoreUnavailable, match="line was cut"):
            store.fetch("m", site)
    assert not (site / "m" / "1").exists()

    objects.ranges.clear()
    objects.spoil = iter
    place = store.fetch("m", site)
    # The last part may have come, too, before the failure was noticed.
    again = set(objects.ranges)
    assert ("weights.gguf", PART_BYTES) in again
    assert again <= {("weights.gguf", PART_BYTES), ("weights.gguf", 2 * PART_BYTES)}
    assert contents(place) == contents(source)
    assert [path.name for path in (site / "m").iterdir() if path.name != ".lock"] == ["1"]


def test_a_part_that_came_damaged_once_is_asked_for_again(
    store: PublishedModels, objects: Watched, source: Path, site: Path
) -> None:
    store.publish("m", "1", source)

    def damage_first(chunks: Iterator[bytes]) -> Iterator[bytes]:
        damaged = len(objects.ranges) == 1
        return (chunk[::-1] if damaged else chunk for chunk in chunks)

    objects.spoil = damage_first
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgemind.adapters.model_store.download.WORKERS", 1)
        assert contents(store.fetch("m", site)) == contents(source)
    assert len(objects.ranges) == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda whole: whole[: PART_BYTES + 10], "it ends .* bytes too early"),
        (lambda whole: whole[:10], "it ends .* bytes too early"),
        (lambda whole: b"x" + whole[1:], "the part at byte 0 has another digest than when it was published"),
        (lambda whole: None, "it has vanished"),
    ],
    ids=["truncated", "cut to one part", "other bytes", "vanished"],
)
def test_damage_is_named_and_never_shown(
    store: PublishedModels,
    objects: Watched,
    source: Path,
    site: Path,
    change: Callable[[bytes], bytes | None],
    says: str,
) -> None:
    store.publish("m", "1", source / "tokenizer")
    store.fetch("m", site)
    store.publish("m", "2", source)
    overwrite(objects, "weights.gguf", change)

    with pytest.raises(ModelDamaged, match=rf"weights\.gguf cannot be used: {says}.*serve an older one"):
        store.fetch("m", site)
    assert not (site / "m" / "2").exists()
    assert store.fetch("m", site, "1").exists()


@pytest.mark.parametrize("file", ["manifest.json", "serve.json"])
@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[]", b'{"schema_version": "1.0"}', b'{"schema_version": "2.0"}'], ids=str
)
def test_a_record_that_cannot_be_read_is_named(
    store: PublishedModels, objects: Watched, source: Path, site: Path, file: str, damaged: bytes
) -> None:
    store.publish("m", "1", source / "tokenizer")
    overwrite(objects, file, lambda _: damaged)
    with pytest.raises(ModelDamaged, match=rf"{file} cannot be used: .*left as it is"):
        store.fetch("m", site)


def test_a_manifest_that_leads_elsewhere_is_refused(
    store: PublishedModels, objects: Watched, source: Path, site: Path
) -> None:
    store.publish("m", "1", source / "tokenizer")
    overwrite(objects, "manifest.json", lambda whole: whole.replace(b"vocabulary.json", b"../../../vocabulary"))
    with pytest.raises(ModelDamaged, match="is no path inside a folder"):
        store.fetch("m", site)
    assert not site.exists()


def test_a_disk_without_room_is_not_filled(
    store: PublishedModels, objects: Watched, source: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish("m", "1", source)
    usage = shutil.disk_usage(source)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(ModelStoreUnavailable, match=r"needs \d+ MB more than that disk has free. Free some space"):
        store.fetch("m", site)
    assert objects.ranges == []

    monkeypatch.undo()
    assert contents(store.fetch("m", site)) == contents(source)


def test_a_disk_that_fills_up_meanwhile_says_so(
    store: PublishedModels, source: Path, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish("m", "1", source)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(ModelStoreUnavailable, match=r"No space left on device\. Free some space on that disk"):
        store.fetch("m", site)
    monkeypatch.undo()
    assert contents(store.fetch("m", site)) == contents(source)


def test_a_source_that_changes_while_it_is_published_is_noticed(
    store: PublishedModels, objects: Watched, source: Path
) -> None:
    inner = objects.inner

    class Late(Watched):
        def put_file(self, name: str, source: Path, file: ModelFile) -> None:
            changed = replace(file, parts=tuple(replace(part, sha256="0" * 64) for part in file.parts))
            inner.put_file(name, source, changed)

    with pytest.raises(PermanentError, match="changed while it was published"):
        PublishedModels(Late(inner), PART_BYTES).publish("m", "1", source)
    assert list(store.list_models()) == []


def test_objects_that_are_not_there_are_told_from_a_store_that_is_not(objects: Watched) -> None:
    with pytest.raises(ObjectMissing):
        objects.read("models/none")
    with pytest.raises(ObjectMissing):
        list(objects.read_range("models/none", 0, 10))
    assert list(objects.names_below("models/")) == []
