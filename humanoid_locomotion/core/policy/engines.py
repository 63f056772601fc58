# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The inference engines of a policy's network; each is imported only when it is used.

Both take a checked :class:`Network`: onnxruntime runs the graph itself, torch rebuilds the chain
of layers from the graph's initialisers.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.errors import MissingPackageError, PolicyError, UnknownNameError
from humanoid_locomotion.core.policy.graphed_step import GraphedStep
from humanoid_locomotion.core.policy.onnx_graph import (
    INPUT,
    MEMORY_IN,
    MEMORY_OUT,
    OUTPUT,
    Network,
    open_network,
)


def open_session(network: Network) -> Any:
    """Load a checked ONNX file into onnxruntime, on one CPU thread."""
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingPackageError(
            'the engine onnxruntime', 'onnxruntime', 'pip install onnxruntime') from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # The checked file is ONNX; by its first bytes onnxruntime could read it as its own format.
    options.add_session_config_entry('session.load_model_format', 'ONNX')
    try:
        return onnxruntime.InferenceSession(
            network.content, options, providers=['CPUExecutionProvider'])
    except Exception as error:  # onnxruntime has no common exception class for load errors
        raise PolicyError(network.path, 'is not an ONNX file that onnxruntime can load '
                          f'({" ".join(str(error).split())[:200]})') from error


class OnnxRuntimeEngine:
    """Runs a network with onnxruntime on one CPU thread.

    Attributes:
        metadata: The file's metadata, strings by key.
        obs_size: Length of an observation.
        num_actions: Length of an action.
        memory_size: Length of a recurrent network's memory; 0 if it is not recurrent.
    """

    name = 'onnxruntime'

    def __init__(self, network: Network, device: str = 'cpu'):
        self._session = open_session(network)
        self.metadata = network.metadata
        self.obs_size, self.num_actions = network.obs_size, network.num_actions
        self.memory_size = network.memory_size
        self._one_by_one = network.one_by_one  # as in exports with a fixed batch size
        self._bind()

    def _bind(self) -> None:
        """Bind fixed buffers for one observation, the case of a robot's control step."""
        sizes = {INPUT: self.obs_size, OUTPUT: self.num_actions,
                 MEMORY_IN: self.memory_size, MEMORY_OUT: self.memory_size}
        arrays = {name: np.zeros((1, size), np.float32) for name, size in sizes.items() if size}
        self._inputs = [arrays[name] for name in (INPUT, MEMORY_IN) if name in arrays]
        self._outputs = [arrays[name] for name in (OUTPUT, MEMORY_OUT) if name in arrays]
        self._binding = self._session.io_binding()
        for name, array in arrays.items():
            bind = (self._binding.bind_input if name in (INPUT, MEMORY_IN)
                    else self._binding.bind_output)
            bind(name, 'cpu', 0, np.float32, array.shape, array.ctypes.data)

    def __call__(self, obs: Array, memory: Optional[Array] = None) -> Any:
        """Return the actions (num_envs, num_actions) for observations (num_envs, obs_size).

        A recurrent network takes the memory (num_envs, memory_size), zeros after a reset, and
        returns actions and new memory.
        """
        given = [np.asarray(it, np.float32) for it in (obs, memory) if it is not None]
        if [it.shape for it in given] == [it.shape for it in self._inputs]:
            for array, value in zip(self._inputs, given):
                array[...] = value
            self._session.run_with_iobinding(self._binding)
            found = [array.copy() for array in self._outputs]
        elif self._one_by_one and len(given[0]) > 1:
            rows = [self(*(it[i:i + 1] for it in given)) for i in range(len(given[0]))]
            found = [np.concatenate(column)
                     for column in (zip(*rows) if self.memory_size else [rows])]
        else:
            names = [OUTPUT, MEMORY_OUT][:len(self._outputs)]
            found = self._session.run(names, dict(zip((INPUT, MEMORY_IN), given)))
        return tuple(found) if self.memory_size else found[0]


