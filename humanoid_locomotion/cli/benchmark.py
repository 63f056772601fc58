# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The commands ``dev benchmark env``, ``train`` and ``physics``."""

from __future__ import annotations

import json as json_format
from pathlib import Path
import platform
from typing import Any, Callable, Dict, Iterator, List, Optional

from rich.console import Console
import typer

from humanoid_locomotion.cli import inputs, interpreter
from humanoid_locomotion.cli.output import JSON, group, table_of, working
from humanoid_locomotion.console_table import print_table

app = group('Measure the time that the parts of training take.')
console = Console()

WALKING_STD = 'ppo.init_std=0.35'  # as at the end of training: robots walk and do not tumble

ROBOT = typer.Option('humanoid', help='Robot, and config in config/training.')
POLICY = typer.Option('', show_default="the robot's", help='Policy that acts meanwhile.')
BACKEND = typer.Option(
    'auto', callback=inputs.backend, help='Simulator; auto picks by the device.')
DEVICE = typer.Option('auto', callback=inputs.device, help='auto, cuda or cpu.')
NUM_ENVS = typer.Option('4096,8192,16384', help='Numbers of robots, separated by commas.')
OUTPUT = typer.Option(None, help='JSON file to write; a plot of several numbers goes beside it.')
GRAPH = typer.Option(
    None, '--graph/--no-graph', help='Run step and update as CUDA graphs on a GPU.',
    show_default='as train does')
FUSE = typer.Option(True, help="Join the step's small kernels on a GPU.")
MJLAB = typer.Option('', '--against-mjlab', metavar='PYTHON', help="Measure mjlab's G1 task "
                     'alternately, in this Python interpreter, which must have mjlab.')


@app.command()
def env(robot: str = ROBOT, policy: str = POLICY, backend: str = BACKEND, device: str = DEVICE,
        num_envs: str = NUM_ENVS, graph: Optional[bool] = GRAPH, fuse: bool = FUSE,
        against_mjlab: str = MJLAB, output: Optional[Path] = OUTPUT, json: bool = JSON) -> None:
    """Time the whole control step, and physics alone on the same states."""
    def measure(trainer: Any) -> Dict[str, Any]:
        from humanoid_locomotion.benchmarks import throughput
        row = throughput.benchmark_env(trainer)
        if against_mjlab:
            row.update(throughput.against_mjlab(
                against_mjlab, trainer.env.num_envs, 'env 25',
                lambda: throughput.steps_per_second(trainer)))
        return row

    if against_mjlab:
        interpreter.interpreter(against_mjlab, '--against-mjlab')
    rows = _sweep(robot, policy, backend, device, _counts(num_envs, output), graph, fuse, measure)
    _show('env', rows, output, json)


@app.command()
def train(robot: str = ROBOT, policy: str = POLICY, backend: str = BACKEND, device: str = DEVICE,
          num_envs: str = NUM_ENVS, graph: Optional[bool] = GRAPH, fuse: bool = FUSE,
          against_mjlab: str = MJLAB, output: Optional[Path] = OUTPUT,
          json: bool = JSON) -> None:
    """Time whole iterations: rollout and update."""
    def measure(trainer: Any) -> Dict[str, Any]:
        from humanoid_locomotion.benchmarks import throughput
        row = throughput.benchmark_train(trainer)
        if against_mjlab:
            row.update(throughput.against_mjlab(
                against_mjlab, trainer.env.num_envs, 'train 5',
                lambda: throughput.benchmark_train(trainer)['steps_per_second']))
        return row

    if against_mjlab:
        interpreter.interpreter(against_mjlab, '--against-mjlab')
    rows = _sweep(robot, policy, backend, device, _counts(num_envs, output), graph, fuse, measure)
    _show('train', rows, output, json)


