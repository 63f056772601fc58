# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""JSON for programs: every command that prints some prints them as JSON, and nothing else."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

pytest.importorskip('typer')

import typer

from humanoid_locomotion.cli import output
from humanoid_locomotion.cli.main import app, main

# Commands that print no values of their own, and why.
WITHOUT = {
    'policy import-onnx': 'says where each key came from', 'policy retune': 'writes a folder',
    'policy envelope': 'YAML for Nav2', 'policy export': 'writes a folder',
    'policy fetch': 'writes a folder', 'policy push': 'sends a folder',
    'policy rebuild': 'writes a folder', 'policy sign': 'writes hashes',
    'robot import': 'questions to a person',
    'robot write-urdf': 'writes a file', 'dev interface': 'writes a page',
    'teleop': 'is driven by hand'}


def commands(group, name=''):
    """Give every command of the command line by its words."""
    if not hasattr(group, 'commands'):
        yield name, group
        return
    for word, command in group.commands.items():
        yield from commands(command, f'{name} {word}'.strip())


ALL = dict(commands(typer.main.get_command(app)))


def test_every_command_with_figures_has_json():
    with_json = {name for name, command in ALL.items()
                 if any('--json' in parameter.opts for parameter in command.params)}
    assert with_json == set(ALL) - set(WITHOUT)
    assert {'train', 'walk', 'dev benchmark latency', 'dev soak'} <= with_json


@pytest.fixture
def printed(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command line with --json and gives what it printed, parsed."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *map(str, arguments), '--json'])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return json.loads(capsys.readouterr().out)

    return call


def test_robots(printed):
    found = {row['robot']: row for row in printed('robot', 'list')}
    assert found['humanoid']['mass'] == pytest.approx(45.0, abs=1.0)
    assert len(found['unitree_g1']['joints']) == 29


def test_check(printed):
    pytest.importorskip('onnxruntime')
    said = printed('policy', 'check', 'humanoid')
    assert said['model_as_trained'] is True and said['unreleased'] == ''
    assert said['golden_error'] < 1e-3 and len(said['joints']) == 23
    assert said['command_limits']['lower'][0] < 0.0 < said['command_limits']['upper'][0]


def test_train(printed):
    pytest.importorskip('torch')
    said = printed('train', '--backend', 'fake', '--num-envs', 4, '--iterations', 2,
                   '--output', 'run', '--set', 'ppo.rollout_steps=4',
                   '--set', 'ppo.hidden_sizes=[16, 8]')
    assert said['run'] == 'run' and said['samples'] == 32 and said['passed'] is None
    assert said['last']['iteration'] == 2 and 'reward/total' in said['last']


def test_latency_of_the_engines_alone(printed):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('torch')
    rows = printed('dev', 'benchmark', 'latency', '--alone', '--device', 'cpu')
    assert {row['engine'] for row in rows} >= {'onnxruntime, cpu', 'torch, cpu'}
    assert all(0.0 < row['p50_us'] <= row['p99_us'] <= row['max_us'] for row in rows)


def test_faults(printed, monkeypatch):
    pytest.importorskip('rclpy')
    from humanoid_locomotion.reliability.faults import fault_matrix
    monkeypatch.setattr(fault_matrix, 'FAULTS', fault_matrix.FAULTS[:1])
    said = printed('dev', 'faults', '--only', 'loop,policy', '--folders', 10)
    assert said['loop']['failed'] == said['policy']['failed'] == 0
    assert [row['action'] for row in said['loop']['rows']] == ['damp', 'damp']
    assert sum(row.get('tried', 0) for row in said['policy']['rows']) == 10


def test_walk_says_what_was_reached_and_null_where_it_did_not_get():
    pytest.importorskip('rclpy')
    from humanoid_locomotion.nodes.demos.walk_profile import PROFILE, SegmentResult, WalkResult
    result = WalkResult([SegmentResult(PROFILE[0], np.zeros(3)),
                         SegmentResult(PROFILE[1], np.full(3, np.nan))], 'fell', 1.0, {})
    said = json.loads(json.dumps(result.to_mapping(), allow_nan=False))
    assert [row['achieved'] for row in said['segments']] == [[0.0] * 3, [None] * 3]
    assert said['fall'] == 'fell' and said['segments'][1]['name'] == PROFILE[1].name


def test_what_json_does_not_know_is_made_plain(capsys, tmp_path):
    output.print_json({'path': tmp_path, 'figures': np.array([1.0, np.nan]).tolist(),
                           'one': np.float32(0.5), 'count': 3, 'yes': True, 'none': None})
    assert json.loads(capsys.readouterr().out) == {
        'path': str(tmp_path), 'figures': [1.0, None], 'one': 0.5, 'count': 3, 'yes': True,
        'none': None}


def test_progress_goes_to_standard_error(capsys):
    with output.working('thinking'):
        pass
    assert capsys.readouterr().out == ''
