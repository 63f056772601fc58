# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""The page of a robot: verdict, picture, findings, and where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
import itertools
import math
from pathlib import Path
from typing import Any, Iterable, List, Mapping, Sequence

import mujoco

from humanoid_locomotion.core.errors import LocomotionError
from humanoid_locomotion.core.feedback.joint_mirror import joint_mirror
from humanoid_locomotion.core.reading.config import read_yaml
from humanoid_locomotion.core.reading.files import read_bytes
from humanoid_locomotion.core.robot import MAX_MODEL_BYTES, RobotSpec, load_robot
from humanoid_locomotion.robot_check.checks import Finding, check_robot, worth_training
from humanoid_locomotion.robot_check.drawing import LEGEND, Scene, picture
from humanoid_locomotion.robot_check.posture import Posture, opened
from humanoid_locomotion.robot_models.drafting.questions import TODO
from humanoid_locomotion.robot_models.mjcf_reader import check_file, mujoco_errors

# Begin of a robot.yaml that `robot import` wrote, and of the next lines, which list its guesses.
DRAFTED, NOTES = '# Drafted from ', '#   '
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 66rem; margin: 2rem auto; padding: 0 1rem;
       color: #222; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
td, th { padding: .25rem .6rem; border-bottom: 1px solid #ddd; text-align: left;
         vertical-align: top; }
