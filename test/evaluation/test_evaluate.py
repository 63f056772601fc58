# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Evaluating a policy folder from end to end, with the protocol shrunk to seconds."""

from __future__ import annotations

from dataclasses import replace
import io
import json

from policy_factory import (
    balancing_policy,
    balancing_weight,
    holding_policy,
    make_contract,
    write_policy,
)
import pytest
from scorecards import FAKE, TINY

pytest.importorskip('mujoco')
pytest.importorskip('onnxruntime')
pytest.importorskip('matplotlib')

from humanoid_locomotion.core.errors import PolicyError
from humanoid_locomotion.core.policy.content import FILES, SUMS
from humanoid_locomotion.core.policy.folder import open_policy
from humanoid_locomotion.evaluation.evaluate import evaluate
from humanoid_locomotion.evaluation.scorecard import read_scorecard


@pytest.fixture(scope='module')
def holding(tmp_path_factory):
    """Give a policy that only holds the default pose, and therefore falls."""
    return holding_policy(tmp_path_factory.mktemp('policies') / 'holding')


@pytest.fixture(scope='module')
def measured(holding, tmp_path_factory):
    """Give that policy's scorecard, the folder it was written to, and the progress told."""
    output, seen = tmp_path_factory.mktemp('output') / 'out', {}
    card = evaluate(str(holding), output=output, protocol=TINY, seed=3,
                    progress=seen.__setitem__)
    return card, output, seen


def test_a_policy_that_falls_fails_and_every_fall_is_counted(measured):
    card, _, _ = measured
    figures = card.figures
    assert not card.passed
    assert figures.standing.falls == 2 and figures.own_arms.falls == 2
    assert 0.0 < figures.own_arms.time_up < TINY.tour_time
    assert sum(response.falls for response in figures.responses) > 0
    assert [response.answered for response in figures.responses] == [False, False]
    assert figures.dead_zone is None
    assert [rung.survived for ladder in figures.pushes for rung in ladder.rungs] == [0] * 6
    assert [economy.cost_of_transport for economy in figures.economy] == [None, None]
    assert sum(situation.falls for situation in figures.situations) > 3


def test_a_scorecard_says_what_was_measured_on_what(holding, measured):
    card, output, seen = measured
    setting = card.setting
    assert setting.quick and setting.seed == 3 and setting.policy == 'holding'
    assert setting.model_hash_matches and setting.simulator == 'mujoco'
    assert setting.timestep == 0.004 and len(setting.fingerprint) == 16
    assert set(setting.versions) == {'mujoco', 'numpy', 'onnxruntime'}
    assert set(seen.values()) == {1.0} and 'tour, arms led' in seen
    assert sorted(p.name for p in output.iterdir()) == [
        'field.png', 'scorecard.json', 'scorecard.png']
    assert read_scorecard(output / 'scorecard.json') == card
    assert not (holding / 'scorecard.json').exists()


def test_the_same_seed_gives_the_same_figures(holding, measured, tmp_path):
    again = evaluate(str(holding), output=tmp_path, protocol=TINY, seed=3)
    assert again.figures == measured[0].figures and again.criteria == measured[0].criteria


def test_a_policy_that_stands_passes_what_standing_is_about(tmp_path):
    folder = balancing_policy(tmp_path / 'balancing')
    card = evaluate(str(folder), protocol=TINY)
    figures, passed = card.figures, {line.name for line in card.criteria if line.passed}
    assert 'drift in 10 s of standing' in passed and not card.passed
    assert figures.standing.falls == 0 and figures.own_arms.runs == figures.led_arms.runs == 2
    by_speed = {rung.speed: rung.survived for rung in figures.pushes[0].rungs}
    assert by_speed[3.0] == 0
    assert {it.name: it.falls for it in figures.situations}['payload 4 kg, standing'] == 0
    assert figures.economy[0].feet_force > 0.9
    ahead = card.figures.responses[0]
    assert ahead.linear_error == pytest.approx(0.5, abs=0.05)  # it ignores its command
    assert read_scorecard(folder / 'scorecard.json') == card  # beside the policy by default
    assert open_policy(folder, 'onnxruntime').envelope.problem == ''  # and signed


def test_a_model_that_changed_since_training_is_said_so(tmp_path):
    contract = replace(make_contract(), model_hash='0' * 16)
    folder = write_policy(tmp_path / 'old', contract, balancing_weight(contract))
    assert not evaluate(str(folder), protocol=FAKE).setting.model_hash_matches


def test_a_refused_policy_writes_nothing(holding, tmp_path):
    broken = tmp_path / 'broken'
    broken.mkdir()
    for name in (*FILES, SUMS):
        (broken / name).write_bytes((holding / name).read_bytes())
    contract = (broken / 'contract.yaml').read_text()
    (broken / 'contract.yaml').write_text(contract.replace('control_period: 0.02',
                                                           'control_period: 0.03'))
    with pytest.raises(PolicyError, match='damaged or changed after export'):
        evaluate(str(broken), output=tmp_path / 'out', protocol=FAKE)
    assert not (tmp_path / 'out').exists()
    assert {path.name for path in broken.iterdir()} == {*FILES, SUMS}


def test_a_run_that_fails_leaves_the_old_scorecard(holding, tmp_path, monkeypatch):
    (tmp_path / 'scorecard.json').write_text('old')
    monkeypatch.setattr('humanoid_locomotion.evaluation.evaluate.draw', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        evaluate(str(holding), output=tmp_path, protocol=FAKE)
    assert [p.name for p in tmp_path.iterdir()] == ['scorecard.json']
    assert (tmp_path / 'scorecard.json').read_text() == 'old'


def test_the_command_prints_the_verdict_and_returns_it(measured, tmp_path, monkeypatch):
    from rich.console import Console

    from humanoid_locomotion.evaluation import cli
    monkeypatch.setattr(cli, 'evaluate', lambda *_, **__: measured[0])
    for as_json in (False, True):
        console = Console(file=io.StringIO(), width=120)
        code = cli.run('holding', output=tmp_path, quick=True, seed=0, as_json=as_json,
                           report=False, console=console)
        printed = console.file.getvalue()
        assert code == 1
        if as_json:
            assert json.loads(printed)['setting']['policy'] == 'holding'
        else:
            assert 'holding: failed' in printed and 'commands answered' in printed


def test_the_report_is_one_page_that_needs_nothing_else(holding, tmp_path, monkeypatch):
    monkeypatch.setattr('humanoid_locomotion.sim.mujoco.renderer.film', lambda robot, poses: None)
    evaluate(str(holding), output=tmp_path, protocol=FAKE, report=True)
    page = (tmp_path / 'report.html').read_text()
    assert page.startswith('<!DOCTYPE html>') and page.rstrip().endswith('</html>')
    assert page.count('<svg') == page.count('</svg>') == 6
    for text in ('holding', 'failed', 'No film: MuJoCo found no way to render', 'Gait',
                 'left_knee', 'lines of protocol 4, quick.', 'mean velocity error',
                 'friction 0.4'):
        assert text in page
    loaded = [it for it in page.split('"') if it.startswith(('http://', 'https://'))]
    assert all('w3.org' in it or 'matplotlib.org' in it or 'purl.org' in it
               or 'creativecommons.org' in it for it in loaded)  # names, not addresses
    assert 'src=' not in page and '<script' not in page