class TorchEngine:
    """Runs the network with PyTorch, on CUDA if a GPU is available.

    Accepts and returns NumPy arrays or tensors: an observation given as a tensor on the engine's
    device gives an action there, without a copy. A single NumPy observation on CUDA, the case of a
    robot's control step, is replayed as a CUDA graph.
    """

    name = 'torch'

    def __init__(self, network: Network, device: str = 'auto'):
        try:
            import torch
        except ImportError as error:
            raise MissingPackageError(
                'the engine torch', 'torch', 'pip install torch') from error
        self._torch = torch
        wanted = ('cuda' if torch.cuda.is_available() else 'cpu') if device == 'auto' else device
        self.device = torch.device(wanted)
        self.metadata = network.metadata
        found = read_layers(network)
        self._mean = self._tensor(found['mean'])
        self._inverse_std = self._tensor(found['inverse_std'])
        self._layers = [(self._tensor(w), self._tensor(b)) for w, b in found['layers']]
        self.obs_size = int(self._mean.shape[-1])
        self.num_actions = int(self._layers[-1][1].shape[0])
        self._graphed = (GraphedStep(self._forward, self.obs_size, self.device)
                         if self.device.type == 'cuda' else None)

    def _tensor(self, value: np.ndarray) -> Any:
        return self._torch.as_tensor(np.array(value, np.float32), device=self.device)

    def __call__(self, obs: Array) -> Array:
        """Return the actions (num_envs, num_actions) for observations (num_envs, obs_size)."""
        torch = self._torch
        is_tensor = isinstance(obs, torch.Tensor)
        if self._graphed is not None and not is_tensor and obs.shape[0] == 1:
            return self._graphed(obs)
        with torch.inference_mode():
            x = self._forward(torch.as_tensor(obs, dtype=torch.float32, device=self.device))
        return x if is_tensor else x.cpu().numpy()

    @property
    def eager(self) -> Any:
        """The network without the CUDA graph, NumPy to NumPy; None without a graph."""
        if self._graphed is None:
            return None
        return lambda obs: self(self._torch.as_tensor(obs, device=self.device)).cpu().numpy()

    def _forward(self, x: Array) -> Array:
        linear, elu = self._torch.nn.functional.linear, self._torch.nn.functional.elu
        x = (x - self._mean) * self._inverse_std
        for weight, bias in self._layers[:-1]:
            x = elu(linear(x, weight, bias))
        return linear(x, *self._layers[-1])


def read_layers(network: Network) -> Dict[str, Any]:
    """Return the layers of a network, without running it.

    Returns:
        ``mean`` and ``inverse_std`` (1, obs), ``layers`` a list of (weight (out, in), bias
        (out,)), ELU between them.

    Raises:
        PolicyError: It is not the chain of layers that training exports.
    """
    from onnx import numpy_helper
    graph = network.model.graph
    tensors = {it.name: np.array(numpy_helper.to_array(it)) for it in graph.initializer}
    nodes = list(graph.node)
    chain = [node.op_type for node in nodes]
    gemms = chain.count('Gemm')
    if chain != ['Sub', 'Mul'] + ['Gemm', 'Elu'] * (gemms - 1) + ['Gemm'] or gemms < 1:
        raise PolicyError(network.path, f'expected Sub, Mul, then alternating Gemm and Elu; found '
                          f"{chain}; try the engine 'onnxruntime'")
    try:
        return {'mean': tensors[nodes[0].input[1]], 'inverse_std': tensors[nodes[1].input[1]],
                'layers': [(tensors[n.input[1]], tensors[n.input[2]])
                           for n in nodes if n.op_type == 'Gemm']}
    except (IndexError, KeyError) as error:
        raise PolicyError(network.path, f'has a layer without its tensors ({error})') from error


ENGINES = {'onnxruntime': OnnxRuntimeEngine, 'torch': TorchEngine}


def open_engine(path: Path, engine: str, device: str = 'auto') -> Any:
    """Open an ONNX file with an engine; see :func:`start_engine`.

    Raises:
        PolicyError: The file is not an accepted network, or the engine cannot run it.
    """
    return start_engine(open_network(path), engine, device)


def start_engine(network: Network, engine: str, device: str = 'auto') -> Any:
    """Load a network into an engine.

    Args:
        network: The network to run.
        engine: ``onnxruntime``, ``torch``, or ``auto``: torch if it is installed, has a GPU
            and can rebuild the network, onnxruntime otherwise.
        device: ``auto``, ``cpu`` or ``cuda``, for torch.
    """
    if engine == 'auto':
        engine = 'torch' if _torch_has_gpu() and _is_chain(network) else 'onnxruntime'
    if engine not in ENGINES:
        raise UnknownNameError('engine', engine, [*ENGINES, 'auto'])
    return ENGINES[engine](network, device)


def _is_chain(network: Network) -> bool:
    try:
        read_layers(network)
    except PolicyError:
        return False
    return True


def _torch_has_gpu() -> bool:
    if importlib.util.find_spec('torch') is None:
        return False
    import torch
    return bool(torch.cuda.is_available())
