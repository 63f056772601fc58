# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several processes that train one policy: alone nothing changes, together they stay one."""

from __future__ import annotations

import json
import os
from pathlib import Path
import socket
import subprocess
import sys

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.training.ppo.distributed import Group, join
from humanoid_locomotion.training.run import checkpoint
from humanoid_locomotion.training.run.trainer import Trainer

SUPPORT = Path(__file__).parents[2] / 'support'


def test_alone_there_is_nothing_to_exchange():
    group, tensor = join('cpu'), torch.randn(3)
    before = tensor.clone()
    group.average([tensor])
    group.sum([tensor])
    assert torch.equal(tensor, before)
    assert group.gather('it') == ['it']
    assert group.is_first and group.size == 1
    assert not Group(rank=1, size=2).is_first


def work(folder: str, stops: bool, iterations: int, resumes: bool) -> None:
    """Train as one of several processes; print what must be the same in all and what must not.

    Only the first process is ever told that the policy is good enough, as on the command line.
    """
    it = Trainer(config(f'run.iterations={iterations}'), ROBOT, backend='fake', device='cpu',
                 seed=1, folder=Path(folder))
    if resumes:
        it.resume(checkpoint.latest(Path(folder)))
    it.run(is_done=lambda: stops and it.group.is_first)
    print(json.dumps({
        'rank': it.group.rank, 'iteration': it.iteration, 'samples': it.samples,
        'rate': float(it.ppo.learning_rate),
        'network': {name: tensor.flatten().tolist()
                    for name, tensor in it.model.state_dict().items()},
        'command': it.env.commands.command.tolist()}))
    it.close()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as it:
        it.bind(('127.0.0.1', 0))
        return int(it.getsockname()[1])


def both(folder: Path, stops: bool = False, iterations: int = 2, resumes: bool = False) -> list:
    """Give what two processes print that train together."""
    paths = [str(Path(__file__).parent), str(SUPPORT), str(SUPPORT.parents[1]),
             os.environ.get('PYTHONPATH', '')]
    shared = {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), 'WORLD_SIZE': '2',
              'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': str(free_port())}
    program = ('import test_distributed as t; '
               f't.work({str(folder)!r}, {stops}, {iterations}, {resumes})')
    workers = [subprocess.Popen(
        [sys.executable, '-c', program], text=True, stdout=subprocess.PIPE,
        env={**shared, 'RANK': rank, 'LOCAL_RANK': rank}) for rank in ('0', '1')]
    try:
        return [json.loads(worker.communicate(timeout=120)[0].splitlines()[-1])
                for worker in workers]
    finally:
        for worker in workers:
            worker.kill()


@pytest.mark.slow
def test_what_stops_the_first_process_stops_all_of_them(tmp_path):
    assert [worker['iteration'] for worker in both(tmp_path, stops=True)] == [1, 1]


@pytest.mark.slow
def test_two_processes_learn_one_policy_from_robots_of_their_own(tmp_path):
    first, second = both(tmp_path)
    assert (first['rank'], second['rank']) == (0, 1)
    assert first['network'] == second['network'] and first['rate'] == second['rate']
    assert first['command'] != second['command']
    assert first['samples'] == 2 * 4 * 6 * 2  # iterations, robots, steps, processes
    assert first['network']['actor_normalizer.count'] == [first['samples']]
    lines = (tmp_path / 'metrics.jsonl').read_text().splitlines()
    assert [json.loads(line)['iteration'] for line in lines] == [1, 2]  # written by one of them


@pytest.mark.slow
def test_two_processes_go_on_as_if_they_had_never_stopped(tmp_path):
    straight = both(tmp_path / 'straight', iterations=4)
    both(tmp_path / 'stopped')
    resumed = both(tmp_path / 'stopped', iterations=4, resumes=True)
    assert resumed == straight  # weights, learning rate and each process's own commands
