# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every policy that ships does what it did when it was exported."""

from __future__ import annotations

import json

import numpy as np
import pytest

from humanoid_locomotion.core.controller import Controller
from humanoid_locomotion.core.policy.adoption.flat_metadata import FlatMetadata
from humanoid_locomotion.core.policy.content import read_folder
from humanoid_locomotion.core.policy.engines import open_engine
from humanoid_locomotion.core.policy.folder import (
    ODOMETRY_KEYS,
    STATE_KEYS,
    open_policy,
    read_golden,
)
from humanoid_locomotion.core.policy.onnx_graph import CONTRACT_KEY
from humanoid_locomotion.core.reading.resources import policy_folders, robot_folders
from humanoid_locomotion.core.robot import load_robot
from humanoid_locomotion.core.robot_bounds import check_contract
from humanoid_locomotion.core.state import RobotState
from humanoid_locomotion.core.terms import needs_odometry

FILES = {'policy.onnx', 'network.onnx', 'deploy.yaml', 'contract.yaml', 'golden.npz', 'card.md',
         'scorecard.json', 'scorecard.png', 'field.png', 'sim_to_sim.json', 'SHA256SUMS'}
STANDALONE = {'network.onnx', 'deploy.yaml'}  # not where the base's velocity is observed
MAX_BYTES = 4 * 1024 * 1024

policies = pytest.mark.parametrize(
    'folder', [pytest.param(folder, id=name) for name, folder in policy_folders().items()])


def test_policies_ship():
    assert policy_folders()


@policies
@pytest.mark.parametrize('engine', ['onnxruntime', 'torch'])
def test_it_opens_and_replays_its_golden_steps(folder, engine):
    pytest.importorskip(engine)
    pytest.importorskip('onnx' if engine == 'torch' else engine)
    opened = open_policy(folder, engine=engine, device='cpu')
    assert opened.policy.name == engine
    assert opened.golden_error < 1e-3


@policies
def test_its_robot_ships_and_is_the_one_it_was_trained_on(folder):
    pytest.importorskip('onnxruntime')
    contract = open_policy(folder, engine='onnxruntime').contract
    assert contract.robot in robot_folders()
    robot = load_robot(contract.robot)
    check_contract(contract, robot, folder)
    assert contract.model_hash == robot.model_hash


@policies
def test_its_flat_metadata_alone_rebuild_the_controller(folder):
    """What another stack reads is all it needs: the golden joint targets come out of it."""
    pytest.importorskip('onnxruntime')
    file = read_folder(folder).network_file
    network = open_engine(folder / file, 'onnxruntime')
    flat = {key: value for key, value in network.metadata.items() if key != CONTRACT_KEY}
    contract = FlatMetadata((file, flat)).contract()
    golden = read_golden(folder / 'golden.npz')
    keys = [key for key in STATE_KEYS + ODOMETRY_KEYS if key in golden]
    controller = Controller(contract, network)
    controller.reset_all()
    targets = [controller.step(RobotState(**{key: golden[key][i:i + 1] for key in keys}),
                               golden['command'][i:i + 1]).positions[0]
               for i in range(len(golden['command']))]
    assert np.allclose(targets, golden['joint_targets'], atol=1e-4)
    assert contract.fingerprint == open_policy(folder, engine='onnxruntime').contract.fingerprint


@policies
def test_its_files_are_those_that_the_documentation_promises(folder):
    pytest.importorskip('onnxruntime')
    without = STANDALONE if needs_odometry(
        open_policy(folder, engine='onnxruntime').contract) else set()
    assert {path.name for path in folder.iterdir()} == FILES - without


@policies
def test_its_scorecard_is_its_own(folder):
    pytest.importorskip('onnxruntime')
    contract = open_policy(folder, engine='onnxruntime').contract
    scorecard = json.loads((folder / 'scorecard.json').read_text(encoding='utf-8'))
    assert scorecard['setting']['fingerprint'] == contract.fingerprint
    assert scorecard['passed'] and not scorecard['setting']['quick']


@policies
def test_it_is_small(folder):
    assert sum(path.stat().st_size for path in folder.iterdir()) < MAX_BYTES
