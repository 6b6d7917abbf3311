"""Parts of model files, and the manifests that nobody may download by."""

from dataclasses import replace

import pytest

from edgemind.domain.model_files import MAX_FILES, ModelFile, ModelManifest, ModelPart, flaws, part_bounds, safe_path

PART = ModelPart(0, 10, "ab" * 32)
FILE = ModelFile("weights", (PART, replace(PART, offset=10)))
MANIFEST = ModelManifest("m", "1", (FILE, ModelFile("empty", ())))


def test_parts_lie_one_behind_the_other() -> None:
    assert list(part_bounds(25, 10)) == [(0, 10), (10, 10), (20, 5)]
    assert list(part_bounds(20, 10)) == [(0, 10), (10, 10)]
    assert list(part_bounds(0, 10)) == []
    assert (FILE.size_bytes, MANIFEST.size_bytes) == (20, 20)


def test_a_good_manifest_has_no_flaws() -> None:
    assert flaws(MANIFEST) == []


@pytest.mark.parametrize(
    "part",
    [replace(PART, offset=1), replace(PART, size_bytes=0), replace(PART, size_bytes=-1), replace(PART, sha256="ab"),
     replace(PART, sha256="AB" * 32)],
)  # fmt: skip
def test_parts_that_make_no_file_are_flaws(part: ModelPart) -> None:
    assert flaws(replace(MANIFEST, files=(ModelFile("weights", (part,)),))) == [
        "the parts of weights do not make a file"
    ]


def test_all_flaws_are_named_at_once() -> None:
    manifest = replace(MANIFEST, files=(FILE, FILE, ModelFile("../up", ()), ModelFile("a", (PART, PART))))
    assert flaws(manifest) == [
        "it has 'weights' more than once", "'../up' is no path inside a folder", "the parts of a do not make a file",
    ]  # fmt: skip
    assert flaws(replace(MANIFEST, files=())) == [f"it has 0 files, not 1 to {MAX_FILES}"]


@pytest.mark.parametrize("path", ["a", "a/b.gguf", "a b/ü"])
def test_paths_inside_a_folder(path: str) -> None:
    assert safe_path(path)


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/a", "a/../b", "a//b", "a/", ".hidden", "a/.hidden", "a\\b", "a\nb", "a\0b", "a" * 513]
)
def test_paths_that_lead_elsewhere(path: str) -> None:
    assert not safe_path(path)
