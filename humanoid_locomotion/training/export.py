# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export of a checkpoint as a policy folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import torch
import yaml

from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.errors import CheckpointError, MissingPackageError
from humanoid_locomotion.core.policy.content import TRAINING
from humanoid_locomotion.core.policy.golden import GOLDEN_WALK, record_golden, tumbling_states
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.policy.onnx_metadata import to_flat
from humanoid_locomotion.core.policy.writer import new_policy_folder, write_policy
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.config_file import read_config
from humanoid_locomotion.training.ppo.networks import ActorCritic
from humanoid_locomotion.training.run import checkpoint


def export(path: Path, output: Path, robot: str = '', training_state: bool = False) -> Path:
    """Write the policy folder of a checkpoint and check that it opens.

    Args:
        path: A checkpoint, or a run folder for its newest checkpoint.
        output: The folder to write; replaced if it exists and holds a policy.
        robot: The robot, or its folder if it is no longer where it was in training.
        training_state: Whether to add a checkpoint that ``train --init`` can begin from.

    Returns:
        ``output``.

    Raises:
        LocomotionError: ``output`` exists and is not a policy folder, or the result does not
            open; nothing is written then.
    """
    path, content = checkpoint.open_latest(path, 'cpu')
    if content['iteration'] == 0:
        raise CheckpointError(path, 'is of iteration 0: nothing has been learned yet')
    config = read_config(content['config'], path)
    spec = load_robot(robot or config.robot)  # a name, or the path of a robot of one's own
    if spec.model_hash != content['model_hash']:
        raise CheckpointError(
            path, f'was trained on another version of {spec.name!r} (model hash '
            f"{content['model_hash']}, now {spec.model_hash})")
    contract = config.deployed().contract(spec)
    model = restore(content, config, contract)
    with new_policy_folder(output) as folder:
        if training_state:
            checkpoint.save(folder / TRAINING, checkpoint.slim(content))
        write_folder(folder, contract, model.act_mean, network_layers(model),
                     golden_states(spec, contract, config, model), run_path=run_name(path))
        (folder / 'card.md').write_text(card(content, config, path), encoding='utf-8')
    return output


def run_name(path: Path) -> str:
    """Return the name of the run folder that contains a checkpoint."""
    folder = path.resolve().parent
    return folder.parent.name if folder.name == 'checkpoints' else folder.name


def restore(content: Dict[str, Any], config: TrainingConfig,
            contract: PolicyContract) -> ActorCritic:
    """Return the model of a checkpoint, on the CPU."""
    weights = content['model']
    obs_size = weights['actor_normalizer.mean'].shape[1]
    critic_size = weights['critic_normalizer.mean'].shape[1] - obs_size
    model = ActorCritic(obs_size, critic_size, contract.num_actions,
                        config.ppo.hidden_sizes, config.ppo.init_std, config.ppo.min_std,
                        config.ppo.velocity_loss > 0.0)
    model.load_state_dict(weights)
    return model.eval()


def network_layers(model: ActorCritic) -> Dict[str, Any]:
    """Return the actor as arrays: ``mean``, ``inverse_std``, ``layers`` of (weight, bias)."""
    def numpy(tensor: Any) -> np.ndarray:
        return tensor.detach().cpu().numpy().astype(np.float32)

    linear = [layer for layer in model.actor if isinstance(layer, torch.nn.Linear)]
    return {'mean': numpy(model.actor_normalizer.mean),
            'inverse_std': numpy(model.actor_normalizer.inverse_std),
            'layers': [(numpy(layer.weight), numpy(layer.bias)) for layer in linear]}


def write_folder(folder: Path, contract: PolicyContract, policy: Callable[[Any], Any],
                 layers: Dict[str, Any], states: List[Dict[str, np.ndarray]],
                 run_path: str) -> None:
    """Write all files of a policy that are hashed, and their hashes.

    Args:
        folder: An existing folder.
        contract: Its contract.
        policy: The trained network, observation tensor to action tensor.
        layers: The same network, from :func:`network_layers`.
        states: Consecutive states, each with its ``command``, for the golden steps.
        run_path: Name of the run, for the metadata.
    """
    with torch.no_grad():
        golden = record_golden(contract, policy, states, like=torch.zeros(0))
    write_policy(folder, contract, onnx_bytes(contract, layers, run_path), golden)


