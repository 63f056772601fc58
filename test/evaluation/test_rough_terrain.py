# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rough ground in the evaluation: who stands stands, who falls is counted, tile by tile."""

from __future__ import annotations

from dataclasses import replace
import io
import json

from policy_factory import balancing_policy, holding_policy
import pytest
from scorecards import FAKE, TINY

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')

from humanoid_locomotion.core.feedback.robot_size import Scale
from humanoid_locomotion.evaluation import cli, rough_terrain
from humanoid_locomotion.evaluation.rough_terrain import GROUND, RoughLine, evaluate_rough
from humanoid_locomotion.sim.backend import open_backend

PROTOCOL = replace(TINY, command_runs=2, measure_time=3.5)


def test_a_policy_that_falls_does_so_everywhere_and_one_that_stands_stands(tmp_path):
    shares = []
    falling = evaluate_rough(str(holding_policy(tmp_path / 'falls')), protocol=PROTOCOL,
                             progress=lambda what, share: shares.append(share))
    assert [(line.kind, line.share) for line in falling] == [('flat', 0.0)] + [
        (kind, share) for share in (0.5, 1.0) for kind in GROUND.kinds]
    assert all(line.falls == line.runs == 2 and line.speed is None for line in falling)
    assert shares[-1] == 1.0
    standing = evaluate_rough(str(balancing_policy(tmp_path / 'stands')), protocol=PROTOCOL)
    assert all(line.falls == 0 and abs(line.speed) < 0.1 for line in standing)
    assert {line.command for line in (*falling, *standing)} == {0.5}


def test_a_small_robot_walks_slower_over_lower_ground(tmp_path, monkeypatch):
    opened = []

    def open_fake(name, *given, terrain, **more):
        opened.append(terrain)
        return open_backend('fake', *given, **more)

    monkeypatch.setattr(rough_terrain, 'open_backend', open_fake)
    short = replace(FAKE, measure_time=0.2).scaled(Scale(0.71, 0.11))
    lines = evaluate_rough(str(holding_policy(tmp_path / 'small')), protocol=short)
    assert {line.command for line in lines} == {0.355}
    assert {(it.bump, it.step, it.slope) for it in opened} == {(0.0202, 0.0252, GROUND.slope)}


def test_the_command_prints_every_line(monkeypatch):
    from rich.console import Console
    lines = (RoughLine('flat', 0.0, 2, 0, 0.355, 0.32), RoughLine('hill', 1.0, 2, 2, 0.355, None))
    monkeypatch.setattr(cli, 'evaluate_rough', lambda *_, **__: lines)
    for as_json in (False, True):
        console = Console(file=io.StringIO(), width=120)
        cli.run_rough('x', robot='', seed=0, as_json=as_json, console=console)
        printed = console.file.getvalue()
        if as_json:
            assert json.loads(printed)[1] == {
                'kind': 'hill', 'share': 1.0, 'runs': 2, 'falls': 2, 'command': 0.355,
                'speed': None}
        else:
            assert '0 of 2' in printed and '2 of 2' in printed and '0.32' in printed
            assert '2 of 4 robots fell' in printed and 'x: 0.355 m/s ahead' in printed
