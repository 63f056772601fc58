# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Plan of the fuzz: every option in turn, each time with another unusual value.

Commands and options are read from the command line interface itself, so that new options are
tested without a change here.
"""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import shlex
import shutil
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from humanoid_locomotion.reliability.command_line_fuzz import stock, values

PARTNERS = 0.5  # share of the tries with a second option, half of which also have an unusual value
STREAMS = 0.05  # share of the tries with a broken standard stream
# A valid command line for each command; {stock} is the folder filled by the module stock.
GOOD = {
    'policy import-onnx': '{stock}/files/theirs.onnx --robot humanoid --output mine',
    'dev benchmark env': '--backend fake --device cpu --num-envs 2',
    'dev benchmark latency': '--alone --device cpu',
    'dev benchmark physics': '--backend mujoco --device cpu --num-envs 2',
    'dev benchmark train': '--backend fake --device cpu --num-envs 2',
    'dev benchmark wire': '--policy unitree_g1 --seconds 1',
    'policy check': '{stock}/policy',
    'dev check-isaacgym': '--num-envs 2 --iterations 1 --device cpu',
    'policy compare': '{stock}/policy {stock}/files/scorecard.json',
    'policy envelope': '{stock}/policy',
    'evaluate': '{stock}/policy --quick --output measured',
    'policy export': '{stock}/run --output mine',
    'policy fetch': 'somebody/mine --output mine',
    'policy push': '{stock}/policy somebody/mine',
    'dev faults': '--only policy --folders 10',
    'robot import': '{stock}/files/robot.xml --name mine --output mine',
    'dev interface': 'page.md',
    'navigate': 'kitchen --output walk',
    'dev replay': '{stock}/files/recording.mcap',
    'robot check': '{stock}/robot --output page.html',
    'robot list': '',
    'robot self-test': '--interface lo --domain 99 --hanging',
    'policy rebuild': 'policy',
    'policy sign': 'policy',
    'dev soak': 'walk --minutes 0.1',
    'teleop': '',
    'train': ' '.join(['--backend fake --device cpu --output run',
                       *map(shlex.quote, stock.TINY)]),
    'policy retune': '{stock}/policy --output mine --gait-period 0.9',
    'walk': '--seconds-scale 0.1 --output walk',
    'robot write-urdf': '{stock}/robot --output mine.urdf'}
# Valid values of options that are not in the lines above.
USUAL = {
    '--config': '{stock}/files/training.yaml', '--fill': '{stock}/files/fill.yaml',
    '--dt': '0.005', '--iterations': '1', '--model': '{stock}/files/robot.xml', '--output': 'new',
    '--init': '{stock}/run', '--wandb': 'mine', '--policy': '{stock}/policy',
    '--resume': '{stock}/run', '--robot': '{stock}/robot',
    '--rooms': '{stock}/files/rooms.yaml', '--engine': 'onnxruntime', '--device': 'cpu',
    '--backend': 'mujoco', '--seed': '3', '--num-envs': '2', '--terrain': 'rough',
    '--viewer': 'none', '--set': 'ppo.gamma=0.9', '--push': '0.3', '--max-minutes': '0.1',
    '--sweep': '{stock}/files/sweep.yaml',
    '--seconds-scale': '0.1', '--hand-payload': '1', '--minutes': '0.1', '--pose': 'knee=0.5',
    '--armature': 'knee=0.02', '--kp': 'knee=40', '--feet': 'left_foot,right_foot',
    '--lock': 'knee=0.5', '--drop': 'head',
    '--gait-period': '0.8', '--only': 'loop', '--name': 'mine'}
# Commands whose GOOD line takes only seconds.
SOON = ('policy check', 'policy compare', 'policy envelope', 'robot import', 'dev replay',
        'robot check', 'robot list', 'policy retune', 'robot write-urdf', 'dev soak --help',
        'dev benchmark', 'train --nope', 'policy check nobody')
STREAM_KINDS = {
    'standard output full': '>/dev/full', 'standard output closed': '>&-',
    'standard error closed': '2>&-', 'standard input closed': '<&-',
    'standard error full': '2>/dev/full', 'both closed': '>&- 2>&-',
    'nobody reads standard output': '| true'}
PREFIXES = {'--set': b'ppo.gamma=', '--pose': b'knee=', '--armature': b'knee=',
            '--kp': b'knee='}


class Planned(NamedTuple):
    """A planned try; its value is made in the folder of the try.

    Attributes:
        number: Seed of random choices.
        command: The words of the command.
        option: The option or argument with an unusual value; ``streams`` for none.
        kind: Kind of the value, see :data:`values.KINDS`, or of :data:`STREAM_KINDS`.
    """

    number: int
    command: str
    option: str
    kind: str


@dataclass(frozen=True)
class Try:
    """One command line to run.

    Attributes:
        planned: The planned try.
        words: The command line, without the program.
        streams: Shell redirections; empty for none.
    """

    planned: Planned
    words: Tuple[bytes, ...]
    streams: str = ''


def options() -> Dict[str, List[Any]]:
    """Return the parameters of every command, as typer describes them, by the command's words."""
    import typer

    from humanoid_locomotion.cli.main import app

    def walk(group: Any, name: str) -> Iterator[Tuple[str, List[Any]]]:
        if not hasattr(group, 'commands'):
            yield name, [it for it in group.params if it.name != 'help']
            return
        for word, command in group.commands.items():
            yield from walk(command, f'{name} {word}'.strip())

    return dict(walk(typer.main.get_command(app), ''))


