# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Builds the standalone policy: sensors and memory in, actions and memory out.

It takes the observation of :data:`~humanoid_locomotion.core.policy.standalone.fields.FIELDS` in
``obs`` and a memory ``h_in``, which is zero at a reset and comes back as ``h_out``, as recurrent
policies of other stacks do. ``default + scale * actions`` are the joint targets. Clock, velocity
feedback, history and limits are inside, recorded from the same
:class:`~humanoid_locomotion.core.controller.Controller` that training and the node run.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from humanoid_locomotion.core import rotations
from humanoid_locomotion.core.arrays import concatenate
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.policy.onnx_graph import (
    CONTRACT_KEY,
    INPUT,
    MEMORY_IN,
    MEMORY_OUT,
    OUTPUT,
    Network,
)
from humanoid_locomotion.core.policy.standalone import fields
from humanoid_locomotion.core.policy.standalone.tracing import MIN_OPSET, Recorder, Traced
from humanoid_locomotion.core.state import RobotState

INNER = 'network/'  # before the names of the network's own values


def standalone_bytes(contract: PolicyContract, network: Network) -> Optional[bytes]:
    """Return the content of the standalone policy's ONNX file.

    Returns:
        None if sensors do not give what the contract observes, as the base's velocity, or if the
        network's operator set is older than :data:`MIN_OPSET`.
    """
    from onnx import TensorProto, checker, helper
    opset = network.model.opset_import[0].version
    if not fields.are_enough(contract) or opset < MIN_OPSET:
        return None
    recorder = Recorder()
    obs = recorder.input(INPUT, (1, sum(fields.sizes(contract).values())))
    inner_network = _Inner(network, recorder)
    sensors = fields.split(contract, obs)
    controller = Controller(contract, inner_network, like=obs)
    controller.reset_all()
    memory = _Memory(controller, recorder)
    memory.restore(sensors['actions'])
    state = RobotState(
        joint_positions=sensors['joint_pos'] + fields.default(contract),
        joint_velocities=sensors['joint_vel'],
        base_orientation=_orientation(sensors['projected_gravity']),
        base_angular_velocity=sensors['base_ang_vel'])
    observation = controller.observe(state, sensors['command'])
    before = len(recorder.nodes)
    targets = controller.act(controller.infer(observation)).positions
    moved = fields.commanded(contract, targets)
    actions = (moved - fields.offset(contract)) / fields.scale(contract)
    after = memory.store(actions)
    used = [*inner_network.given.values(), actions.name, after.name]
    nodes, tensors = recorder.graph(used)
    first = {name for node in recorder.nodes[:before] for name in node.output}
    ends = [helper.make_node('Identity', [actions.name], [OUTPUT]),
            helper.make_node('Identity', [after.name], [MEMORY_OUT])]
    inner, weights = _renamed(network.model.graph, inner_network.given)
    make = helper.make_tensor_value_info
    graph = helper.make_graph(
        [*(node for node in nodes if node.output[0] in first), *inner,
         *(node for node in nodes if node.output[0] not in first), *ends],
        'policy',
        [make(INPUT, TensorProto.FLOAT, obs.shape),
         make(MEMORY_IN, TensorProto.FLOAT, after.shape)],
        [make(OUTPUT, TensorProto.FLOAT, actions.shape),
         make(MEMORY_OUT, TensorProto.FLOAT, after.shape)],
        [*tensors, *weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)],
                              ir_version=network.model.ir_version,
                              producer_name='humanoid_locomotion')
    run_path = network.metadata.get('run_path', '')
    helper.set_model_props(model, {CONTRACT_KEY: contract.to_json(),
                                   **fields.metadata(contract, run_path)})
    checker.check_model(model)
    return bytes(model.SerializeToString())


class _Inner:
    """The network as the policy of a traced controller: its outputs are inputs of the trace.

    Attributes:
        memory_size: As of the network.
        given: Name of the traced value for each of its inputs.
    """

    def __init__(self, network: Network, recorder: Recorder):
        self.memory_size = network.memory_size
        self.given: Dict[str, str] = {}
        self._actions = recorder.input(INNER + OUTPUT, (1, network.num_actions))
        self._memory = recorder.input(INNER + MEMORY_OUT, (1, network.memory_size))

    def __call__(self, obs: Traced, memory: Optional[Traced] = None) -> Any:
        """Return the actions; of a recurrent network, also the memory."""
        self.given[INPUT] = obs.name
        if memory is None:
            return self._actions
        self.given[MEMORY_IN] = memory.name
        return self._actions, self._memory


class _Memory:
    """The arrays that a controller carries over, in one vector of which zeros are a reset.

    The first number tells whether there was a step since the reset. In place of the previous
    action it holds the network's output minus ``actions``, which the targets' limits changed.
    """

    def __init__(self, controller: Controller, recorder: Recorder):
        self._controller, self._carried = controller, controller.carried()
        self._sizes = [array.value.size for array in self._carried.values()]
        self._vector = recorder.input(MEMORY_IN, (1, 1, 1 + sum(self._sizes)))

    def restore(self, actions: Traced) -> None:
        """Set the controller's arrays to those of the last step, or leave them after a reset."""
        is_running, at = self._vector[0, :, :1] > 0.5, 1
        for array, size in zip(self._carried.values(), self._sizes):
            stored: Any = self._vector[0, :, at:at + size]
            if array is self._controller.previous_action:
                stored = stored + actions
            value = np.where(is_running, stored, array.reshape(1, size)).reshape(array.shape)
            array[...] = value > 0.5 if array.dtype == bool else value
            at += size

    def store(self, actions: Traced) -> Traced:
        """Return the vector after a step that gave ``actions``."""
        previous = self._controller.previous_action
        parts = [(array - actions if array is previous else array).reshape(1, -1)
                 for array in self._carried.values()]
        return concatenate([np.ones((1, 1), np.float32), *parts])[None]


def _orientation(gravity: Traced) -> Traced:
    """Return an orientation (1, 4) with this gravity; nothing that is observed has a heading."""
    x, y, z = (gravity[:, i:i + 1] for i in range(3))
    return rotations.normalize(
        concatenate((-y, x, np.zeros((1, 1), np.float32), np.maximum(1.0 - z, 1e-6))))


def _renamed(graph: Any, given: Dict[str, str]) -> Tuple[List[Any], List[Any]]:
    """Return copies of a network's nodes and tensors with names that occur nowhere else."""
    from onnx import NodeProto, TensorProto
    nodes, tensors = [], []
    for node in graph.node:
        node = NodeProto.FromString(node.SerializeToString())
        node.name = node.name and INNER + node.name
        for names in (node.input, node.output):
            names[:] = [name and given.get(name, INNER + name) for name in names]
        nodes.append(node)
    for tensor in graph.initializer:
        tensor = TensorProto.FromString(tensor.SerializeToString())
        tensor.name = INNER + tensor.name
        tensors.append(tensor)
    return nodes, tensors
