"""Turns a checkpoint into a policy folder, and refuses to leave one that does not open."""

from __future__ import annotations

from pathlib import Path
import shutil
import tempfile
from typing import Any, Callable, Dict, List

import numpy as np
import torch
import yaml

from humanoid_locomotion.core.command import COMMAND_NAMES
from humanoid_locomotion.core.config import from_mapping
from humanoid_locomotion.core.contract import PolicyContract
from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.engines import CONTRACT_KEY
from humanoid_locomotion.core.errors import CheckpointError, LocomotionError, MissingPackageError
from humanoid_locomotion.core.policy import open_policy, write_sums
from humanoid_locomotion.core.robot import RobotSpec, load_robot
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.sim.backend import open_backend
from humanoid_locomotion.training import checkpoint
from humanoid_locomotion.training.config import TrainingConfig
from humanoid_locomotion.training.networks import ActorCritic

# The golden steps: what is asked for, and for how many control steps.
GOLDEN_COMMANDS = (((0.0, 0.0, 0.0), 25), ((0.5, 0.0, 0.0), 50), ((0.0, 0.3, 0.0), 25),
                   ((0.0, 0.0, 0.5), 25), ((0.0, 0.0, 0.0), 25))


def export(path: Path, output: Path) -> Path:
    """Write the policy folder of a checkpoint.

    Args:
        path: A checkpoint, or a run folder whose newest one is taken.
        output: The folder to write; replaced if it exists and holds a policy.

    Returns:
        ``output``.

    Raises:
        LocomotionError: ``output`` is something else than a policy folder, or the result does
            not open; nothing is left behind then.
    """
    path = checkpoint.latest(path)
    content = checkpoint.load(path, 'cpu')
    config = from_mapping(TrainingConfig, content['config'], path)
    robot = load_robot(config.robot)  # a name, or the path of a robot of one's own
    if robot.model_hash != content['model_hash']:
        raise CheckpointError(
            path, f'was trained on another version of {robot.name!r} (model hash '
            f"{content['model_hash']}, now {robot.model_hash})")
    contract = config.contract(robot)
    model = restore(content, config, contract)
    if output.exists() and not (output / 'contract.yaml').is_file():
        raise LocomotionError(f'{output}: exists and is not a policy folder; name another')
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as temporary:
        folder = Path(temporary) / 'policy'
        folder.mkdir()
        write_folder(folder, contract, model.act_mean, network_layers(model),
                     golden_states(robot, contract, config, model), run_path=run_name(path))
        (folder / 'card.md').write_text(card(content, config), encoding='utf-8')
        open_policy(folder, engine='onnxruntime')
        if output.exists():
            shutil.rmtree(output)
        shutil.move(str(folder), str(output))
    return output


def run_name(path: Path) -> str:
    """Return the name of the run folder that a checkpoint lies in."""
    folder = path.resolve().parent
    return folder.parent.name if folder.name == 'checkpoints' else folder.name


def restore(content: Dict[str, Any], config: TrainingConfig,
            contract: PolicyContract) -> ActorCritic:
    """Return the model of a checkpoint, on the CPU."""
    weights = content['model']
    obs_size = weights['actor_normalizer.mean'].shape[1]
    privileged_size = weights['critic_normalizer.mean'].shape[1] - obs_size
    model = ActorCritic(obs_size, privileged_size, contract.num_actions,
                        config.ppo.hidden_sizes, config.ppo.init_std, config.ppo.min_std)
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
    """Write ``policy.onnx``, ``contract.yaml``, ``golden.npz`` and their hashes.

    Args:
        folder: An existing folder.
        contract: What the policy was trained for.
        policy: The trained network, observation tensor to action tensor.
        layers: The same network as :func:`network_layers` gives it.
        states: Consecutive states with the ``command`` of each, to record golden steps from.
        run_path: Where it came from, for the metadata.
    """
    (folder / 'policy.onnx').write_bytes(onnx_bytes(contract, layers, run_path))
    text = yaml.safe_dump(contract.to_mapping(), sort_keys=False, default_flow_style=None)
    (folder / 'contract.yaml').write_text(text, encoding='utf-8')
    golden: Dict[str, Any] = record_golden(contract, policy, states)
    np.savez_compressed(folder / 'golden.npz', **golden)
    write_sums(folder)


def onnx_bytes(contract: PolicyContract, layers: Dict[str, Any], run_path: str) -> bytes:
    """Return the ONNX file: normaliser, network and contract in one."""
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
    """Return the contract as JSON, and the flat keys that other stacks read, in full precision."""
    def flat(key: str) -> str:
        return ','.join(repr(float(value)) for value in contract.values(key))

    return {
        CONTRACT_KEY: contract.to_json(),
        'joint_names': ','.join(contract.joint_names),
        'joint_stiffness': flat('kp'),
        'joint_damping': flat('kd'),
        'default_joint_pos': flat('default'),
        'action_scale': flat('action_scale'),
        'observation_names': ','.join(term.name for term in contract.observation.terms),
        'command_names': ','.join(COMMAND_NAMES),
        'run_path': run_path,
    }


