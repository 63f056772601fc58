# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A stride and loops around a policy that exists: what changes, and what stays to the last bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip('torch')
pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

import policy_factory

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.feedback.kinematics import leg_spec
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec, LinearLoopSpec
from humanoid_locomotion.core.policy.adoption.flat_metadata import FlatMetadata
from humanoid_locomotion.core.policy.folder import open_policy, read_golden
from humanoid_locomotion.core.policy.onnx_graph import open_network
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.training.retune import tune

ROBOT = load_robot('humanoid')
CARD = '# humanoid\n\nAs trained.\n\n## Sim to sim\n\n| line | gate |\n\n## Config\n\nrobot: x\n'


@pytest.fixture
def before(tmp_path):
    """Give a policy that turns with a loop, with a card and a scorecard."""
    folder = policy_factory.balancing_policy(tmp_path / 'made')
    (folder / 'card.md').write_text(CARD)
    (folder / 'scorecard.json').write_text('{}')
    return folder


def tuned(before, output, yaw_rate=None, linear=LinearLoopSpec(0.5, 0.2, 0.5, 4.0), **changes):
    contract = tune(
        str(before), ROBOT, output, yaw_rate=yaw_rate, linear_velocity=linear, **changes)
    opened = open_policy(output, engine='onnxruntime')
    assert opened.contract == contract
    return opened


def test_the_network_stays_and_the_contract_has_the_loop(before, tmp_path):
    old = open_policy(before, engine='onnxruntime')
    new = tuned(before, tmp_path / 'after')
    assert new.contract.linear_velocity_loop == LinearLoopSpec(0.5, 0.2, 0.5, 4.0)
    assert new.contract.legs == tuple(leg_spec(ROBOT, sole) for sole in ROBOT.soles)
    assert new.contract.yaw_rate_integral == old.contract.yaw_rate_integral
    obs = np.random.default_rng(0).normal(size=(1, old.policy.obs_size)).astype(np.float32)
    assert np.array_equal(new.policy(obs), old.policy(obs))
    theirs, ours = (read_golden(path / 'golden.npz') for path in (before, tmp_path / 'after'))
    for key in ('joint_positions', 'base_orientation', 'command'):
        assert np.array_equal(ours[key], theirs[key])
    assert not np.allclose(ours['observation'], theirs['observation'])


def test_one_loop_leaves_the_other_as_it_was(before, tmp_path):
    new = tuned(before, tmp_path / 'after', yaw_rate=IntegralSpec(0.7, 0.1), linear=None)
    assert new.contract.yaw_rate_integral == IntegralSpec(0.7, 0.1)
    assert new.contract.linear_velocity_loop is None and new.contract.legs is None


def test_another_stride_leaves_what_asks_it_to_walk(tmp_path):
    before = policy_factory.balancing_policy(tmp_path / 'made', 'proprioceptive_clock')
    old, new = open_policy(before, engine='onnxruntime').contract, tuned(
        before, tmp_path / 'after', linear=None, gait_period=0.9).contract
    assert new == replace(old, gait=replace(old.gait, period=0.9))
    clocks = [read_golden(path / 'golden.npz')['observation'] for path in (
        before, tmp_path / 'after')]
    assert not np.allclose(*clocks)


def test_a_policy_that_sees_no_clock_has_no_stride_to_change(before, tmp_path):
    with pytest.raises(PolicyError, match=r'has no gait, so no stride to last 0\.9 s'):
        tuned(before, tmp_path / 'after', gait_period=0.9)
    assert not (tmp_path / 'after').exists()


def test_flat_keys_alone_tell_of_the_loops_and_of_where_it_came_from(before, tmp_path):
    new = tuned(before, tmp_path / 'after')
    metadata = open_network(tmp_path / 'after' / 'network.onnx').metadata
    assert FlatMetadata(('network.onnx', metadata)).contract() == new.contract
    old = open_network(before / 'network.onnx').metadata
    assert metadata['run_path'] == old['run_path']


def test_what_was_measured_without_the_loops_does_not_come_along(before, tmp_path):
    tuned(before, tmp_path / 'after')
    assert (tmp_path / 'after' / 'card.md').read_text() == CARD.replace(
        '## Sim to sim\n\n| line | gate |\n\n', '')
    assert not (tmp_path / 'after' / 'scorecard.json').exists()


def test_a_folder_can_be_written_over_itself(before):
    new = tuned(before, before)
    assert new.contract.legs is not None


def test_targets_that_are_not_clipped_stay_so(before, tmp_path):
    tuned(before, tmp_path / 'first', linear=None, beyond_robot=('targets',))
    new = tuned(tmp_path / 'first', tmp_path / 'second', linear=None, beyond_robot=('gains',))
    assert new.contract.beyond_robot == ('gains', 'targets')
