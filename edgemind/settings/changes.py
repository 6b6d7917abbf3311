"""The effective configuration as plain values without secrets, and how two of them differ, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgemind.settings.root import Settings
from edgemind.settings.secret import Secret


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None where it is absent. A secret shows as its reference, whatever changed."""

    path: str
    before: object
    after: object

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.path}: {_shown(self.after)}"
        if self.after is None:
            return f"- {self.path}: {_shown(self.before)}"
        if isinstance(self.after, Secret) and _shown(self.before) == _shown(self.after):
            return f"~ {self.path}: {self.after} (its value changed)"
        return f"~ {self.path}: {_shown(self.before)} -> {_shown(self.after)}"


def effective_config(settings: Settings) -> dict[str, Any]:
    """Everything in force, defaults included, in the layout of edgemind.yaml; secrets are their references."""
    plain: dict[str, Any] = _plain(settings.model_dump(mode="python", by_alias=True, exclude_none=True))
    return plain


def changes(before: Settings, after: Settings) -> tuple[Change, ...]:
    """Fields that differ, in the order of the file. Sites, models and tenants are matched by name, not position."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return tuple(
        Change(path, old.get(path), new.get(path)) for path in {**old, **new} if old.get(path) != new.get(path)
    )


def _fields(settings: Settings) -> Iterator[tuple[str, object]]:
    return _flat(settings.model_dump(mode="python", by_alias=True, exclude_none=True), "")


def _flat(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, tuple) and value and isinstance(value[0], dict):
        seen: dict[str, int] = {}
        for item in value:
            # Two servers may hold the same model at one site; the second one is told apart by its rank.
            rank = seen[item["name"]] = seen.get(item["name"], 0) + 1
            yield from _flat(item, f"{path}[{item['name']}{f'#{rank}' if rank > 1 else ''}]")
    else:
        yield path, sorted(value) if isinstance(value, frozenset) else value


def _plain(value: object) -> Any:
    """JSON and YAML types only. Sets are sorted, so that the same settings always print the same text."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, frozenset):
        return sorted(str(item) for item in value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) in (str, int, float, bool) else str(value)


def _shown(value: object) -> str:
    plain = _plain(value)
    return f"[{', '.join(map(str, plain))}]" if isinstance(plain, list) else str(plain)
