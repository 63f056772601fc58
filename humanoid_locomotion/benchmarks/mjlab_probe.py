# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Times mjlab's own G1 flat velocity task, for comparison with this package's benchmark.

``python mjlab_probe.py env|train|serve`` needs an interpreter with mjlab. Each result is one JSON
line on stdout; all other output goes to stderr. ``serve`` sets up once and executes lines of
stdin, ``env [STEPS]`` or ``train [ITERATIONS]`` until ``quit``, so that a parent can alternate
measurements.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import asdict
from importlib.metadata import version
import json
import os
from statistics import median
import sys
import tempfile
import time
from typing import Any, Callable, Dict, List, Tuple

import torch

TASK = 'Mjlab-Velocity-Flat-Unitree-G1'


class Probe:
    """The task's environment and runner, set up as in mjlab's train script; saves nothing."""

    def __init__(self, num_envs: int, device: str, log_dir: str):
        from mjlab.envs import ManagerBasedRlEnv
        from mjlab.rl import RslRlVecEnvWrapper
        import mjlab.tasks  # noqa: F401  (fills the registry)
        from mjlab.tasks.registry import load_env_cfg, load_rl_cfg, load_runner_cls
        from mjlab.utils.torch import configure_torch_backends
        configure_torch_backends()
        config, agent = load_env_cfg(TASK), load_rl_cfg(TASK)
        config.scene.num_envs, config.seed, agent.logger = num_envs, agent.seed, 'tensorboard'
        self.env = RslRlVecEnvWrapper(ManagerBasedRlEnv(config, device), agent.clip_actions)
        self.runner = load_runner_cls(TASK)(self.env, asdict(agent), log_dir, device)
        self.runner.save = lambda *_: None
        self.untrained = copy.deepcopy(self.runner.alg.actor)
        self.marks: List[Tuple[float, float, float]] = []
        self.log, self.runner.logger.log = self.runner.logger.log, self._mark
        self.warm_up = 5  # iterations before the timed ones; fewer from the second time
        self.facts = {
            'num_envs': num_envs, 'steps_per_iteration': agent.num_steps_per_env,
            'decimation': config.decimation, 'timestep': config.sim.mujoco.timestep, 'task': TASK,
            'device': device if device == 'cpu' else torch.cuda.get_device_name(device),
            **{name: version(name) for name in ('mjlab', 'mujoco-warp', 'warp-lang', 'torch')}}

    def measure_env(self, steps: int, repeats: int) -> Dict[str, Any]:
        """Time steps with random actions, and with the untrained actor including inference."""
        ages, shape = self.env.episode_length_buf, (steps, self.env.num_envs, self.env.num_actions)
        self.env.episode_length_buf = torch.randint_like(ages, int(self.env.max_episode_length))
        drawn = 2 * torch.rand(shape, device=self.env.device) - 1
        ways: Dict[str, Callable[[int, Any], torch.Tensor]] = {
            '': lambda step, _: drawn[step % steps],
            'actor_': lambda _, seen: self.untrained(seen, stochastic_output=True)}
        turns = [{name: self._roll_out(way, steps) for name, way in ways.items()}
                 for _ in range(repeats + 1)]
        answer = {'what': 'env', **self.facts, 'steps': steps, 'repeats': repeats}
        for name in ways:
            every = [1e3 * turn[name] / steps for turn in turns[1:]]  # the first warms up
            answer.update({f'{name}step_ms': median(every), f'all_{name}step_ms': every,
                           f'{name}steps_per_second': 1e3 * self.env.num_envs / median(every)})
        return answer

    def measure_train(self, iterations: int) -> Dict[str, Any]:
        """Time whole iterations of the runner: rollout, update and log, but no saving."""
        warm_up, self.warm_up = self.warm_up, 1
        self.runner.learn(warm_up + iterations, init_at_random_ep_len=warm_up > 1)
        ends, collect, learn = zip(*self.marks[-iterations - 1:])
        step = (ends[-1] - ends[0]) / iterations / self.facts['steps_per_iteration']
        return {'what': 'train', **self.facts, 'iterations': iterations,
                'step_ms': 1e3 * step, 'steps_per_second': self.env.num_envs / step,
                'all_iteration_ms': [1e3 * (end - begin) for begin, end in zip(ends, ends[1:])],
                'collect_ms': 1e3 * median(collect[1:]), 'learn_ms': 1e3 * median(learn[1:])}

    def _mark(self, **values: Any) -> None:
        self.log(**values)
        self.marks.append((self._now(), values['collect_time'], values['learn_time']))

    @torch.inference_mode()
    def _roll_out(self, act: Callable[[int, Any], torch.Tensor], steps: int) -> float:
        seen, begin = self.env.get_observations(), self._now()
        for step in range(steps):
            seen = self.env.step(act(step, seen))[0]
        return self._now() - begin

    def _now(self) -> float:
        if self.env.device.type == 'cuda':
            torch.cuda.synchronize(self.env.device)
        return time.perf_counter()


def main() -> None:
    """Run the measurement of the command line, or in ``serve`` of each line of stdin."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument('what', choices=['env', 'train', 'serve'])
    for name, default in {'num-envs': 4096, 'steps': 100, 'repeats': 5, 'iterations': 20}.items():
        parser.add_argument(f'--{name}', type=int, default=default)
    parser.add_argument('--device', default='cuda:0' if torch.cuda.is_available() else 'cpu')
    args, answers = parser.parse_args(), os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # all other output, including that of C libraries, goes to stderr
    os.environ.setdefault('MUJOCO_GL', 'disable')
    with tempfile.TemporaryDirectory() as log_dir:
        probe = Probe(args.num_envs, args.device, log_dir)
        for line in iter(sys.stdin.readline, '') if args.what == 'serve' else [args.what]:
            what, count = (line.split() + ['', ''])[:2]
            if what not in ('env', 'train'):
                break
            print(json.dumps(probe.measure_env(int(count or args.steps), args.repeats)
                             if what == 'env' else
                             probe.measure_train(int(count or args.iterations))),
                  file=answers, flush=True)


if __name__ == '__main__':
    main()