def golden_states(robot: RobotSpec, contract: PolicyContract, config: TrainingConfig,
                  model: ActorCritic) -> List[Dict[str, np.ndarray]]:
    """Let the policy walk in CPU MuJoCo and return each state with its command.

    Isaac Gym's Python has no such MuJoCo; there the robot is turned about instead.
    """
    try:
        backend = open_backend('mujoco', robot, 1, config.physics, contract.joints, 'cpu')
    except MissingPackageError:
        return tumbling_states(contract)
    controller = Controller(
        contract, lambda obs: model.act_mean(torch.as_tensor(obs)).detach().numpy())
    controller.reset_all()
    states = []
    for command, steps in GOLDEN_COMMANDS:
        for _ in range(steps):
            state, asked = backend.state(), np.array([command], np.float32)
            states.append({**vars(state), 'command': asked})
            backend.step(controller.step(state, asked))
    backend.close()
    return states


def tumbling_states(contract: PolicyContract) -> List[Dict[str, np.ndarray]]:
    """Return states in which every figure moves, each with its command.

    Like a robot that is turned about by hand: no physics, but all that an observation is made of.
    """
    commands = [command for command, steps in GOLDEN_COMMANDS for _ in range(steps)]
    m, time = contract.num_actions, np.arange(len(commands))[:, None] * contract.control_period

    def wave(size: int, height: Any = 1.0) -> np.ndarray:
        return np.asarray(height) * np.sin((1.0 + 0.1 * np.arange(size)) * 3.0 * time
                                           + np.arange(size))

    lower, upper, rest = (contract.values(key) for key in ('lower', 'upper', 'default'))
    reach = 0.5 * np.minimum(upper - rest, rest - lower)
    turn = np.concatenate((wave(3, 0.4), np.ones_like(time)), axis=1)
    arrays = {
        'joint_positions': rest + wave(m, reach), 'joint_velocities': wave(m),
        'base_orientation': turn / np.linalg.norm(turn, axis=1, keepdims=True),
        'base_angular_velocity': wave(3), 'base_position': wave(3),
        'base_linear_velocity': wave(3, 0.5), 'command': np.array(commands)}
    return [{key: value[i:i + 1].astype(np.float32) for key, value in arrays.items()}
            for i in range(len(commands))]


def record_golden(contract: PolicyContract, policy: Callable[[Any], Any],
                  states: List[Dict[str, np.ndarray]]) -> Dict[str, np.ndarray]:
    """Run the states through PyTorch, the builder included; return the golden arrays."""
    controller = Controller(contract, like=torch.zeros(0))
    controller.reset_all()
    rows: List[Dict[str, np.ndarray]] = []
    with torch.no_grad():
        for recorded in states:
            tensors = {key: torch.as_tensor(np.array(value, np.float32))
                       for key, value in recorded.items()}
            command = tensors.pop('command')
            obs = controller.observe(RobotState(**tensors), command).clone()
            action = policy(obs)
            targets = controller.act(action).positions
            row = {**recorded, 'observation': obs.numpy(), 'action': action.numpy(),
                   'joint_targets': targets.numpy()}
            rows.append({key: np.asarray(value, np.float32) for key, value in row.items()})
    return {key: np.concatenate([row[key] for row in rows]) for key in rows[0]}


def card(content: Dict[str, Any], config: TrainingConfig) -> str:
    """Return ``card.md``: how the policy came about."""
    settings = yaml.safe_dump(content['config'], sort_keys=False, default_flow_style=None)
    minutes = content['seconds'] / 60.0
    return '\n'.join([
        f"# {content['robot']}", '',
        'A velocity-tracking walking policy, blind: it sees no base velocity.', '',
        '| | |', '|---|---|',
        f"| simulator in training | {content['backend']} |",
        f'| robots at once | {config.run.num_envs} |',
        f"| iterations | {content['iteration']} |",
        f"| samples (control steps) | {content['samples']:,} |",
        f'| wall-clock | {minutes:.1f} min |',
        f"| hardware | {content['hardware']} |",
        f"| seed | {content['seed']} |",
        f"| command | `{content['command']}` |", '',
        'What it does, measured in another simulator than the one it was trained in: '
        '`scorecard.json`, made by `humanoid-locomotion evaluate`.', '',
        '## Config', '', '```yaml', settings.rstrip(), '```', ''])
