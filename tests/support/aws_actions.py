"""Which actions of AWS the code needs, read from it: who calls which method of a port, and what that asks of AWS."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("edgemind.entrypoints", "edgemind.services")
"""Where uses of ports are looked for: below them nobody knows of ports, and adapters are read on their own."""

ACTION_PREFIXES = {"bedrock-runtime": "bedrock", "service-quotas": "servicequotas"}
"""Where IAM's name of a service is not boto3's."""
OTHER_ACTIONS = {
    # What the API reference says of each operation whose permission has another name.
    "s3:ListObjectsV2": ("s3:ListBucket",),
    "s3:HeadObject": ("s3:GetObject",),
    "s3:CreateMultipartUpload": ("s3:PutObject",),
    "s3:UploadPart": ("s3:PutObject",),
    "s3:CompleteMultipartUpload": ("s3:PutObject",),
    "bedrock:Converse": ("bedrock:InvokeModel",),
    "bedrock:ConverseStream": ("bedrock:InvokeModelWithResponseStream",),
    # By what stands in the transaction, which is read from the code as well.
    "dynamodb:TransactWriteItems": (),
}
TRANSACTION_KINDS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def modules_of(package: str) -> Iterator[Path]:
    """The files of a package, or the file of a module."""
    place = ROOT.joinpath(*package.split("."))
    yield from sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def port_methods(module: str, protocol: str) -> set[str]:
    """The methods of a port."""
    [path] = modules_of(module)
    [found] = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef) and node.name == protocol]
    return {node.name for node in found.body if isinstance(node, ast.FunctionDef)}


def methods_used(roots: Iterable[str], methods: set[str]) -> set[str]:
    """Which of a port's methods the modules below `roots` name, with everything that they import from PACKAGES."""
    seen: set[Path] = set()
    waiting = [path for root in roots for path in modules_of(root)]
    used: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        used |= {name for node in ast.walk(_tree(path)) if (name := _named(node)) in methods}
        waiting += [found for name in _imports(path) if name.startswith(PACKAGES) for found in _existing(name)]
    return used


def _named(node: ast.AST) -> str | None:
    """A method, called or handed on, or a function that is called."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _existing(module: str) -> list[Path]:
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return [path] if path.exists() else []


@dataclass(frozen=True)
class Adapter:
    """The modules of one adapter. Its calls of AWS are those on clients of `service`."""

    service: str
    modules: tuple[str, ...]

    def actions(self, methods: Iterable[str]) -> set[str]:
        """What AWS must allow for these methods, through everything that they call in the adapter."""
        functions = self._functions()
        waiting, reached = [name for name in methods if name in functions], set[str]()
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += [called for node in functions[name] for called in _called(node) if called in functions]
        nodes = [node for name in reached for node in functions[name]]
        return {action for node in nodes for action in self._asked(node)}

    def all_actions(self) -> set[str]:
        return {action for module in self.modules for path in modules_of(module) for action in self._asked(_tree(path))}

    def _functions(self) -> Mapping[str, list[ast.FunctionDef]]:
        """By name: methods of one name in two classes of the adapter count as one."""
        found: dict[str, list[ast.FunctionDef]] = {}
        for module in self.modules:
            for path in modules_of(module):
                for node in ast.walk(_tree(path)):
                    if isinstance(node, ast.FunctionDef):
                        found.setdefault(node.name, []).append(node)
        return found

    def _asked(self, tree: ast.AST) -> Iterator[str]:
        operations = operations_of(self.service)
        prefix = ACTION_PREFIXES.get(self.service, self.service)
        for node in ast.walk(tree):
            # Where no client is called, the last part of a path names the operation: converse-stream.
            called = node.attr if isinstance(node, ast.Attribute) else _text(node).replace("-", "_")
            if called in operations:
                action = f"{prefix}:{operations[called]}"
                yield from OTHER_ACTIONS.get(action, (action,))
            if self.service == "dynamodb" and isinstance(node, ast.Dict):
                yield from (TRANSACTION_KINDS[key] for key in map(_text, node.keys) if key in TRANSACTION_KINDS)


def _called(function: ast.FunctionDef) -> Iterator[str]:
    """Names that a function calls or hands on: its module's functions, and methods of `self` and of what it holds."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute) and _is_own(node.value):
            yield node.attr


def _is_own(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return _is_own(node.value)
    return isinstance(node, ast.Name) and node.id == "self"


def _text(node: ast.AST | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


@cache
def operations_of(service: str) -> Mapping[str, str]:
    """AWS's name of each operation by the name of boto3's method, such as `get_item` -> `GetItem`."""
    session = boto3.Session("test", "test", region_name="eu-central-1")
    mapping: Mapping[str, str] = session.client(service).meta.method_to_api_mapping  # type: ignore[call-overload]
    return mapping


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def services_used(package: str) -> dict[str, set[str]]:
    """The services that clients are made of, by module of a package: every place that a derivation must cover."""
    found: dict[str, set[str]] = {}
    for path in modules_of(package):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        names = {
            _text(node.args[0])
            for node in ast.walk(_tree(path))
            if isinstance(node, ast.Call) and node.args and _name(node.func) in ("new_client", "_client", "_connect")
        }
        if names - {""}:
            found[module] = names - {""}
    return found


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
