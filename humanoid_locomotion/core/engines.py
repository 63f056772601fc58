"""The engines that run a policy's network; each is imported only when it is used.

Both read the same ``policy.onnx``: onnxruntime runs the graph as it is, torch rebuilds the chain
of layers from the graph's initialisers.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from humanoid_locomotion.core.arrays import Array
from humanoid_locomotion.core.cuda_graph import GraphedStep
from humanoid_locomotion.core.errors import MissingPackageError, PolicyError, UnknownNameError

CONTRACT_KEY = 'humanoid_locomotion.contract'


class OnnxRuntimeEngine:
    """Runs ``policy.onnx`` with onnxruntime on one CPU thread.

    Attributes:
        metadata: The file's metadata, strings by name.
        obs_size: Length of an observation.
        num_actions: Length of an action.
    """

    name = 'onnxruntime'

    def __init__(self, path: Path, device: str = 'cpu'):
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingPackageError(
                'the engine onnxruntime', 'onnxruntime', 'pip install onnxruntime') from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=['CPUExecutionProvider'])
            self.metadata: Dict[str, str] = dict(
                self._session.get_modelmeta().custom_metadata_map)
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        except OSError as error:
            raise PolicyError(path, f'cannot be read ({error.strerror})') from error
        except Exception as error:  # onnxruntime has no common class for a file it cannot load
            raise PolicyError(path, 'is not an ONNX file that onnxruntime can load '
                              f'({" ".join(str(error).split())[:200]})') from error
        if [i.name for i in inputs] != ['obs'] or [o.name for o in outputs] != ['actions']:
            raise PolicyError(path, "expected one input 'obs' and one output 'actions', found "
                              f'{[i.name for i in inputs]} and {[o.name for o in outputs]}')
        if len(inputs[0].shape) != 2 or len(outputs[0].shape) != 2:
            raise PolicyError(path, "expected 'obs' (batch, obs) and 'actions' (batch, m), found "
                              f'{inputs[0].shape} and {outputs[0].shape}')
        self.obs_size, self.num_actions = inputs[0].shape[1], outputs[0].shape[1]
        if not (isinstance(self.obs_size, int) and isinstance(self.num_actions, int)):
            raise PolicyError(path, "expected fixed lengths of 'obs' and 'actions', found "
                              f'{inputs[0].shape} and {outputs[0].shape}')
        if [inputs[0].type, outputs[0].type] != 2 * ['tensor(float)']:
            raise PolicyError(path, "expected 'obs' and 'actions' of type tensor(float), found "
                              f'{inputs[0].type} and {outputs[0].type}')
        self._one_by_one = inputs[0].shape[0] == 1  # as exporters write that fix the batch
        self._bind()

    def _bind(self) -> None:
        """Let one observation, a robot's control step, run in the same memory each time."""
        self._input = np.zeros((1, self.obs_size), np.float32)
        self._output = np.zeros((1, self.num_actions), np.float32)
        self._binding = self._session.io_binding()
        for bind, name, array in ((self._binding.bind_input, 'obs', self._input),
                                  (self._binding.bind_output, 'actions', self._output)):
            bind(name, 'cpu', 0, np.float32, array.shape, array.ctypes.data)

    def __call__(self, obs: Array) -> np.ndarray:
        """Return the actions (num_envs, num_actions) for observations (num_envs, obs_size)."""
        obs = np.asarray(obs, np.float32)
        if obs.shape == self._input.shape:
            self._input[...] = obs
            self._session.run_with_iobinding(self._binding)
            return self._output.copy()
        if self._one_by_one and len(obs) > 1:
            return np.concatenate([self(row[None]) for row in obs])
        return self._session.run(['actions'], {'obs': obs})[0]


