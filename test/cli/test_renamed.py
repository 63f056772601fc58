# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""Old names of commands run the new ones, after one line on standard error that says so."""

from __future__ import annotations

import json
import sys

import pytest

pytest.importorskip('typer')

import typer

from humanoid_locomotion.cli.main import app, main
from humanoid_locomotion.cli.renamed import RENAMED, current


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    """Give a function that runs a command line in an empty folder: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, 'argv', ['humanoid-locomotion', *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return call


@pytest.mark.parametrize('old', sorted(RENAMED))
def test_every_old_name_leads_to_a_command_and_is_not_one_itself(old):
    command = typer.main.get_command(app)
    assert old not in command.commands
    for word in RENAMED[old].split():
        command = command.commands[word]


@pytest.mark.parametrize('old', sorted(RENAMED))
def test_the_help_of_an_old_name_is_that_of_the_new_one(run, old):
    code, out, err = run(old, '--help')
    assert code == 0 and f'Usage: humanoid-locomotion {RENAMED[old]} ' in out
    assert err.count('\n') == 1
    assert err.startswith(f'hint: `{old}` is now `humanoid-locomotion {RENAMED[old]}`')


def test_the_output_of_an_old_name_is_that_of_the_new_one(run):
    old, new = run('robots', '--json'), run('robot', 'list', '--json')
    assert old[:2] == new[:2] and json.loads(old[1])
    assert new[2] == '' and old[2].startswith('hint: ')


def test_a_refusal_keeps_its_code_and_its_sentence(run):
    (code, out, err), (_, _, wanted) = run('check', 'nobody'), run('policy', 'check', 'nobody')
    assert (code, out) == (2, '')
    assert err.splitlines()[1:] == wanted.splitlines() != []


def test_a_group_of_commands_was_renamed_as_a_whole():
    words, hint = current(['benchmark', 'env', '--num-envs', '2'])
    assert words == ['dev', 'benchmark', 'env', '--num-envs', '2'] and '`benchmark`' in hint


@pytest.mark.parametrize('words', [
    [], ['train'], ['robot', 'list'], ['walk', '--policy', 'check'], ['--help'], ['robots=']])
def test_other_words_stay(words):
    assert current(words) == (words, '')
