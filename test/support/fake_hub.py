# Copyright 2026 humanoid_locomotion maintainers
# SPDX-License-Identifier: Apache-2.0
"""A hub in a folder, with the functions of ``huggingface_hub`` that the package calls."""

from __future__ import annotations

import fnmatch
import hashlib
from pathlib import Path
import shutil
from types import SimpleNamespace

IN_LFS = ('.onnx', '.npz', '.pt', '.png')


class FakeHub:
    """Stands in for the module ``huggingface_hub``.

    Args:
        root: Holds a folder for each commit, ``OWNER/NAME/COMMIT``; the newest is the last one.

    Attributes:
        made: Arguments of each call of ``create_repo``.
    """

    def __init__(self, root: Path):
        self.root, self.made = root, []

    def HfApi(self) -> FakeHub:
        return self

    def create_repo(self, repo_id, private, exist_ok):
        self.made.append((repo_id, private, exist_ok))
        (self.root / repo_id).mkdir(parents=True, exist_ok=True)

    def upload_folder(self, repo_id, folder_path, allow_patterns, delete_patterns, commit_message):
        assert commit_message and delete_patterns == allow_patterns
        commit = f'{len(self.commits(repo_id)):040d}'
        (self.root / repo_id / commit).mkdir()
        for path in Path(folder_path).iterdir():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copy(path, self.root / repo_id / commit)
        return SimpleNamespace(oid=commit)

    def commits(self, repo_id) -> list[Path]:
        return sorted((self.root / repo_id).iterdir())

    def repo_info(self, repo_id, revision, files_metadata, timeout):
        assert files_metadata and timeout > 0.0
        commit = self.commits(repo_id)[-1] if revision is None else self.root / repo_id / revision
        return SimpleNamespace(sha=commit.name, siblings=[
            self.entry(path) for path in sorted(commit.iterdir())])

    def entry(self, path: Path) -> SimpleNamespace:
        data = path.read_bytes()
        lfs = SimpleNamespace(sha256=hashlib.sha256(data).hexdigest())
        return SimpleNamespace(
            rfilename=path.name, size=len(data), lfs=lfs if path.suffix in IN_LFS else None,
            blob_id=hashlib.sha1(b'blob %d\0' % len(data) + data).hexdigest())

    def snapshot_download(self, repo_id, revision, allow_patterns):
        return str(self.root / repo_id / revision)
