# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The study finds what is known: finer steps and more iterations come closer to the reference."""

from __future__ import annotations

import pytest
from tiny import ROBOT, config
import torch

from humanoid_locomotion.benchmarks import physics_study
from humanoid_locomotion.training.run.trainer import Trainer

pytest.importorskip('mujoco', minversion='3.3')


def test_finer_settings_differ_less_from_the_reference(tmp_path, monkeypatch):
    for name, value in {'WALK_STEPS': 5, 'STATES': 3, 'TIMED_STEPS': 2}.items():
        monkeypatch.setattr(physics_study, name, value)
    trainer = Trainer(config(), ROBOT, backend='mujoco', device='cpu', seed=1, folder=tmp_path)
    coarse, usual, fine = physics_study.study(
        trainer, 'mujoco', ((20, 20, 2), (20, 20, 4), (20, 20, 16)))
    for key in ('joint_position_mrad', 'joint_velocity', 'base_velocity_mm_s'):
        assert fine[key] < usual[key] < coarse[key], key
    assert [row['substeps'] for row in (coarse, usual, fine)] == [2, 4, 16]
    assert all(row['step_ms'] > 0.0 for row in (coarse, usual, fine))


def test_the_most_room_that_was_taken_is_kept(tmp_path, monkeypatch):
    trainer = Trainer(config(), ROBOT, backend='fake', device='cpu', seed=1, folder=tmp_path)
    taken = iter([0.0, 3.0, 9.0, 5.0, 0.0, 8.0, 7.0, 1.0])

    def used() -> dict:
        return {'constraints': torch.tensor(next(taken))}

    monkeypatch.setattr(trainer.backend, 'room_used', used)
    # The first value of each round only says what is counted.
    rows = physics_study.room_used(trainer, steps=3)
    assert rows['budget']['constraints'] == trainer.config.physics.max_constraints
    assert rows['walking'] == {'constraints': 9.0} and rows['tumbling'] == {'constraints': 8.0}
    monkeypatch.undo()
    assert trainer.backend.room_used() == {}