@app.command()
def physics(robot: str = ROBOT, policy: str = POLICY, backend: str = BACKEND,
            device: str = DEVICE, num_envs: str = typer.Option('4096', help='Robots timed.'),
            graph: Optional[bool] = GRAPH, output: Optional[Path] = OUTPUT,
            json: bool = JSON) -> None:
    """Compare solver settings: time, and difference to CPU MuJoCo at a smaller step."""
    from humanoid_locomotion.training.run.options import choose_backend
    counts = _counts(num_envs, output)
    name = choose_backend(backend, device)  # before PyTorch is imported
    from humanoid_locomotion.benchmarks.physics_study import room_used, study
    trainer = next(_trainers(robot, policy, name, device, counts[:1], graph, False))
    with working('each solver setting in turn'):
        rows = study(trainer, name)
    _show('physics', rows, output, json, room_used(trainer))


def _counts(num_envs: str, output: Optional[Path]) -> List[int]:
    """Return the numbers of robots; refuse these and the output before anything is timed."""
    if output is not None:
        inputs.file_to_write(output)
    return inputs.numbers(num_envs, '--num-envs', 1, inputs.MAX_ENVS)


def _sweep(robot: str, policy: str, backend: str, device: str, counts: List[int],
           graph: Optional[bool], fuse: bool,
           measure: Callable[[Any], Dict[str, Any]]) -> List[Dict[str, Any]]:
    from humanoid_locomotion.training.run.options import choose_backend
    rows, name = [], choose_backend(backend, device)
    for trainer in _trainers(robot, policy, name, device, counts, graph, fuse):
        with working(f'{trainer.env.num_envs} robots'):
            rows.append({'backend': name, 'hardware': trainer.hardware(), **measure(trainer)})
    return rows


def _trainers(robot: str, policy: str, backend: str, device: str, counts: List[int],
              graph: Optional[bool], fuse: bool) -> Iterator[Any]:
    """Yield a trainer for each number of robots, its actor that of a policy that walks."""
    from humanoid_locomotion.core.errors import PolicyError
    from humanoid_locomotion.core.policy.content import read_folder
    from humanoid_locomotion.core.policy.engines import read_layers
    from humanoid_locomotion.core.policy.folder import find_policy
    from humanoid_locomotion.core.policy.onnx_graph import read_network
    from humanoid_locomotion.training.run import graph_proof
    from humanoid_locomotion.training.run.options import training_config
    content = read_folder(find_policy(policy or robot))
    path = content.path / content.network_file
    layers = read_layers(read_network(content.files[content.network_file], path))
    for count in counts:
        config, spec = training_config('', robot, count, None, [WALKING_STD])
        from humanoid_locomotion.training.run.trainer import Trainer
        trainer = Trainer(
            config, spec, backend=backend, device=device, seed=1, folder=Path('benchmark'),
            use_graph=graph_proof.use_graph(graph, backend), fuse=fuse)
        try:
            trainer.model.load_actor(layers)
        except RuntimeError as error:  # of PyTorch
            raise PolicyError(path, f'does not fit the training config of {robot} ({error})'
                              ) from error
        yield trainer
        trainer.close()


def _show(what: str, rows: List[Dict[str, Any]], output: Optional[Path], as_json: bool,
          buffers: Optional[Dict[str, Dict[str, float]]] = None) -> None:
    report: Dict[str, Any] = {'benchmark': what, 'machine': platform.machine(), 'rows': rows}
    if buffers:
        report['buffers'] = buffers
    text = json_format.dumps(report, indent=2) + '\n'
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding='utf-8')
        if len(rows) > 1 and 'num_envs' in rows[0]:
            from humanoid_locomotion.training.monitoring.learning_curve import draw_sweep
            draw_sweep(rows, output.with_suffix('.png'))
    if as_json:
        console.out(text, end='', highlight=False)
        return
    print_table(console, table_of(rows))
    if buffers:
        print_table(console, table_of([{'buffer': name, **it} for name, it in buffers.items()]))

