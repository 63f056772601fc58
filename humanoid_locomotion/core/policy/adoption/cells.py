# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""LSTM and GRU cells as products and sigmoids, the operators that a network may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Sequence, Tuple

import numpy as np

GATES = {'LSTM': 4, 'GRU': 3}


@dataclass(frozen=True)
class Cell:
    """One layer of an LSTM or GRU, one step at a time, in PyTorch's order of gates.

    Attributes:
        kind: ``LSTM`` (gates: input, forget, cell, output) or ``GRU`` (reset, update, new).
        weight_input: (gates * hidden, inputs).
        weight_hidden: (gates * hidden, hidden).
        bias_input: (gates * hidden,).
        bias_hidden: (gates * hidden,).
    """

    kind: str
    weight_input: np.ndarray
    weight_hidden: np.ndarray
    bias_input: np.ndarray
    bias_hidden: np.ndarray

    def __post_init__(self) -> None:
        rows, hidden = self.weight_hidden.shape
        biases = {self.bias_input.shape, self.bias_hidden.shape}
        if self.weight_input.shape[0] != rows or biases != {(rows,)} or (
                rows != GATES[self.kind] * hidden):
            raise ValueError(
                f'{self.kind}: weights of the shapes {self.weight_input.shape} and '
                f'{self.weight_hidden.shape} do not fit each other')

    @property
    def hidden(self) -> int:
        """Length of the hidden state."""
        return int(self.weight_hidden.shape[1])


class GraphParts:
    """Nodes and constants of a graph that is being written.

    Attributes:
        nodes: The ONNX nodes, in order.
        tensors: The constants.
    """

    def __init__(self, prefix: str):
        self.nodes: List[Any] = []
        self.tensors: List[Any] = []
        self._prefix = prefix

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        """Return the name of a constant."""
        from onnx import numpy_helper
        name = f'{self._prefix}constant_{len(self.tensors)}'
        self.tensors.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def add(self, operator: str, inputs: Sequence[str], outputs: int = 1, output: str = '',
            **attributes: Any) -> Any:
        """Record a node; return the name of its output, or a list of several."""
        from onnx import helper
        name = f'{self._prefix}{len(self.nodes)}'
        names = [output] if output else [f'{name}_{i}' for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=name, **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x: str, weight: np.ndarray, bias: np.ndarray, output: str = '') -> str:
        """Record ``x @ weight.T + bias``."""
        return str(self.add('Gemm', [x, self.constant(weight), self.constant(bias)],
                            output=output, transB=1))

    def split(self, x: str, sizes: Sequence[int]) -> List[str]:
        """Record the columns of ``x`` in parts of some sizes."""
        ends = np.cumsum([0, *sizes])
        axis = self.constant([1], np.int64)
        return [str(self.add('Slice', [x, self.constant([start], np.int64),
                                       self.constant([stop], np.int64), axis]))
                for start, stop in zip(ends, ends[1:])]

    def reshape(self, x: str, shape: Sequence[int], output: str = '') -> str:
        """Record ``x`` in another shape; -1 for the batch."""
        return str(self.add('Reshape', [x, self.constant(shape, np.int64)], output=output))

    def step(self, cell: Cell, x: str, states: Sequence[str]) -> Tuple[str, ...]:
        """Record one step of a cell.

        Args:
            cell: The cell.
            x: Its input (batch, inputs).
            states: The hidden state (batch, hidden); of an LSTM also the cell state.

        Returns:
            The new states.
        """
        sizes = [cell.hidden] * GATES[cell.kind]
        from_input = self.linear(x, cell.weight_input, cell.bias_input)
        from_hidden = self.linear(states[0], cell.weight_hidden, cell.bias_hidden)
        if cell.kind == 'GRU':
            mine, other = self.split(from_input, sizes), self.split(from_hidden, sizes)
            reset, update = (self.add('Sigmoid', [self.add('Add', [mine[i], other[i]])])
                             for i in range(2))
            new = self.add('Tanh', [
                self.add('Add', [mine[2], self.add('Mul', [reset, other[2]])])])
            kept = self.add('Mul', [update, self.add('Sub', [states[0], new])])
            return (self.add('Add', [new, kept]),)
        gates = self.split(self.add('Add', [from_input, from_hidden]), sizes)
        taken, kept, given = (self.add('Sigmoid', [gates[i]]) for i in (0, 1, 3))
        cell_state = self.add('Add', [
            self.add('Mul', [kept, states[1]]),
            self.add('Mul', [taken, self.add('Tanh', [gates[2]])])])
        return self.add('Mul', [given, self.add('Tanh', [cell_state])]), cell_state
