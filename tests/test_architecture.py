"""The architecture holds: imports point left, borders stay closed, the world is met at the edge.

Each rule is a function from a source tree to the list of its breaches. It is asked twice: of Humay,
where it must find nothing, and of a small tree made to break it, where it must find just that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "humay"

ORDER = (
    "errors", "arrays", "compiled", "files", "tables", "time", "frames", "earth", "roots",  # floor
    "mission", "orbit", "access", "schedule", "check", "packets", "spacecraft", "control",
    "sensor", "imaging", "processing", "maps", "catalogue", "quality", "design", "verification",
    "training", "service", "examples", "report", "chain", "cli",
)  # fmt: skip
"""Every module and package of Humay, present or planned: each may import those to its left."""

FLOOR = ORDER[: ORDER.index("mission")]

CLOSED = {
    "schedule": {"orbit"},  # a plan can be tested with six hand-written windows
    "check": set(ORDER) - {*FLOOR, "mission", "orbit", "check"},  # shares no code with solvers
    "control": {"spacecraft"},  # the ground knows a satellite only by its packets
    "processing": {"imaging"},  # as on a real ground, nobody knows what was there
    "catalogue": {"imaging"},
}
"""What a package never uses, by its own name or by that of another package that hands it on."""

LATE = {("cli", ""), ("mission.files", "rasterio")}
"""(module or layer, what it may import inside a function): cli all, others heavy things."""

READERS_AND_WRITERS = {
    "tables", "examples", "cli.flights", "cli.items", "catalogue.store", "processing.store",
}  # fmt: skip
"""Besides every files.py."""

CLOCKS = {"chain.timing", "chain.run", "cli.app", "cli.plans"}
"""They measure for run.json, tell it when the run began, and end a search after so many seconds."""

TALKERS = {"cli.app"}

Breaches: TypeAlias = list[str]


@dataclass(frozen=True, kw_only=True)
class Import:
    """One name brought in: `from module import name`, or all of it with `import module`."""

    module: str
    name: str | None
    line: int
    late: bool  # inside a function


@dataclass(frozen=True, kw_only=True)
class Module:
    """One file of the package, named without `humay.`; the package itself is the empty name."""

    name: str
    tree: ast.Module
    is_package: bool

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def at_edge(self) -> bool:
        return self.name.split(".")[-1] == "files" or self.name in READERS_AND_WRITERS

    @cached_property
    def imports(self) -> list[Import]:
        """Every import of this file, wherever it stands, for types only or not."""
        inside = {
            id(node)
            for function in ast.walk(self.tree)
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
            for node in ast.walk(function)
        }
        return [
            Import(module=module, name=name, line=node.lineno, late=id(node) in inside)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for module, name in self._names(node)
        ]

    def _names(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str | None]]:
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
            return
        base = node.module or ""
        if node.level:
            parts = ["humay", *self.name.split(".")] if self.name else ["humay"]
            here = parts[: len(parts) - node.level + self.is_package]
            base = ".".join([*here, *([node.module] if node.module else [])])
        yield from ((base, alias.name) for alias in node.names)

    @cached_property
    def calls(self) -> list[tuple[int, str]]:
        """(line, dotted name) of every call."""
        calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return [(call.lineno, ast.unparse(call.func)) for call in calls]


@dataclass(frozen=True, kw_only=True)
class Tree:
    """All modules of a package by name."""

    modules: Mapping[str, Module] = field(repr=False)

    @staticmethod
    def of(folder: Path) -> Tree:
        found = {}
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            found[name] = Module(name=name, tree=tree, is_package=parts[-1] == "__init__")
        return Tree(modules=found)

    def own(self, module: Module) -> Iterator[tuple[Import, str]]:
        """Imports from this package, with the module each name comes from first."""
        for entry in module.imports:
            top, _, inner = entry.module.partition(".")
            if top != "humay":
                continue
            if entry.name is not None and f"{inner}.{entry.name}".lstrip(".") in self.modules:
                yield entry, f"{inner}.{entry.name}".lstrip(".")
            elif inner in self.modules:
                yield entry, inner

    def origin(self, module: str, name: str | None) -> str:
        """The module that defines what `module` hands on as `name`."""
        for entry, source in self.own(self.modules[module]) if name and module else ():
            if entry.name == name and source != module:
                return source if source.endswith(f".{name}") else self.origin(source, name)
        return module


# Rules -------------------------------------------------------------------------------------------


def unplaced(tree: Tree) -> Breaches:
    """Modules and packages that the order does not know."""
    return sorted({m.layer for m in tree.modules.values() if m.layer} - set(ORDER))


def against_the_order(tree: Tree) -> Breaches:
    """Imports from further right."""
    rank = {name: i for i, name in enumerate(("", *ORDER))}
    return [
        f"{module.name}:{entry.line} imports {source}"
        for module in tree.modules.values()
        for entry, source in tree.own(module)
        if rank[source.partition(".")[0]] > rank[module.layer]
    ]


def circles(tree: Tree) -> Breaches:
    """Modules that can be reached from themselves."""
    graph = {
        name: {source for _, source in tree.own(module) if source != name}
        for name, module in tree.modules.items()
    }
    found = []
    for name in graph:
        seen: set[str] = set()
        todo = list(graph[name])
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                todo += graph[at]
        if name in seen:
            found.append(name)
    return found


def past_the_door(tree: Tree) -> Breaches:
    """Imports from inside another stage: its `__init__` shows what it offers."""
    return [
        f"{module.name}:{entry.line} imports {source}"
        for module in tree.modules.values()
        for entry, source in tree.own(module)
        if "." in source and source.partition(".")[0] != module.layer
    ]


def over_closed_borders(tree: Tree) -> Breaches:
    """Names that come from where a package may not look, directly or handed on by another."""
    found = []
    for module in tree.modules.values():
        closed = CLOSED.get(module.layer, set())
        for entry, source in tree.own(module) if closed else ():
            origin = tree.origin(source, entry.name)
            if _within(source, closed) or _within(origin, closed):
                found.append(f"{module.name}:{entry.line} imports {entry.name} of {origin}")
            elif entry.name in (None, source) and not _within(source, {module.layer}):
                found.append(f"{module.name}:{entry.line} imports all of {source}, expected names")
    return found


def _within(module: str, places: set[str]) -> bool:
    return any(f"{module}.".startswith(f"{place}.") for place in places)


def late_imports(tree: Tree) -> Breaches:
    """Imports hidden in functions: a circle in disguise, unless listed."""
    return [
        f"{module.name}:{entry.line} imports {entry.module}"
        for module in tree.modules.values()
        for entry in module.imports
        if entry.late
        and (module.layer, "") not in LATE
        and (module.name, entry.module.partition(".")[0]) not in LATE
    ] + [
        f"{module.name}:{line} calls {call}"
        for module in tree.modules.values()
        for line, call in module.calls
        if call in ("__import__", "import_module", "importlib.import_module")
    ]


IO_CALLS = {"open", "io.open", "os.open", "np.load", "np.save", "np.savez", "np.loadtxt",
            "rasterio.open", "pq.read_table", "os.mkdir", "os.makedirs", "os.remove", "os.rename",
            "os.replace"}  # fmt: skip
IO_METHODS = (".read_text", ".read_bytes", ".write_text", ".write_bytes", ".mkdir", ".unlink",
              ".open", ".rename", ".rmdir", ".touch", ".iterdir", ".glob")  # fmt: skip
IO_MODULES = {"subprocess", "socket", "urllib", "http", "requests", "httpx", "sqlite3", "shutil",
              "tempfile", "glob", "fileinput"}  # fmt: skip
PURE = {"urllib.parse"}  # parts of such modules that touch nothing
TALK = {"print", "input", "sys.stdout.write", "sys.stderr.write", "sys.stdin.read"}
CLOCK_METHODS = (".now", ".utcnow", ".today", ".fromtimestamp", "perf_counter", "process_time")
RANDOM = ("np.random.", "numpy.random.")
SEEDED = ("default_rng", "Generator", "SeedSequence")


def stray_io(tree: Tree) -> Breaches:
    """Reading and writing outside files.py, tables.py, examples.py, cli."""
    return _stray(
        tree, lambda m: m.at_edge, lambda c: c in IO_CALLS or c.endswith(IO_METHODS), IO_MODULES
    )


def stray_talk(tree: Tree) -> Breaches:
    """Printing outside cli/app.py."""
    return _stray(tree, lambda m: m.name in TALKERS, lambda call: call in TALK, set())


def stray_clock(tree: Tree) -> Breaches:
    """The wall clock read anywhere but where a run is timed."""
    return _stray(
        tree, lambda m: m.name in CLOCKS, lambda call: call.endswith(CLOCK_METHODS), {"time"}
    )


def stray_chance(tree: Tree) -> Breaches:
    """Global random numbers; the caller passes a generator."""
    return _stray(
        tree,
        lambda _: False,
        lambda call: call.startswith(RANDOM) and not call.endswith(SEEDED),
        {"random", "secrets", "uuid"},
    )


def _stray(
    tree: Tree,
    allowed: Callable[[Module], bool],
    meant: Callable[[str], bool],
    modules: set[str],
) -> Breaches:
    """Calls that are meant and imports of these modules, except where they are allowed."""
    elsewhere = [module for module in tree.modules.values() if not allowed(module)]
    calls = [(m.name, line, f"calls {c}") for m in elsewhere for line, c in m.calls if meant(c)]
    imports = [
        (module.name, entry.line, f"imports {entry.module}")
        for module in elsewhere
        for entry in module.imports
        if entry.module.partition(".")[0] in modules and entry.module not in PURE
    ]
    return [f"{name}:{line} {what}" for name, line, what in calls + imports]


def broad_excepts(tree: Tree) -> Breaches:
    """Handlers that swallow whatever comes."""
    return [
        f"{module.name}:{node.lineno}"
        for module in tree.modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]


RULES = (
    unplaced, against_the_order, circles, past_the_door, over_closed_borders, late_imports,
    stray_io, stray_talk, stray_clock, stray_chance, broad_excepts,
)  # fmt: skip


@pytest.fixture(scope="module")
def humay() -> Tree:
    return Tree.of(SOURCE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_humay_keeps(rule: Callable[[Tree], Breaches], humay: Tree) -> None:
    assert rule(humay) == []


def test_the_tree_is_the_whole_package(humay: Tree) -> None:
    """Else every rule above would be kept by nothing."""
    assert {"errors", "mission", "mission.files", "schedule.bound", "cli.app"} <= set(humay.modules)
    assert len(list(humay.own(humay.modules["chain.picturing"]))) > 10
    assert humay.origin("access", "Opportunities") == "access.records"


BROKEN: tuple[tuple[Callable[[Tree], Breaches], dict[str, str], str], ...] = (
    (unplaced, {"helpers.py": ""}, "helpers"),
    (
        against_the_order,
        {"time.py": "from humay.orbit import A", "orbit/__init__.py": ""},
        "time:1",
    ),
    (
        against_the_order,
        {"orbit/a.py": "from ..access import b", "access/__init__.py": ""},
        "orbit.a",
    ),
    (
        circles,
        {"orbit/a.py": "from humay.orbit.b import B", "orbit/b.py": "import humay.orbit.a"},
        "orbit.a",
    ),
    (
        circles,
        {
            "orbit/a.py": "def f():\n from humay.orbit import b",
            "orbit/b.py": "from . import a",
            "orbit/__init__.py": "",
        },
        "orbit.b",
    ),
    (
        past_the_door,
        {"access/a.py": "from humay.orbit.sgp4 import S", "orbit/sgp4.py": ""},
        "access.a",
    ),
    (
        over_closed_borders,
        {"schedule/a.py": "from humay.orbit import E", "orbit/__init__.py": ""},
        "schedule.a:1 imports E",
    ),
    (
        over_closed_borders,
        {
            "schedule/a.py": "from humay.access import E",
            "access/__init__.py": "from humay.orbit import E",
            "orbit/__init__.py": "from humay.orbit.sgp4 import E",
            "orbit/sgp4.py": "class E: ...",
        },
        "schedule.a:1 imports E of orbit.sgp4",
    ),
    (
        over_closed_borders,
        {"schedule/a.py": "from humay import access", "access/__init__.py": ""},
        "expected names",
    ),
    (
        over_closed_borders,
        {"schedule/a.py": "import humay.access", "access/__init__.py": ""},
        "expected names",
    ),
    (
        over_closed_borders,
        {"check/a.py": "from humay.access import O", "access/__init__.py": ""},
        "check.a:1",
    ),
    (
        over_closed_borders,
        {"check/a.py": "from humay.schedule import P", "schedule/__init__.py": ""},
        "check.a:1",
    ),
    (
        over_closed_borders,
        {"control/a.py": "from humay.spacecraft import S", "spacecraft/__init__.py": ""},
        "control.a:1",
    ),
    (
        over_closed_borders,
        {
            "processing/a.py": "from humay.imaging import Scene",
            "imaging/__init__.py": "from humay.imaging.scene import Scene",
            "imaging/scene.py": "class Scene: ...",
        },
        "imports Scene of imaging.scene",
    ),
    (late_imports, {"orbit/a.py": "def f():\n import json"}, "orbit.a:2 imports json"),
    (late_imports, {"mission/files.py": "def f():\n import pandas"}, "mission.files:2"),
    (late_imports, {"orbit/a.py": "import importlib\nimportlib.import_module('x')"}, "orbit.a:2"),
    (stray_io, {"orbit/a.py": "from pathlib import Path\nPath('a').read_text()"}, "orbit.a:2"),
    (stray_io, {"orbit/a.py": "open('a')"}, "orbit.a:1 calls open"),
    (stray_talk, {"access/a.py": "print('hello')"}, "access.a:1 calls print"),
    (stray_clock, {"orbit/a.py": "import datetime\ndatetime.datetime.now()"}, "orbit.a:2"),
    (stray_clock, {"orbit/a.py": "from time import time\ntime()"}, "orbit.a:1 imports time"),
    (stray_io, {"orbit/a.py": "from urllib.request import urlopen"}, "orbit.a:1 imports urllib"),
    (stray_chance, {"schedule/a.py": "import numpy as np\nnp.random.rand()"}, "schedule.a:2"),
    (stray_chance, {"schedule/a.py": "from random import shuffle"}, "schedule.a:1"),
    (broad_excepts, {"orbit/a.py": "try:\n pass\nexcept Exception:\n pass"}, "orbit.a:3"),
    (broad_excepts, {"orbit/a.py": "try:\n pass\nexcept:\n pass"}, "orbit.a:3"),
)


@pytest.mark.parametrize(
    ("rule", "files", "breach"), BROKEN, ids=[f"{i}-{b[0].__name__}" for i, b in enumerate(BROKEN)]
)
def test_a_rule_finds_its_breach(
    rule: Callable[[Tree], Breaches], files: dict[str, str], breach: str, tmp_path: Path
) -> None:
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = rule(Tree.of(tmp_path))
    assert any(breach in each for each in found), found


ALLOWED = {
    "cli/app.py": "def verb():\n from humay.orbit import E\n print(E)",
    "orbit/__init__.py": "from humay.orbit.a import E",
    "orbit/a.py": "from humay.errors import X\nfrom numpy.random import default_rng\nclass E: ...",
    "orbit/files.py": "open('a')",
    "errors.py": "class X(Exception): ...",
    "check/a.py": "from humay.orbit import E\nfrom humay.errors import X",
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_lets_good_code_pass(rule: Callable[[Tree], Breaches], tmp_path: Path) -> None:
    for name, text in ALLOWED.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert rule(Tree.of(tmp_path)) == []