.good { color: #1b7f4d; } .look, .guessed { color: #9a6700; }
.bad, .decide { color: #c0392b; font-weight: bold; } .note { color: #666; }
svg { max-width: 48%; height: auto; }
"""


@dataclass(frozen=True)
class Origin:
    """A value of a robot folder and where it comes from.

    Attributes:
        key: The key in ``robot.yaml``, or the quantity.
        value: The value as text.
        origin: ``read``, ``derived``, ``guessed``, or ``decide`` where a person must.
        note: Further words.
    """

    key: str
    value: str
    origin: str
    note: str = ''


@dataclass(frozen=True)
class RobotReport:
    """What is known of a robot folder.

    Attributes:
        name: The robot's name.
        findings: The measurements; empty for a draft that cannot be loaded.
        origins: The values.
        refusal: Why it cannot be loaded; empty if it can.
        drawing: The picture, as HTML.
    """

    name: str
    findings: List[Finding]
    origins: List[Origin]
    refusal: str
    drawing: str

    @property
    def is_worth_training(self) -> bool:
        """Whether it can be loaded, and no finding is bad."""
        return not self.refusal and worth_training(self.findings)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if self.refusal:
            return f'not ready: {self.refusal}'
        bad = [it.name for it in self.findings if it.verdict == 'bad']
        return ('training is worth starting' if not bad
                else f'training is not worth starting: {", ".join(bad)}')


def report(folder: Path) -> RobotReport:
    """Examine a robot folder, or a draft that a person has to complete.

    Raises:
        LocomotionError: Its files cannot be read at all.
    """
    data = read_yaml(folder / 'robot.yaml')
    guesses = list(_guesses(folder))
    decisions = [Origin(key, TODO, 'decide') for key in _undecided(data, '')]
    try:
        robot = load_robot(f'{folder}/')
    except LocomotionError as error:
        wrong = Origin(getattr(error, 'key', '') or 'robot.xml', '', 'decide', str(error))
        return RobotReport(str(data.get('name', folder.name)), [],
                           (decisions or [wrong]) + guesses, str(error),
                           picture(_draft(folder, data)))
    posture = _posture(robot)
    scene = Scene(posture.model, posture.data, robot.feet, robot.soles, _twins(robot))
    return RobotReport(robot.name, check_robot(robot), [*guesses, *_origins(robot, posture)], '',
                       picture(scene))


def _posture(robot: RobotSpec) -> Posture:
    backend = opened(robot)
    backend.close()
    return Posture(robot, backend)


def _guesses(folder: Path) -> Iterable[Origin]:
    """Yield the guesses that `robot import` listed in robot.yaml."""
    text = read_bytes(folder / 'robot.yaml', MAX_MODEL_BYTES).decode('utf-8', 'replace')
    lines = text.splitlines()[1:] if text.startswith(DRAFTED) else []
    for line in itertools.takewhile(lambda it: it.startswith(NOTES), lines):
        key, _, words = line[len(NOTES):].partition(': ')
        yield Origin(key, words, 'guessed')


def _undecided(data: Any, at: str) -> Iterable[str]:
    """Yield the keys whose value a person has to write."""
    items = data.items() if isinstance(data, Mapping) else (
        enumerate(data) if isinstance(data, list) else ())
    for key, value in items:
        label = value['name'] if isinstance(value, Mapping) and 'name' in value else key
        here = f'{at}.{label}'.lstrip('.')
        if value == TODO:
            yield here
        yield from _undecided(value, here)


def _draft(folder: Path, data: Mapping[str, Any]) -> Scene:
    """Return the scene of a draft, as far as its files are complete."""
    path = folder / str(data.get('mjcf', 'robot.xml'))
    with mujoco_errors(path):
        check_file(path)
        model = mujoco.MjModel.from_xml_path(str(path))
    state = mujoco.MjData(model)
    names = {model.joint(i).name: i for i in range(model.njnt)}
    for joint in _list(data, 'joints'):
        name, default = (str(joint.get('name')), joint.get('default')) if isinstance(
            joint, Mapping) else ('', None)
        if name in names and isinstance(default, float) and math.isfinite(default):
            state.qpos[model.jnt_qposadr[names[name]]] = default
    bodies = [model.body(i).name for i in range(model.nbody)]
    sites = [model.site(i).name for i in range(model.nsite)]
    return Scene(model, state, [it for it in _list(data, 'feet') if it in bodies],
                 [it for it in _list(data, 'soles') if it in sites], {})


def _list(data: Mapping[str, Any], key: str) -> List[Any]:
    value = data.get(key)
    return value if isinstance(value, list) else []


def _twins(robot: RobotSpec) -> Mapping[str, str]:
    try:
        source, _ = joint_mirror(robot.joint_names, robot)
    except LocomotionError:
        return {}
    return {name: robot.joint_names[i] for name, i in zip(robot.joint_names, source)}


def _origins(robot: RobotSpec, posture: Posture) -> Iterable[Origin]:
    yield Origin('base_link', robot.base_link, 'read')
    yield Origin('base_height', f'{robot.base_height:g} m', 'read')
    yield Origin('feet', ', '.join(robot.feet), 'read')
    yield Origin('soles', ', '.join(robot.soles), 'read')
    yield Origin('passive_joints', ', '.join(robot.passive_joints or ()) or 'none', 'read')
    yield Origin('mass', f'{robot.mass:.3g} kg', 'derived', 'sum of the inertials')
    yield Origin('leg length', f'{posture.leg_length:.3g} m', 'derived',
                 'from the highest leg joint to the sole, in the default pose')
    yield Origin('centre of mass', f'{posture.centre_of_mass[2]:.3g} m high', 'derived')
    yield Origin('trunk', robot.trunk, 'derived', 'carries the arms, and a payload')
    yield Origin('hands', ', '.join(robot.hands) or 'none', 'derived')
    twins = _twins(robot)
    for joint in robot.joints:
        yield Origin(
            joint.name, f'[{joint.lower:.3g}, {joint.upper:.3g}] rad, default '
            f'{joint.default + 0.0:.3g}; {joint.effort:.3g} Nm, {joint.velocity:.3g} rad/s; '
            f'armature {joint.armature:.3g}, kp {joint.kp:.3g}, kd {joint.kd:.3g}', 'read',
            f'twin {twins[joint.name]}' if joint.name in twins else 'no twin found')


def write_page(found: RobotReport, path: Path) -> None:
    """Write the page, one self-contained HTML file."""
    verdict = 'good' if found.is_worth_training else 'bad'
    parts = [
        f'<h1>{escape(found.name)}</h1>',
        f'<p class="{verdict}">{escape(found.verdict)}</p>',
        found.drawing, f'<p class="note">{LEGEND}</p>']
    if found.findings:
        parts += ['<h2>Measured</h2>', _table(
            ('quantity', 'measured', 'wanted', '', 'where to change it'),
            ((it.name, it.measured, it.wanted, it.verdict, it.advice) for it in found.findings),
            3)]
    parts += ['<h2>Read, derived, guessed</h2>', _table(
        ('key', 'value', 'origin', 'note'),
        ((it.key, it.value, it.origin, it.note) for it in found.origins), 2)]
    path.write_text(
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>'
        f'{escape(found.name)}</title><style>{STYLE}</style></head><body>\n'
        + '\n'.join(parts) + '\n</body></html>\n', encoding='utf-8')


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], coloured: int) -> str:
    """Return an HTML table; the word in the column ``coloured`` is the class of its row."""
    def cells(row: Sequence[str], tag: str) -> str:
        return ''.join(f'<{tag}>{escape(it)}</{tag}>' for it in row)
    return (f'<table><tr>{cells(head, "th")}</tr>' + ''.join(
        f'<tr class="{escape(row[coloured])}">{cells(row, "td")}</tr>\n' for row in rows)
        + '</table>')
