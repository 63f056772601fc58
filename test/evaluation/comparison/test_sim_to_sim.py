# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measuring elsewhere: another step, solver, simulator or model, beside the standard setting."""

from __future__ import annotations

from dataclasses import replace
import shutil

from policy_factory import balancing_weight, holding_policy, make_contract, write_policy
import pytest
from scorecards import FAKE, TINY

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')
pytest.importorskip('matplotlib')

from humanoid_locomotion.core.errors import ConfigError, LocomotionError, SimulationError
from humanoid_locomotion.core.feedback.velocity_feedback import IntegralSpec
from humanoid_locomotion.core.reading.resources import policy_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.evaluation.cli import differences
from humanoid_locomotion.evaluation.comparison import sim_to_sim
from humanoid_locomotion.evaluation.comparison.sim_to_sim import Elsewhere, evaluate_elsewhere
from humanoid_locomotion.evaluation.numpy_backend import NumpyBackend
from humanoid_locomotion.evaluation.protocol import FULL
from humanoid_locomotion.evaluation.scorecard import read_scorecard
from humanoid_locomotion.sim.backend import PhysicsSpec
from humanoid_locomotion.sim.fake import FakeBackend


@pytest.fixture
def holding(tmp_path):
    """Give a policy that holds the default pose."""
    return holding_policy(tmp_path / 'holding')


@pytest.mark.slow
def test_another_step_and_model_are_measured_beside_the_standard(holding, tmp_path):
    shutil.copy(load_robot('humanoid').mjcf_path, tmp_path / 'own.xml')
    there = Elsewhere(dt=0.005, iterations=7, model=tmp_path / 'own.xml')
    before = sorted(path.name for path in holding.iterdir())
    standard, card = evaluate_elsewhere(str(holding), there, output=tmp_path / 'out', seed=3,
                                        standard=TINY)
    assert (standard.setting.timestep, standard.setting.solver_iterations) == (0.004, 10)
    assert standard.setting.model == '' and standard.setting.model_hash_matches
    assert (card.setting.timestep, card.setting.solver_iterations) == (0.005, 7)
    assert card.setting.model.endswith('own.xml')
    assert card.figures.standing.falls == standard.figures.standing.falls == 2
    assert card.figures != standard.figures
    assert sorted(path.name for path in holding.iterdir()) == before
    assert read_scorecard(tmp_path / 'out' / 'scorecard.json') == card
    table = differences(standard, card)
    assert table.row_count == len(card.criteria)
    assert '5 ms, 7 iterations' in str(table.caption)


def test_a_policys_own_scorecard_is_never_overwritten(holding):
    with pytest.raises(LocomotionError, match='holds a policy, whose scorecard is of'):
        evaluate_elsewhere(str(holding), Elsewhere(dt=0.001), output=holding, standard=TINY)
    assert not (holding / 'scorecard.json').exists()


def test_a_policys_own_scorecard_is_the_standard_where_it_fits(monkeypatch):
    """It is not measured again, unless seed or protocol differ."""
    own = read_scorecard(policy_folders()['humanoid'] / 'scorecard.json')
    own = replace(own, setting=replace(own.setting, protocol=FULL.version))
    monkeypatch.setattr(sim_to_sim, 'read_scorecard', lambda path: own)
    asked = []

    def evaluate(policy, **settings):
        asked.append(settings['protocol'])
        return own

    monkeypatch.setattr(sim_to_sim, 'evaluate', evaluate)
    standard, _ = evaluate_elsewhere('humanoid', Elsewhere(dt=0.001))
    assert standard == own
    assert asked == [replace(FULL, longest_timestep=0.001)]
    evaluate_elsewhere('humanoid', Elsewhere(dt=0.001), seed=1)
    assert asked[1:] == [replace(FULL, longest_timestep=0.001), FULL]


def test_the_network_alone_is_measured_beside_the_policy(tmp_path):
    fed = replace(make_contract(), yaw_rate_integral=IntegralSpec(1.0, 0.2))
    folder = write_policy(tmp_path / 'fed', fed, balancing_weight(fed))
    standard, alone = evaluate_elsewhere(
        str(folder), Elsewhere(network_alone=True), standard=FAKE)
    assert alone.setting.network_alone and not standard.setting.network_alone
    assert alone.setting.fingerprint != standard.setting.fingerprint
    assert Elsewhere(network_alone=True).differs(FULL)


def test_naming_the_standard_is_the_standard():
    assert not Elsewhere('mujoco', 0.002, 50).differs(FULL)
    assert Elsewhere('mujoco_warp').differs(FULL) and Elsewhere(iterations=5).differs(FULL)


@pytest.mark.parametrize('settings, message', [
    ({'dt': 0.0}, '--dt: found 0.0, expected above 0'),
    ({'iterations': -1}, '--iterations: found -1, expected above 0')])
def test_impossible_physics_is_refused(settings, message):
    with pytest.raises(ConfigError, match=message):
        Elsewhere(**settings)


class OnTensors(FakeBackend):
    """A simulator with tensors; its second robot has a contact overflow if ``lacks``."""

    lacks = False

    def state(self):
        """Give the state as tensors."""
        import torch
        plain = super().state()
        return type(plain)(**{k: torch.as_tensor(v) for k, v in vars(plain).items()})

    def overflow(self):
        """Return which robots had an overflow."""
        import torch
        return torch.tensor([False, self.lacks])


@pytest.mark.parametrize('lacks', [False, True])
def test_a_simulator_on_tensors_is_read_in_numpy_and_its_lack_of_room_told(lacks):
    pytest.importorskip('torch')
    robot = load_robot('humanoid')
    tensors = OnTensors(robot, 2, PhysicsSpec(0.01, 2, 5, 5, 64, 32), robot.joints, 'cpu')
    tensors.lacks = lacks
    backend = NumpyBackend(tensors)
    for record in (backend.state(), backend.truth()):
        assert {type(value).__name__ for value in vars(record).values()} == {'ndarray'}
    assert backend.num_envs == 2
    if not lacks:
        backend.close()
        return
    with pytest.raises(SimulationError, match=r'contact buffer .* overflowed for 1 robots'):
        backend.close()
