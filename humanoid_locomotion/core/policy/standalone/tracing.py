# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Records array code as an ONNX graph.

A :class:`Traced` array takes part in NumPy expressions and records each operation, so that code
written for NumPy becomes a graph without a change. Shapes are fixed: every index, sum and
conversion becomes operators that all ONNX versions from :data:`MIN_OPSET` on define alike.
"""

from __future__ import annotations

from functools import reduce
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple

import numpy as np

from humanoid_locomotion.core.errors import MissingPackageError

MIN_OPSET = 13
_TYPES = {'float32': 1, 'int64': 7, 'bool': 9}  # ONNX's type codes
_FLOAT = np.dtype(np.float32)
_OPERATORS: Dict[Any, str] = {
    np.add: 'Add', np.subtract: 'Sub', np.multiply: 'Mul', np.divide: 'Div', np.matmul: 'MatMul',
    np.minimum: 'Min', np.maximum: 'Max', np.greater: 'Greater', np.less: 'Less',
    np.equal: 'Equal', np.negative: 'Neg', np.sin: 'Sin', np.cos: 'Cos', np.sqrt: 'Sqrt',
    np.arctan: 'Atan', np.logical_or: 'Or', np.bitwise_or: 'Or', np.logical_and: 'And',
    np.bitwise_and: 'And', np.invert: 'Not'}


class Recorder:
    """The nodes and constants of a graph while it is being recorded.

    Attributes:
        nodes: The ONNX nodes, in order.
    """

    def __init__(self) -> None:
        try:
            from onnx import helper, numpy_helper
        except ImportError as error:
            raise MissingPackageError('export', 'onnx', 'pip install onnx') from error
        self._helper, self._numpy_helper = helper, numpy_helper
        self.nodes: List[Any] = []
        self._constants: Dict[Tuple[bytes, Tuple[int, ...], str], str] = {}
        self._recorded: Dict[Any, str] = {}

    def input(self, name: str, size: Tuple[int, ...]) -> Traced:
        """Return an input of the graph, float32."""
        return Traced(self, name, np.zeros(size, np.float32))

    def add(self, operator: str, inputs: Sequence[str], value: np.ndarray,
            **attributes: Any) -> Traced:
        """Record a node, unless there is the same; return its output, as ``value``."""
        key = (operator, *inputs, *attributes.items())
        if key not in self._recorded:
            self._recorded[key] = name = f'value_{len(self.nodes)}'
            # onnxruntime 1.19 cannot join nodes without names.
            self.nodes.append(self._helper.make_node(
                operator, inputs, [name], name=name, **attributes))
        return Traced(self, self._recorded[key], value)

    def constant(self, value: Any, dtype: Any) -> str:
        """Return the name of a constant; the same values are stored once."""
        array = np.ascontiguousarray(value, dtype)
        key = (array.tobytes(), np.shape(value), array.dtype.name)
        return self._constants.setdefault(key, f'constant_{len(self._constants)}')

    def graph(self, used: Sequence[str]) -> Tuple[List[Any], List[Any]]:
        """Return the nodes that the named values depend on, and all constants of these."""
        wanted, nodes = set(used), []
        for node in reversed(self.nodes):
            if wanted & set(node.output):
                wanted |= set(node.input)
                nodes.append(node)
        tensors = [self._numpy_helper.from_array(
            np.frombuffer(data, dtype).reshape(shape), name)
            for (data, shape, dtype), name in self._constants.items() if name in wanted]
        return nodes[::-1], tensors


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of a :class:`Recorder`; use it as a NumPy array of fixed shape.

    Attributes:
        recorder: The graph it belongs to.
        name: Its name in the graph.
        value: Its value for inputs of zero, from which shapes and types are known.
    """

    def __init__(self, recorder: Recorder, name: str, value: np.ndarray):
        self.recorder, self.name, self.value = recorder, name, value

    @property
    def shape(self) -> Tuple[int, ...]:
        """As of a NumPy array."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """As of a NumPy array."""
        return self.value.dtype

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """Record an element-by-element operation or a matrix product."""
        if method != '__call__' or kwargs:
            return NotImplemented
        if ufunc is np.remainder:  # of numbers that are not negative
            return self._record('Mod', ufunc, inputs, fmod=1)
        if ufunc is np.isnan:
            return ~(inputs[0] == inputs[0])
        if ufunc is np.arctan2:  # by the half angle, for all angles but pi itself
            y, x = inputs
            return 2.0 * np.arctan(y / np.maximum(np.sqrt(x * x + y * y) + x, 1e-30))
        if ufunc not in _OPERATORS:
            raise TypeError(f'{ufunc.__name__} is not translated to ONNX')
        return self._record(_OPERATORS[ufunc], ufunc, inputs)

    def _record(self, operator: str, function: Callable[..., Any], inputs: Sequence[Any],
                conditions: int = 0, **attributes: Any) -> Traced:
        """Record an operator whose inputs, after ``conditions`` booleans, have one type."""
        is_logic = operator in ('Or', 'And', 'Not')
        kinds = [np.dtype(bool) if is_logic or i < conditions else _FLOAT
                 for i in range(len(inputs))]
        names = [self._operand(it, kind) for it, kind in zip(inputs, kinds)]
        values = [np.asarray(it.value if isinstance(it, Traced) else it, kind)
                  for it, kind in zip(inputs, kinds)]
        with np.errstate(all='ignore'):
            return self.recorder.add(operator, names, np.asarray(function(*values)), **attributes)

    def _operand(self, operand: Any, dtype: np.dtype[Any]) -> str:
        if not isinstance(operand, Traced):
            return self.recorder.constant(operand, dtype)
        return operand.astype(dtype).name

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        """Record one of the NumPy functions that :mod:`core` uses."""
        if function not in _FUNCTIONS:
            raise TypeError(f'{function.__name__} is not translated to ONNX')
        return _FUNCTIONS[function](self, *args, **kwargs)

    def __getitem__(self, index: Any) -> Traced:
        """Record any NumPy index as a choice from the flat array."""
        places = np.arange(self.value.size).reshape(self.shape)[index]
        flat = self.reshape(-1)
        return self.recorder.add('Gather', [flat.name, self.recorder.constant(places, np.int64)],
                                 np.asarray(self.value[index]))

    def __setitem__(self, index: Any, new: Any) -> None:
        """Replace the whole array, the only assignment there is to a traced one."""
        if index is not Ellipsis or not isinstance(new, Traced) or (
                new.shape, new.dtype) != (self.shape, self.dtype):
            raise TypeError(f'expected [...] = a traced {self.dtype} array of {self.shape}')
        self.name, self.value = new.name, new.value

    def reshape(self, *shape: Any) -> Traced:
        """As of a NumPy array."""
        new = self.value.reshape(*shape)
        if new.shape == self.shape:
            return self
        return self.recorder.add(
            'Reshape', [self.name, self.recorder.constant(new.shape, np.int64)], new)

    def astype(self, dtype: Any) -> Traced:
        """As of a NumPy array."""
        if self.dtype == dtype:
            return self
        value = self.value.astype(dtype)
        return self.recorder.add('Cast', [self.name], value, to=_TYPES[value.dtype.name])

    def sum(self, axis: int) -> Traced:
        """As of a NumPy array, in order of the index."""
        return reduce(lambda one, other: one + other, self._along(axis))

    def mean(self, axis: int) -> Traced:
        """As of a NumPy array."""
        return self.sum(axis) / float(self.shape[axis])

    def max(self, axis: int) -> Traced:
        """As of a NumPy array."""
        return reduce(lambda one, other: np.maximum(one, other), self._along(axis))

    def _along(self, axis: int) -> List[Any]:
        before = (slice(None),) * (axis % self.value.ndim)
        return [self[before + (i,)] for i in range(self.shape[axis])]


def _filled(array: Traced, value: float, shape: Optional[Tuple[int, ...]] = None,
            dtype: Any = None) -> Traced:
    content = np.full(array.shape if shape is None else shape, value, dtype or array.dtype)
    return Traced(array.recorder, array.recorder.constant(content, content.dtype), content)


def _concatenate(one: Traced, arrays: Sequence[Any], axis: int = 0) -> Traced:
    values = [np.asarray(it.value if isinstance(it, Traced) else it) for it in arrays]
    names = [one._operand(it, _FLOAT) for it in arrays]
    value = np.concatenate(values, axis).astype(np.float32)
    return one.recorder.add('Concat', names, value, axis=axis % value.ndim)


_FUNCTIONS: Dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenate,
    np.stack: lambda one, arrays, axis: _concatenate(one, [it[..., None] for it in arrays], axis),
    np.where: lambda one, *inputs: one._record('Where', np.where, inputs, conditions=1),
    np.zeros_like: lambda one, array, **kind: _filled(array, 0.0, **kind),
    np.ones_like: lambda one, array: _filled(array, 1.0),
    np.full_like: lambda one, array, value: _filled(array, value)}