def onnx_bytes(contract: PolicyContract, layers: Dict[str, Any], run_path: str) -> bytes:
    """Return the content of the ONNX file: normaliser, network and contract."""
    try:
        import onnx
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MissingPackageError('export', 'onnx', 'pip install onnx') from error
    tensors = {'mean': layers['mean'], 'inverse_std': layers['inverse_std']}
    nodes = [helper.make_node('Sub', ['obs', 'mean'], ['centred']),
             helper.make_node('Mul', ['centred', 'inverse_std'], ['hidden_0'])]
    last = len(layers['layers']) - 1
    for i, (weight, bias) in enumerate(layers['layers']):
        tensors[f'weight_{i}'], tensors[f'bias_{i}'] = weight, bias
        result = 'actions' if i == last else f'linear_{i}'
        nodes.append(helper.make_node(
            'Gemm', [f'hidden_{i}', f'weight_{i}', f'bias_{i}'], [result], transB=1))
        if i < last:
            nodes.append(helper.make_node('Elu', [result], [f'hidden_{i + 1}']))
    obs_size = int(layers['mean'].shape[1])
    graph = helper.make_graph(
        nodes, 'policy',
        [helper.make_tensor_value_info('obs', TensorProto.FLOAT, ['batch', obs_size])],
        [helper.make_tensor_value_info('actions', TensorProto.FLOAT,
                                       ['batch', contract.num_actions])],
        [numpy_helper.from_array(np.ascontiguousarray(value), name)
         for name, value in tensors.items()])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8,
        producer_name='humanoid_locomotion')
    helper.set_model_props(model, metadata(contract, run_path))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def metadata(contract: PolicyContract, run_path: str) -> Dict[str, str]:
    """Return the ONNX metadata: the contract as JSON, and flat keys for other stacks."""
    return {CONTRACT_KEY: contract.to_json(), **to_flat(contract, run_path)}


def golden_states(robot: RobotSpec, contract: PolicyContract, config: TrainingConfig,
                  model: ActorCritic) -> List[Dict[str, np.ndarray]]:
    """Run the policy in CPU MuJoCo and return each state with its command.

    MuJoCo is not available in the Python of Isaac Gym; tumbling states are returned there.
    """
    try:
        backend = open_backend('mujoco', robot, 1, config.physics, contract.joints, 'cpu')
    except MissingPackageError:
        return tumbling_states(contract)
    controller = Controller(
        contract, lambda obs: model.act_mean(torch.as_tensor(obs)).detach().numpy())
    controller.reset_all()
    states = []
    for velocity, steps in GOLDEN_WALK:
        for _ in range(steps):
            state = backend.state()
            asked = contract.command_limits.with_velocity(np.array([velocity], np.float32))
            states.append({**vars(state), 'command': asked})
            backend.step(controller.step(state, asked))
    backend.close()
    return states


def card(content: Dict[str, Any], config: TrainingConfig, path: Path) -> str:
    """Return the text of ``card.md``, the record of the training."""
    settings = yaml.safe_dump(content['config'], sort_keys=False, default_flow_style=None)
    minutes = content['seconds'] / 60.0
    parts = checkpoint.segments(content, path)
    observed = [it.name for it in config.observation.spec().terms]
    simulators, machines = (  # without parts: a checkpoint of an earlier format
        ', then '.join(dict.fromkeys(getattr(it, key) for it in parts)) or content[key]
        for key in ('backend', 'hardware'))
    return '\n'.join([
        f"# {content['robot']}", '',
        'A walking policy that follows velocity commands. It observes '
        + ('the velocity of the base, so a robot needs odometry.'
           if 'base_linear_velocity' in observed else 'no velocity of the base.'), '',
        '| | |', '|---|---|',
        f'| simulator in training | {simulators} |',
        f'| robots at once | {config.run.num_envs} |',
        f"| iterations | {content['iteration']} |",
        f"| samples (control steps) | {content['samples']:,} |",
        f'| wall-clock | {minutes:.1f} min |',
        f'| hardware | {machines} |',
        f"| seed | {content['seed']} |",
        f"| command | `{parts[0].command if parts else content['command']}` |",
        *_origin(content, path), '',
        '`scorecard.json` has how well it walks in MuJoCo on a CPU, by `humanoid-locomotion '
        'evaluate`. The policy counts as released once that passes, there and at the other steps '
        'and solvers of `evaluate --sim-to-sim`, which writes the table into this card.', '',
        *_history(parts),
        '## Config', '', '```yaml', settings.rstrip(), '```', ''])


def _origin(content: Dict[str, Any], path: Path) -> List[str]:
    run = checkpoint.identity(content, path)
    return ([f'| run | {run.id} |'] if run.id else []) + (
        [f'| began from | {run.parent} |'] if run.parent else [])


def _history(parts: List[checkpoint.Segment]) -> List[str]:
    """Return the table of the segments of a resumed run; empty for a run in one segment."""
    if len(parts) < 2 and not any(one.changed for one in parts):
        return []
    lines = ['## How it was trained', '',
             '| iterations | samples | robots | processes | simulator | hardware | command |',
             '|---|---|---|---|---|---|---|']
    lines += [f'| {one.first} to {one.last} | {one.samples:,} | {one.num_envs} | {one.processes} '
              f'| {one.backend} | {one.hardware} | `{one.command}` |' for one in parts]
    lines += [f'\nFrom iteration {one.first} on, changed: {"; ".join(one.changed)}.'
              for one in parts if one.changed]
    return [*lines, '']
