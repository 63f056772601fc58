# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pictures are made of what was measured."""

from __future__ import annotations

import json

import pytest

from humanoid_locomotion.training.monitoring import learning_curve

pytest.importorskip('matplotlib')
PNG = b'\x89PNG'


def test_a_run_is_drawn_from_its_log(tmp_path):
    names = [name for names, _ in learning_curve.PANELS for name in names]
    lines = [{**{name: float(i) for name in names}, 'iteration': i, 'samples': 100 * i,
              'speed/seconds': 60.0 * i} for i in (1, 2, 3)]
    (tmp_path / 'metrics.jsonl').write_text('\n'.join(map(json.dumps, lines)), encoding='utf-8')
    assert learning_curve.draw(tmp_path).read_bytes().startswith(PNG)


def test_a_run_that_lacks_a_figure_is_not_drawn(tmp_path):
    (tmp_path / 'metrics.jsonl').write_text('{"iteration": 1}', encoding='utf-8')
    with pytest.raises(KeyError):
        learning_curve.draw(tmp_path)


def test_a_sweep_is_drawn_with_a_panel_for_every_figure(tmp_path, monkeypatch):
    from matplotlib.figure import Figure
    drawn = []
    monkeypatch.setattr(Figure, 'savefig', lambda figure, path, **_: drawn.append(figure))
    rows = [{'num_envs': n, 'hardware': 'CPU', 'step_ms': 1.0 * n, 'physics_share': 0.5}
            for n in (64, 128)]
    learning_curve.draw_sweep(rows, tmp_path / 'sweep.png')
    labels = [axes.get_ylabel() for axes in drawn[0].axes]
    assert labels == ['step ms', 'physics share']
    assert list(drawn[0].axes[0].lines[0].get_ydata()) == [64.0, 128.0]
