import pytest

from scripts.checks import foreign_words


@pytest.mark.parametrize(
    "line",
    [
        "index = 'https://" + "pypi" + ".org/simple'",
        "see /" + "home/ada/edgemind",
        "cd /" + "work/main",
        "ROOT=/" + "root/x",
    ],
)
def test_ties_to_a_machine_or_registry_are_found(line: str) -> None:
    assert [number for number, _ in foreign_words(f"fine\n{line}\n")] == [2]


@pytest.mark.parametrize(
    "line", ["~" + "/work" + "/edgemind", "docs/home/x", "http://127.0.0.1:8100/root/x", "a/work/b"]
)
def test_ordinary_paths_are_left_alone(line: str) -> None:
    assert list(foreign_words(line)) == []
