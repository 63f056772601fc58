# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several settings, the table of differences, and its place in the policy's card."""

from __future__ import annotations

from dataclasses import replace
import io
import json

from policy_factory import holding_policy
import pytest
from scorecards import FAKE, GOOD, SETTING, TOUR

pytest.importorskip('onnxruntime')
pytest.importorskip('matplotlib')

from humanoid_locomotion.core.errors import ConfigError, MissingPackageError
from humanoid_locomotion.core.feedback.robot_size import USUAL
from humanoid_locomotion.core.policy.content import FILES, sign_measured, write_sums
from humanoid_locomotion.evaluation import cli
from humanoid_locomotion.evaluation.comparison import sim_to_sim_matrix
from humanoid_locomotion.evaluation.comparison.sim_to_sim import Elsewhere
from humanoid_locomotion.evaluation.comparison.sim_to_sim_matrix import (
    difference_table,
    evaluate_everywhere,
)
from humanoid_locomotion.evaluation.gates import make_scorecard
from humanoid_locomotion.evaluation.release import why_unreleased
from humanoid_locomotion.evaluation.scorecard import read_scorecard

COARSER = Elsewhere(dt=0.01, iterations=3)


def cells(text):
    """Give the rows of a Markdown table by their first cell."""
    rows = [row.strip('| ').split(' | ') for row in text.splitlines() if row.startswith('|')]
    return {row[0]: row[1:] for row in rows}


def test_the_table_shows_what_changes_and_what_fails():
    standard = make_scorecard(GOOD, SETTING)
    there = make_scorecard(
        replace(GOOD, mean_linear_error=0.07, led_arms=replace(TOUR, time_up=50.0)),
        replace(SETTING, timestep=0.001, solver_iterations=100))
    table = cells(difference_table(standard, [there, standard]))
    assert table['line'][2] == 'mujoco, 1 ms, 100 iterations'
    assert table['mean velocity error, 12 commands [m/s]'] == [
        '0.06', '0.04', '**0.07** (+0.03)', '0.04 (+0)']
    assert table['60 s tour, arms led: mean time up [s]'][2] == '50 (-2)'
    assert table['all lines'][1:] == ['passed', '**failed**', 'passed']


def test_what_was_not_measured_has_no_change():
    standard = make_scorecard(GOOD, SETTING)
    there = make_scorecard(replace(GOOD, pushes=()), SETTING)
    assert cells(difference_table(standard, [there]))[
        'kicks of 1.5, 2.5, 3.0 m/s survived, of 10'][2] == '**- / - / -** (- / - / -)'


@pytest.mark.slow
def test_the_settings_are_written_beside_the_policy_and_into_its_card(tmp_path):
    folder = holding_policy(tmp_path / 'holding')
    seen = []
    own, (there,) = evaluate_everywhere(
        str(folder), standard=FAKE, elsewhere=[COARSER],
        progress=lambda what, share: seen.append(what))
    assert read_scorecard(folder / 'scorecard.json') == own
    assert (there.setting.timestep, there.setting.solver_iterations) == (0.01, 3)
    (place,) = json.loads((folder / 'sim_to_sim.json').read_text())
    assert place['setting']['timestep'] == 0.01 and not place['passed']
    assert (folder / 'card.md').read_text().startswith(
        f'# holding\n\n## Sim to sim\n\nProtocol {FAKE.version}, quick')
    assert 'fake, 10 ms, 3 iterations: standing' in seen and 'standing' in seen


@pytest.mark.parametrize('card, found', [
    ('# a\n\nText.\n\n## Config\n\nend\n',
     '# a\n\nText.\n\n## Sim to sim\n\n{}\n\n## Config\n\nend\n'),
    ('# a\n\nText.\n', '# a\n\nText.\n\n## Sim to sim\n\n{}\n')])
def test_the_section_has_one_place_in_a_card(tmp_path, card, found):
    path = tmp_path / 'card.md'
    path.write_text(card)
    for table in ('one', r'two \1'):  # the second time it is replaced
        sim_to_sim_matrix._write_section(path, table)
        assert path.read_text() == found.format(table)


@pytest.mark.parametrize('gpu, found', [
    (True, [None, None, 'mujoco_warp']), (False, [None, None]), (None, [None, None])])
def test_mujoco_warp_is_measured_where_it_has_a_gpu(monkeypatch, gpu, found):
    def fake(name):
        if gpu is None:
            raise MissingPackageError(f'the backend {name}', 'mujoco_warp', 'pip install it')
        return type('Warp', (), {'has_gpu': staticmethod(lambda: gpu)})

    monkeypatch.setattr(sim_to_sim_matrix, 'import_backend', fake)
    assert [it.backend for it in sim_to_sim_matrix.settings()] == found


def test_the_command_fails_if_one_setting_does(tmp_path, monkeypatch):
    from rich.console import Console
    good = make_scorecard(GOOD, SETTING)
    bad = make_scorecard(replace(GOOD, mean_yaw_error=1.0), SETTING)
    for others, code in (((good, good), 0), ((good, bad), 1)):
        monkeypatch.setattr(cli, 'evaluate_everywhere',
                            lambda *_, found=others, **__: (good, found))
        console = Console(file=io.StringIO(), width=120)
        assert cli.run('x', output=None, quick=False, seed=0, as_json=False,
                           console=console, everywhere=True) == code
        assert console.file.getvalue().count('elsewhere') == 2  # after the standard's table


@pytest.mark.parametrize('given', [
    {'output': 'out'}, {'report': True}, {'elsewhere': COARSER}])
def test_settings_of_ones_own_are_refused_with_it(given):
    with pytest.raises(ConfigError, match='--sim-to-sim: has its own settings'):
        cli.run('x', quick=False, seed=0, as_json=False, console=None, everywhere=True,
                    **{'output': None, **given})


def test_only_who_passes_everywhere_is_released(tmp_path):
    good, quick = make_scorecard(GOOD, SETTING), replace(SETTING, quick=True)
    bad = make_scorecard(replace(GOOD, mean_yaw_error=1.0), replace(SETTING, timestep=0.005))
    (tmp_path / 'scorecard.json').write_text(good.to_json())
    for name in FILES:
        (tmp_path / name).touch()
    write_sums(tmp_path)
    fingerprint = SETTING.fingerprint
    assert 'it has no sim_to_sim.json' in why_unreleased(tmp_path, fingerprint, USUAL)
    for cards, reason in (([good], ''), ([good, bad], '(mujoco at 5 ms) fails in: mean turning'),
                          ([make_scorecard(GOOD, quick)], 'elsewhere is a quick one')):
        text = json.dumps([json.loads(card.to_json()) for card in cards])
        (tmp_path / 'sim_to_sim.json').write_text(text)
        sign_measured(tmp_path, ['sim_to_sim.json'])
        found = why_unreleased(tmp_path, fingerprint, USUAL)
        assert reason in found and bool(reason) == bool(found)
    for text in ('[]', '{}', '[{"passed": true}]', 'x'):
        (tmp_path / 'sim_to_sim.json').write_text(text)
        sign_measured(tmp_path, ['sim_to_sim.json'])
        with pytest.raises(ConfigError, match=r'sim_to_sim\.json'):
            why_unreleased(tmp_path, fingerprint, USUAL)
