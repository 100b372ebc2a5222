"""Mutations of Python source: small changes of one expression that a good test notices."""

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
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
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Add,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Pow: ast.Mult,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A changed module: its whole source, and the line, the old and the new text of what was changed."""

    line: int
    old: str
    new: str
    source: str


def choose_mutants(source: str, most: int, seed: int) -> list[Mutant]:
    """Return at most `most` mutants of a module, the same ones for the same seed."""
    tree = ast.parse(source)
    fixed = _fixed(tree)
    sites = [(number, new) for number, node in enumerate(ast.walk(tree)) for new in _changes(node, fixed)]
    chosen = random.Random(seed).sample(sites, min(most, len(sites)))
    return [_mutant(tree, number, new) for number, new in sorted(chosen, key=lambda site: site[0])]


def count_mutants(source: str) -> int:
    tree = ast.parse(source)
    fixed = _fixed(tree)
    return sum(1 for node in ast.walk(tree) for _ in _changes(node, fixed))


def _fixed(tree: ast.Module) -> set[int]:
    """Return the nodes that no test could notice: annotations, defaults of types, what is exported."""
    fixed: set[int] = set()
    for node in ast.walk(tree):
        parts = [getattr(node, name, None) for name in ("annotation", "returns")]
        if isinstance(node, ast.Assign) and any(getattr(target, "id", "") == "__all__" for target in node.targets):
            parts.append(node.value)
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            parts += node.decorator_list
        fixed |= {id(inner) for part in parts if part is not None for inner in ast.walk(part)}
    return fixed


def _changes(node: ast.AST, fixed: set[int]) -> Iterator[ast.AST]:
    if id(node) in fixed:
        return
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _COMPARED:
            yield ast.Compare(node.left, [_COMPARED[type(operator)]()], node.comparators)
        case ast.BinOp(op=operator) if type(operator) in _COMPUTED and not _is_text(node):
            yield ast.BinOp(node.left, _COMPUTED[type(operator)](), node.right)
        case ast.BoolOp(op=operator):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.IfExp():
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value) | float(value)):
            yield ast.Constant(value + 1)
        case _:
            pass


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str) for side in sides)


def _mutant(tree: ast.Module, number: int, new: ast.AST) -> Mutant:
    changed = copy.deepcopy(tree)
    chosen = next(node for place, node in enumerate(ast.walk(changed)) if place == number)
    for parent in ast.walk(changed):
        for name, value in ast.iter_fields(parent):
            for place, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
                if child is chosen:
                    old = ast.unparse(child)
                    if place is None:
                        setattr(parent, name, new)
                    else:
                        value[place] = new
                    line = getattr(child, "lineno", 0)
                    source = ast.unparse(ast.fix_missing_locations(changed))
                    return Mutant(line=line, old=old, new=ast.unparse(new), source=source)
    raise AssertionError
