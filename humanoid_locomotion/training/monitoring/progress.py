# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The progress bar of a training."""

from __future__ import annotations

from typing import Any, Dict

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class TrainingProgress:
    """A progress bar with the most important metrics."""

    def __init__(self, console: Console, iterations: int, title: str):
        self._progress = Progress(
            TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn(),
            TimeRemainingColumn(), TextColumn('{task.fields[metrics]}'), console=console,
            disable=not console.is_terminal)  # report prints complete lines to a log
        self._task = self._progress.add_task(title, total=iterations, metrics='')
        self._console, self._every = console, max(1, iterations // 20)

    def __enter__(self) -> TrainingProgress:
        self._progress.__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        self._progress.__exit__(*reason)

    def report(self, iteration: int, metrics: Dict[str, float]) -> None:
        """Show the metrics of an iteration."""
        speed = metrics['speed/steps_per_second']
        text = (f"{f'{speed / 1000.0:.0f}k' if speed >= 1e4 else f'{speed:.0f}'} steps/s, "
                f"reward {metrics['reward/total']:.3f}, "
                f"episode {metrics['episode_length']:.0f} steps, "
                f"error {metrics['linear_velocity_error']:.2f} m/s "
                f"{metrics['yaw_rate_error']:.2f} rad/s")
        overflowed = metrics.get('physics/overflowed_robots', 0.0)
        if overflowed:
            text += f', [red]{overflowed:.0f} robots short of contacts or constraints[/red]'
        self._progress.update(self._task, completed=iteration, metrics=text)
        if not self._console.is_terminal and (iteration == 1 or iteration % self._every == 0):
            self._console.print(f'iteration {iteration}: {text}', highlight=False, soft_wrap=True)
