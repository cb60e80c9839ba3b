"""What a change of one line is, and every one that a file allows.

Small changes after DeMillo, Lipton & Sayward (1978): an operator for another, a number one off, a condition negated, a
statement left out, two arguments swapped. Texts, annotations and imports stay as they are.

A sample takes the first changes by rank. The rank of a change is a hash of what the change is and of the definition
around it, so that an edit anywhere else leaves it as it is: a sample of a later state of the code is the same one, but
for the functions that were edited.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one line."""

    path: Path  # below the root
    start: int  # in the bytes of the file
    end: int
    line: int  # from 1
    before: str
    after: str
    within: str  # the qualified name of the function around it, or of what a module or class sets
    occurrence: int  # among the same changes of the same text there, from 0

    def rank(self, seed: int) -> str:
        """Its place among all others, of 64 hexadecimal digits."""
        what = (str(seed), self.path.as_posix(), self.within, _spaced(self.before), _spaced(self.after))
        return hashlib.sha256("\0".join((*what, str(self.occurrence))).encode()).hexdigest()

    def applied(self, source: bytes) -> bytes:
        """The file with the change in it."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {_spaced(self.before)}  ->  {_spaced(self.after)}"


def mutants_of(path: Path) -> list[Mutant]:
    """Every change of a file, as they stand in it."""
    source = (ROOT / path).read_bytes()
    starts = _starts(source)
    found = []
    for within, node, after in _changes(ast.parse(source)):
        start, end = _extent(node, starts)
        # Inside a parent of whatever binding: brackets keep the meaning of what is around it.
        text = after if isinstance(node, ast.stmt | ast.Constant) else f"({after})"
        found.append((start, end, node.lineno, source[start:end].decode(), text, within))
    seen: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    for start, end, line, before, text, within in sorted(found):
        same = within, _spaced(before), _spaced(text)
        mutants.append(Mutant(path, start, end, line, before, text, within, seen[same]))
        seen[same] += 1
    return mutants


def sample_of(mutants: Iterable[Mutant], seed: int, count: int) -> list[Mutant]:
    """The first changes by rank."""
    return sorted(mutants, key=lambda mutant: mutant.rank(seed))[:count]


def _changes(tree: ast.Module) -> Iterator[tuple[str, ast.stmt | ast.expr, str]]:
    """What could be changed and the name of what is around it, with what stands there instead."""
    for within, node in _without_words(tree):
        match node:
            case ast.BinOp(left, op, right) if type(op) in SWAPPED and not _is_type(node):
                yield within, node, ast.unparse(ast.BinOp(left, SWAPPED[type(op)](), right))  # type: ignore[arg-type]  # an operator
            case ast.Compare(left, [op], [right]):
                yield within, node, ast.unparse(ast.Compare(left, [SWAPPED[type(op)]()], [right]))  # type: ignore[list-item]  # likewise
            case ast.BoolOp(op, values):
                yield within, node, ast.unparse(ast.BoolOp(SWAPPED[type(op)](), values))  # type: ignore[arg-type]  # likewise
            case ast.UnaryOp(ast.Not() | ast.USub(), operand):
                yield within, node, ast.unparse(operand)
            case ast.Constant(bool() as value):
                yield within, node, repr(not value)
            case ast.Constant(int() as value):
                yield within, node, repr(value + 1)
            case ast.Constant(float() as value):
                yield within, node, repr(value * 2.0 if value else 1.0)
            case ast.If(test):
                yield within, test, f"not ({ast.unparse(test)})"
            case ast.Call(func, [first, second, *rest], keywords) if _order_matters(func, first, second):
                yield within, node, ast.unparse(ast.Call(func, [second, first, *rest], keywords))
            case ast.Assign() | ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
                yield within, node, "pass"
            case ast.Expr(ast.Call() | ast.Await()):
                yield within, node, "pass"


def _without_words(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """All nodes of functions but their signatures, annotations, and what only makes a text; with the names around."""
    waiting: list[tuple[str, bool, ast.AST]] = [("", False, tree)]
    while waiting:
        around, in_function, node = waiting.pop()
        within = around if in_function else ".".join(filter(None, (around, *_targets(node))))
        match node:
            case ast.FunctionDef(name, body=inside) | ast.AsyncFunctionDef(name, body=inside):
                within, in_function, children = f"{around}.{name}", True, list(inside)
            case ast.ClassDef(name):
                within, in_function, children = f"{around}.{name}", False, list(ast.iter_child_nodes(node))
            case ast.AnnAssign():
                children = [node.value] if node.value is not None else []
            case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Subscript(ast.Name("Literal")):
                children = []
            case _:
                children = list(ast.iter_child_nodes(node))
        yield within.lstrip("."), node
        waiting += [(within.lstrip("."), in_function, child) for child in children]


def _is_type(node: ast.BinOp) -> bool:
    """Whether it joins types, as in isinstance(x, int | float)."""
    return isinstance(node.op, ast.BitOr) and all(
        isinstance(side, ast.Name | ast.Attribute) and ast.unparse(side).split(".")[-1][:1].isupper()
        for side in (node.left, node.right)
    )


def _order_matters(func: ast.expr, first: ast.expr, second: ast.expr) -> bool:
    """Whether a call is another one with its first two arguments swapped."""
    name = ast.unparse(func).split(".")[-1]
    return name not in ("max", "min", "maximum", "minimum") and ast.dump(first) != ast.dump(second)


@dataclass(frozen=True)
class Place:
    """Where a change takes effect."""

    lines: range  # of the statement around it, without the block below it
    names: tuple[str, ...]  # of what it sets in a module or class, for all that read it; empty inside a function


def place_of(mutant: Mutant) -> Place:
    """The lines that run with the changed one, and the names that carry its effect elsewhere."""
    source = (ROOT / mutant.path).read_bytes()
    starts = _starts(source)
    around = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt) and _holds(node, mutant, starts)
    ]
    around.sort(key=lambda node: _extent(node, starts)[0])
    statement = around[-1]
    if _is_decorator(mutant, statement, starts):
        named = [
            node.name for node in around if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        ]
        return Place(range(mutant.line, mutant.line + 1), tuple(named))
    last = statement.end_lineno or statement.lineno
    if isinstance(statement, ast.If | ast.While | ast.For | ast.AsyncFor | ast.With | ast.AsyncWith):
        last = max(statement.lineno, statement.body[0].lineno - 1)
    lines = range(statement.lineno, last + 1)
    if any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in around):
        return Place(lines, ())
    classes = [node.name for node in around if isinstance(node, ast.ClassDef)]
    return Place(lines, (*_targets(statement), *classes))


def _holds(node: ast.stmt, mutant: Mutant, starts: list[int]) -> bool:
    start, end = _extent(node, starts)
    return (start <= mutant.start and mutant.end <= end) or _is_decorator(mutant, node, starts)


def _is_decorator(mutant: Mutant, node: ast.stmt, starts: list[int]) -> bool:
    """Whether a change is in a decorator, which stands before its statement."""
    extents = [_extent(decorator, starts) for decorator in getattr(node, "decorator_list", ())]
    return any(start <= mutant.start and mutant.end <= end for start, end in extents)


def _targets(statement: ast.AST) -> list[str]:
    """The names that a statement sets."""
    match statement:
        case ast.Assign(targets):
            return [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
        case ast.AnnAssign(ast.Name(name)) | ast.AugAssign(ast.Name(name)):
            return [name]
        case _:
            return []


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _starts(source: bytes) -> list[int]:
    """Where each line starts, in bytes."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    return starts


def _extent(node: ast.stmt | ast.expr, starts: list[int]) -> tuple[int, int]:
    start = starts[node.lineno - 1] + node.col_offset
    return start, starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