class TorchEngine:
    """Runs the network with PyTorch, on CUDA where there is one.

    Takes and gives NumPy arrays or tensors alike: an observation as a tensor on the engine's
    device gives its action there, without a copy. One NumPy observation on CUDA, a robot's control
    step, is replayed as a graph.
    """

    name = 'torch'

    def __init__(self, path: Path, device: str = 'auto'):
        try:
            import torch
        except ImportError as error:
            raise MissingPackageError(
                'the engine torch', 'torch', 'pip install torch') from error
        self._torch = torch
        wanted = ('cuda' if torch.cuda.is_available() else 'cpu') if device == 'auto' else device
        self.device = torch.device(wanted)
        network = read_layers(path)
        self.metadata = network['metadata']
        self._mean = self._tensor(network['mean'])
        self._inverse_std = self._tensor(network['inverse_std'])
        self._layers = [(self._tensor(w), self._tensor(b)) for w, b in network['layers']]
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
        """The same network without the graph, NumPy to NumPy; None where there is no graph."""
        if self._graphed is None:
            return None
        return lambda obs: self(self._torch.as_tensor(obs, device=self.device)).cpu().numpy()

    def _forward(self, x: Array) -> Array:
        linear, elu = self._torch.nn.functional.linear, self._torch.nn.functional.elu
        x = (x - self._mean) * self._inverse_std
        for weight, bias in self._layers[:-1]:
            x = elu(linear(x, weight, bias))
        return linear(x, *self._layers[-1])


def read_layers(path: Path) -> Dict[str, Any]:
    """Return what ``policy.onnx`` is made of, without running it.

    Returns:
        ``mean`` and ``inverse_std`` (1, obs), ``layers`` a list of (weight (out, in), bias
        (out,)), ELU between them, and ``metadata``.

    Raises:
        PolicyError: The file is not ONNX, or not the chain of layers that training writes.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingPackageError('reading layers', 'onnx', 'pip install onnx') from error
    try:
        # What lies outside the file was never checked, and is not opened.
        model = onnx.load(str(path), load_external_data=False)
        tensors = {t.name: np.array(numpy_helper.to_array(t)) for t in model.graph.initializer}
    except Exception as error:  # protobuf and onnx raise many kinds for a broken file
        raise PolicyError(path, f'is not a valid ONNX file ({type(error).__name__})') from error
    nodes = list(model.graph.node)
    chain = [node.op_type for node in nodes]
    gemms = chain.count('Gemm')
    if chain != ['Sub', 'Mul'] + ['Gemm', 'Elu'] * (gemms - 1) + ['Gemm'] or gemms < 1:
        raise PolicyError(path, f'expected Sub, Mul, then Gemm and Elu in turn; found {chain}; '
                          "the engine 'onnxruntime' may still run it")
    layers: List[Any] = [(tensors[n.input[1]], tensors[n.input[2]])
                         for n in nodes if n.op_type == 'Gemm']
    return {'mean': tensors[nodes[0].input[1]], 'inverse_std': tensors[nodes[1].input[1]],
            'layers': layers, 'metadata': {p.key: p.value for p in model.metadata_props}}


ENGINES = {'onnxruntime': OnnxRuntimeEngine, 'torch': TorchEngine}


def open_engine(path: Path, engine: str, device: str = 'auto') -> Any:
    """Open a network with an engine.

    Args:
        path: The ONNX file.
        engine: ``onnxruntime``, ``torch``, or ``auto``: torch where it is installed, sees a GPU
            and can rebuild the network, onnxruntime otherwise.
        device: ``auto``, ``cpu`` or ``cuda``, for torch.
    """
    if engine == 'auto':
        engine = 'torch' if _torch_has_gpu() and _is_chain(path) else 'onnxruntime'
    if engine not in ENGINES:
        raise UnknownNameError('engine', engine, [*ENGINES, 'auto'])
    return ENGINES[engine](path, device)


def contract_json(metadata: Dict[str, str], path: Path) -> Dict[str, Any]:
    """Return the contract that the ONNX file's metadata carries, as plain data."""
    text = metadata.get(CONTRACT_KEY)
    if text is None:
        raise PolicyError(path, f'its metadata has no {CONTRACT_KEY!r}; '
                          'the file was not written by this package')
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise PolicyError(path, f'metadata {CONTRACT_KEY!r} is not JSON ({error})') from error


def _is_chain(path: Path) -> bool:
    try:
        read_layers(path)
    except PolicyError:
        return False
    return True


def _torch_has_gpu() -> bool:
    if importlib.util.find_spec('torch') is None or importlib.util.find_spec('onnx') is None:
        return False
    import torch
    return bool(torch.cuda.is_available())
