"""Measures where training's time goes: the whole step against physics alone, and an iteration.

``benchmark env`` records the states and targets of some control steps while a policy walks, then
runs the captured physics alone over the same states and targets. The ratio of the two times is
what everything around physics costs: policy, observation, noise, rewards, resets, commands.
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
    """Return the seconds that ``run`` takes, the device's work included."""
    _wait(device)
    begin = time.perf_counter()
    run()
    _wait(device)
    return time.perf_counter() - begin


def _wait(device: str) -> None:
    if torch.device(device).type == 'cuda':
        torch.cuda.synchronize(device)


class Recording:
    """Consecutive snapshots of a simulator and the targets that it followed from each.

    Made by standing in for the backend's ``step`` while ``run`` runs.
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
            del backend.step  # the class's own method again


class PhysicsReplay:
    """Runs physics alone over a recording, captured like the whole step."""

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
    collector.run_eagerly(RECORDED_STEPS)  # everyone under way
    recording = Recording(
        trainer.backend, lambda: collector.run_eagerly(RECORDED_STEPS))
    replay = PhysicsReplay(trainer.backend, recording, trainer.use_graph)
    replay.run()
    for _ in range(WARM_UP_STEPS + 1):
        collector.step()
    whole: List[float] = []
    physics: List[float] = []
    for _ in range(REPEATS):  # in turn, so that a drift of the machine touches both
        physics.append(timed(replay.run, device) / RECORDED_STEPS)
        whole.append(_step_time(trainer))
    step, alone = statistics.median(whole), statistics.median(physics)
    return {'num_envs': n, 'step_ms': 1e3 * step, 'physics_ms': 1e3 * alone,
            'physics_share': alone / step, 'steps_per_second': n / step,
            'physics_steps_per_second': n / alone, **_memory(device)}


def benchmark_train(trainer: Trainer, iterations: int = 10) -> Dict[str, Any]:
    """Return the speed of whole iterations, and what collecting and learning take of it."""
    device, collector = trainer.device, trainer.collector
    for _ in range(WARM_UP_STEPS + 2):
        trainer.iterate()

    def iterate(count: int = iterations) -> None:
        last = trainer.iterate()
        for _ in range(count - 1):  # as a run does: one iteration is always under way
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
    """mjlab's own G1 task, in a Python of its own that stays up between measurements.

    Args:
        python: An interpreter that has mjlab.
        num_envs: How many robots.
    """

    def __init__(self, python: str, num_envs: int):
        self._process = subprocess.Popen(
            [python, str(PROBE), 'serve', '--num-envs', str(num_envs)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, what: str) -> Dict[str, Any]:
        """Return what the probe measures: ``env``, or ``train ITERATIONS``.

        Raises:
            LocomotionError: The probe ended, or is none; its own words are on standard error.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(what + '\n')
            self._process.stdin.flush()
            return dict(json.loads(self._process.stdout.readline()))
        except (BrokenPipeError, ValueError) as error:
            self._process.kill()
            raise LocomotionError(
                f'the mjlab probe ended with code {self._process.wait()}; is mjlab installed for '
                'the interpreter that --against-mjlab names?') from error

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def against_mjlab(python: str, num_envs: int, what: str, ours: Callable[[], float],
                  repeats: int = 3) -> Dict[str, Any]:
    """Measure ours and mjlab's in turn, on the same GPU in one run.

    Args:
        python: An interpreter that has mjlab.
        num_envs: How many robots, of each.
        what: What to ask the probe.
        ours: Measures ours, control steps per second.
        repeats: How often each is measured.

    Returns:
        Medians of control steps per second, and the ratio pair by pair.
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