class _Line:
    """A command line split into parts, so that one part can be replaced."""

    def __init__(self, parameters: Sequence[Any], words: Sequence[str]):
        self._parameters = parameters
        self.arguments: List[bytes] = []
        self.given: List[Tuple[str, List[bytes]]] = []
        waiting = list(words)
        while waiting:
            word = waiting.pop(0)
            option = next((it for it in parameters if word in it.opts and word[0] == '-'), None)
            if option is None:
                self.arguments.append(word.encode())
                continue
            count = 0 if option.is_flag else option.nargs
            self.given.append((word, [waiting.pop(0).encode() for _ in range(count)]))

    def usual(self, parameter: Any) -> str:
        """Return the value that a parameter has in the line; empty if it has none."""
        if parameter.param_type_name == 'argument':
            places = [it for it in self._parameters if it.param_type_name == 'argument']
            found = self.arguments[places.index(parameter):][:1]
        else:
            found = [word for name, words in self.given if name in parameter.opts
                     for word in words]
        return os.fsdecode(found[0]) if found else ''

    def put(self, parameter: Any, value: bytes, random: np.random.Generator) -> None:
        """Set the value of a parameter; replace its other value if it takes only one."""
        if parameter.param_type_name == 'argument':
            places = [it for it in self._parameters if it.param_type_name == 'argument']
            i = places.index(parameter)
            self.arguments[i:i + 1] = [value]
            return
        name = parameter.opts[0]
        if parameter.is_flag:  # takes no value: pass an extra one, or the flag alone
            name = random.choice([*parameter.opts, *parameter.secondary_opts])
            self.given.append((str(name), [value] if random.random() < 0.5 else []))
            return
        if name in PREFIXES and random.random() < 0.6:
            value = PREFIXES[name] + value
        numbers = [b'0.5'] * parameter.nargs
        numbers[int(random.integers(parameter.nargs))] = value
        if not parameter.multiple:
            self.given = [it for it in self.given if it[0] not in parameter.opts]
        self.given.append((name, numbers))

    def words(self) -> List[bytes]:
        """Return the words; values that look like options are joined to their option."""
        words = []
        for name, numbers in self.given:
            words += [name.encode(), *numbers]
        if any(argument[:1] == b'-' for argument in self.arguments):
            words.append(b'--')
        return [*self.arguments, *words] if words[-1:] != [b'--'] else words + self.arguments


def plan(count: int, seed: int = 0) -> List[Planned]:
    """Return the planned tries.

    Parameters are tried in turn; each has its own random order of kinds.
    """
    random = np.random.default_rng(seed)
    known = options()
    places = [(command, parameter.opts[0]) for command, parameters in known.items()
              for parameter in parameters]
    kinds = {place: list(random.permutation(values.KINDS)) for place in places}
    streams = round(STREAMS * count)
    tries: List[Planned] = []
    for i in range(streams):
        kind = list(STREAM_KINDS)[i % len(STREAM_KINDS)]
        command = SOON[i // len(STREAM_KINDS) % len(SOON)]
        tries.append(Planned(len(tries), command, 'streams', kind))
    while len(tries) < count:
        for i in random.permutation(len(places))[:count - len(tries)]:
            place = places[i]
            kind = str(kinds[place].pop())
            kinds[place].insert(0, kind)
            tries.append(Planned(len(tries), place[0], place[1], kind))
    return tries


def prepare(planned: Planned, folder: Path, stock: Path, seed: int) -> Try:
    """Make the files of a try in its folder, and return the try.

    Args:
        planned: The planned try.
        folder: The folder of the try.
        stock: Folder of valid files, see :mod:`.stock`.
        seed: Random seed of the fuzz.
    """
    number, command, name, kind = planned
    random = np.random.default_rng([seed, number])
    shutil.copyfile(stock / 'files' / 'page.md', folder / 'page.md')
    if name == 'streams':
        good = GOOD.get(command, '').format(stock=stock)
        return Try(planned, tuple(map(os.fsencode, shlex.split(f'{command} {good}'))),
                   STREAM_KINDS[kind])
    parameters = options()[command]
    good = GOOD.get(command, '')
    if command in ('policy rebuild', 'policy sign'):  # they write into the folder itself
        shutil.copytree(stock / 'policy', folder / 'policy')
    line = _Line(parameters, shlex.split(good.format(stock=stock)))
    chosen = next(it for it in parameters if it.opts[0] == name)
    other = parameters[random.integers(len(parameters))]
    if other is not chosen and random.random() < PARTNERS:
        usual = USUAL.get(other.opts[0], '').format(stock=stock)
        if random.random() < 0.5 or not usual:
            usual = os.fsdecode(_odd(str(random.choice(values.KINDS)), 'other',
                                     folder, stock, usual, random))
        line.put(other, os.fsencode(usual), random)
    usual = line.usual(chosen) or USUAL.get(name, '').format(stock=stock)
    line.put(chosen, _odd(kind, 'odd', folder, stock, usual, random), random)
    return Try(planned, (*map(str.encode, command.split()), *line.words()))


def _odd(kind: str, inside: str, folder: Path, stock: Path, usual: str,
         random: np.random.Generator) -> bytes:
    """Make a value; the file or folder that it names is in its own folder."""
    (folder / inside).mkdir(exist_ok=True)
    value = values.make(kind, folder / inside, stock, usual, random)
    is_path = kind not in values.NUMBERS and kind not in values.NAMES
    is_path = is_path and kind not in values.DEVICES
    return os.fsencode(inside) + b'/' + value if is_path else value
