# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Reads from the source of a TorchScript module in what order it calls the modules in it."""

from __future__ import annotations

import ast
from textwrap import dedent
from typing import Any, Collection, Dict, Set, Tuple

from humanoid_locomotion.core.policy.onnx_structure import RejectedError

INSTEAD = 'export it as ONNX with torch.onnx.export, and import that file'
MAX_TEXT = 10_000  # characters of a function or of an expression
# Functions that move the values of one observation without a change.
MOVES = tuple(f'torch.{name}' for name in ('unsqueeze', 'squeeze', 'clone', 'detach'))
# Arguments of a slice that takes all of it, as recent and older versions of PyTorch write it.
ALL: Tuple[Any, ...] = ([], ['0', '0', str(2 ** 63 - 1), '1'])


class ForwardCode:
    """The result of a function ``forward``, as an expression of its argument ``x``.

    Names are replaced by what they stand for, and functions that only move data are left out.

    Attributes:
        returned: The result, as ``self.actor(self.normalizer(x))``.
        stored: Pairs of a buffer and the expression that is stored in it.

    Args:
        source: The source of the function.
        skipped: Modules that return what they are given, as ``self.dropout``.

    Raises:
        RejectedError: It does something else than to call functions one after the other.
    """

    def __init__(self, source: str, skipped: Collection[str] = ()):
        if len(source) > MAX_TEXT:
            raise RejectedError(f'has a function forward of more than {MAX_TEXT} characters; '
                                f'{INSTEAD}')
        (function,) = ast.parse(dedent(source)).body
        if not isinstance(function, ast.FunctionDef) or len(function.args.args) != 2:
            raise RejectedError('has a function forward that takes something else than one '
                                f'observation; {INSTEAD}')
        self.returned = ''
        self.stored: Set[Tuple[str, str]] = set()
        self._skipped = skipped
        self._known: Dict[str, str] = dict(zip((it.arg for it in function.args.args),
                                               ('self', 'x')))
        for line in function.body:
            if isinstance(line, ast.Return) and line.value is not None:
                self.returned = self._text(line.value)
            elif isinstance(line, ast.Assign) and len(line.targets) == 1:
                self._assign(line.targets[0], self._text(line.value))
            else:
                raise RejectedError('has a function forward with the statement '
                                    f'{type(line).__name__}; {INSTEAD}')

    def _assign(self, target: Any, text: str) -> None:
        if isinstance(target, ast.Tuple):
            for i, inner in enumerate(target.elts):
                self._assign(inner, f'{text}[{i}]')
        else:
            self._known[target.id] = text

    def _text(self, node: Any) -> str:
        if isinstance(node, ast.Name):
            return self._known.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f'{self._text(node.value)}.{node.attr}'
        if isinstance(node, ast.Constant):
            return repr(node.value)
        if isinstance(node, (ast.Tuple, ast.List)):
            return f'({", ".join(map(self._text, node.elts))})'
        if not isinstance(node, ast.Call):
            return f'{type(node).__name__}(...)'
        function, given = self._text(node.func), [self._text(it) for it in node.args]
        module, _, name = function.rpartition('.')
        if function == 'getattr':
            return f'{given[0]}.{given[1][1:-1]}'
        if function == 'torch.copy_':
            self.stored.add((given[0], given[1]))
        is_same = (function in (*MOVES, 'torch.copy_')
                   or (function == 'torch.slice' and given[1:] in ALL)
                   or (name == 'forward' and module in self._skipped and given))
        text = given[0] if is_same else (
            f'{module if name in ("forward", "forward__0") else function}({", ".join(given)})')
        if len(text) > MAX_TEXT:
            raise RejectedError(f'has an expression of more than {MAX_TEXT} characters; {INSTEAD}')
        return text


def recurrent_call(kind: str, name: str, given: str) -> Tuple[str, Set[Tuple[str, str]]]:
    """Return the output of an LSTM or GRU with its states in buffers, and what it stores."""
    hidden, cell = 'self.hidden_state', 'self.cell_state'
    if kind == 'GRU':
        call = f'self.{name}({given}, {hidden})'
        return f'{call}[0]', {(hidden, f'{call}[1]')}
    call = f'self.{name}({given}, ({hidden}, {cell}))'
    return f'{call}[0]', {(hidden, f'{call}[1][0]'), (cell, f'{call}[1][1]')}
