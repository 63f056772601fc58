# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measures the throughput of training: control step against physics alone, and whole iterations.

``benchmark env`` records states and targets of some control steps of a walking policy, then runs
the captured physics alone with the same states and targets. The ratio of the two times is the cost
of everything besides physics: policy, observation, noise, rewards, resets, commands.
"""

from __future__ import annotations

import json
from pathlib import Path
import statistics
import subprocess
import time
from typing import Any, Callable, Dict, List

import torch

from humanoid_locomotion.benchmarks.profiling import profile
from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.state import JointTargets
from humanoid_locomotion.sim.backend import SimBackend
from humanoid_locomotion.training.ppo.cuda_graph import WARM_UP_STEPS, RepeatedStep
from humanoid_locomotion.training.run.trainer import Trainer

RECORDED_STEPS = 50
REPEATS = 5
PROFILED = 2  # iterations
PROBE = Path(__file__).with_name('mjlab_probe.py')


def timed(run: Callable[[], None], device: str) -> float:
    """Return the seconds that ``run`` takes, including the work of the device."""
    _wait(device)
    begin = time.perf_counter()
    run()
    _wait(device)
    return time.perf_counter() - begin


def _wait(device: str) -> None:
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize(device)


class Recording:
    """Consecutive snapshots of a simulator with the targets of each step.

    Recorded by replacing the backend's ``step`` while ``run`` runs.
    """

    def __init__(self, backend: SimBackend, run: Callable[[], None]):
        self.snapshots: List[Dict[str, torch.Tensor]] = []
        self.targets: List[torch.Tensor] = []
        step = backend.step

        def recorded(targets: JointTargets) -> None:
            self.snapshots.append({name: torch.as_tensor(value)
                                   for name, value in backend.snapshot().items()})
            self.targets.append(torch.as_tensor(targets.positions).clone())
            step(targets)

        backend.step = recorded  # type: ignore[method-assign]
        try:
            run()
        finally:
            del backend.step  # restores the method of the class


class PhysicsReplay:
    """Runs physics alone over a recording, captured in a graph like the whole step."""

    def __init__(self, backend: SimBackend, recording: Recording, use_graph: bool):
        stacked = {name: torch.stack([snapshot[name] for snapshot in recording.snapshots])
                   for name in recording.snapshots[0]}
        targets = torch.stack(recording.targets)
        index = torch.zeros(1, dtype=torch.long, device=backend.device)

        def step() -> None:
            backend.restore({name: value.index_select(0, index)[0]
                             for name, value in stacked.items()})
            backend.step(JointTargets(targets.index_select(0, index)[0]))
            index.copy_((index + 1) % len(recording.targets))

        self._step, self._steps = RepeatedStep(step, backend.device, use_graph), len(targets)

    def run(self) -> None:
        """Run every recorded step once."""
        for _ in range(self._steps):
            self._step()


def steps_per_second(trainer: Trainer) -> float:
    """Return control steps per second of the whole step: policy, physics, reward, reset."""
    return trainer.env.num_envs / _step_time(trainer)


def _step_time(trainer: Trainer) -> float:
    def walk() -> None:
        for _ in range(RECORDED_STEPS):
            trainer.collector.step()

    return timed(walk, trainer.device) / RECORDED_STEPS


def benchmark_env(trainer: Trainer) -> Dict[str, Any]:
    """Return times of the whole control step and of physics alone, and their ratio."""
    collector, device, n = trainer.collector, trainer.device, trainer.env.num_envs
    collector.run_eagerly(RECORDED_STEPS)  # all robots in motion
    recording = Recording(
        trainer.backend, lambda: collector.run_eagerly(RECORDED_STEPS))
    replay = PhysicsReplay(trainer.backend, recording, trainer.use_graph)
    replay.run()
    for _ in range(WARM_UP_STEPS + 1):
        collector.step()
    whole: List[float] = []
    physics: List[float] = []
    for _ in range(REPEATS):  # alternating, so that a drift of the machine affects both
        physics.append(timed(replay.run, device) / RECORDED_STEPS)
        whole.append(_step_time(trainer))
    step, alone = statistics.median(whole), statistics.median(physics)
    return {'num_envs': n, 'step_ms': 1e3 * step, 'physics_ms': 1e3 * alone,
            'physics_share': alone / step, 'steps_per_second': n / step,
            'physics_steps_per_second': n / alone, **_memory(device)}


def benchmark_train(trainer: Trainer, iterations: int = 10) -> Dict[str, Any]:
    """Return the speed of whole iterations, and the times of collection and learning."""
    device, collector = trainer.device, trainer.collector
    for _ in range(WARM_UP_STEPS + 2):
        trainer.iterate()

    def iterate(count: int = iterations) -> None:
        last = trainer.iterate()
        for _ in range(count - 1):  # as in a run: one iteration is always in progress
            following = trainer.iterate()
            last.read()
            last = following
        last.read()

    total = timed(iterate, device)
    collect = statistics.median(timed(collector.collect, device) for _ in range(REPEATS))
    samples = trainer.config.ppo.rollout_steps * trainer.env.num_envs
    each = total / iterations
    return {'num_envs': trainer.env.num_envs, 'iteration_ms': 1e3 * each,
            'collect_ms': 1e3 * collect, 'learn_ms': 1e3 * (each - collect),
            'steps_per_second': samples / each, **_memory(device),
            **_profile(iterate, device)}


def _profile(iterate: Callable[[int], None], device: str) -> Dict[str, Any]:
    profiled = profile(lambda: iterate(PROFILED), device)
    if profiled:
        profiled['host_waits'] /= PROFILED
    return profiled


def _memory(device: str) -> Dict[str, float]:
    if torch.device(device).type != 'cuda':
        return {}
    free, total = torch.cuda.mem_get_info(device)
    return {'memory_gb': (total - free) / 1e9}


class Mjlab:
    """mjlab's own G1 task, in a separate Python process that is kept between measurements.

    Args:
        python: An interpreter with mjlab.
        num_envs: Number of robots.
    """

    def __init__(self, python: str, num_envs: int):
        self._process = subprocess.Popen(
            [python, str(PROBE), 'serve', '--num-envs', str(num_envs)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, what: str) -> Dict[str, Any]:
        """Return a measurement of the probe: ``env``, or ``train ITERATIONS``.

        Raises:
            LocomotionError: The probe ended or did not start; see its standard error.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(what + '\n')
            self._process.stdin.flush()
            return dict(json.loads(self._process.stdout.readline()))
        except (BrokenPipeError, ValueError) as error:
            self._process.kill()
            raise LocomotionError(
                f'the mjlab probe ended with code {self._process.wait()}; install mjlab for '
                'the interpreter of --against-mjlab') from error

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def against_mjlab(python: str, num_envs: int, what: str, ours: Callable[[], float],
                  repeats: int = 3) -> Dict[str, Any]:
    """Measure this package and mjlab alternately, on the same GPU in one run.

    Args:
        python: An interpreter with mjlab.
        num_envs: Number of robots of each.
        what: The measurement of the probe.
        ours: Measures this package, control steps per second.
        repeats: Number of measurements of each.

    Returns:
        Medians of control steps per second, and the ratio of each pair.
    """
    probe = Mjlab(python, num_envs)
    try:
        pairs = [(ours(), float(probe.ask(what)['steps_per_second'])) for _ in range(repeats)]
    finally:
        probe.close()
    return {'mjlab_steps_per_second': statistics.median(theirs for _, theirs in pairs),
            'our_steps_per_second': statistics.median(own for own, _ in pairs),
            'ratio': statistics.median(own / theirs for own, theirs in pairs),
            'ratios': [own / theirs for own, theirs in pairs]}
