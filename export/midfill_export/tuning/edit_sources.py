"""The changes that a model learns next edits from: a repository's own commits, or consecutive releases of projects.

What the evaluation measures on is never trained on. In a folder of releases, whole projects are kept apart, by their
names (:mod:`midfill.evals.edits.kept_apart`); in one repository, whole files, by their paths.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path

from midfill.common.errors import UsageError
from midfill.evals.edits import git_history, standard_set
from midfill.evals.edits.hunks import FileChange
from midfill.evals.edits.kept_apart import is_kept_apart
from midfill.evals.edits.releases import changes_between
from midfill.evals.edits.tasks import EditTask, TaskSet, cut
from midfill.privacy.ignore_rules import IgnoreRules
from midfill.settings.sources import SettingsSources
from midfill_export.tuning.release_licence import is_permissive

MIN_HUNKS = 20
"""Minimum number of hunks to train on."""
_RELEASE = re.compile(r"(?P<project>.+?)-v?(?P<version>\d[^-]*).*?(?:\.whl|\.zip|\.tar\.gz|\.tgz)")
_KEPT = 32
"""A file of a repository is held out if the first byte of the SHA-256 of its path is less than this: one in eight."""


@dataclass(frozen=True)
class EditCorpus:
    """Hunks and quiet windows to train on, and others that are held out for the score."""

    training: TaskSet
    held_out: TaskSet

    @property
    def fingerprint(self) -> str:
        """Hash of all tasks."""
        digest = hashlib.sha256()
        for tasks in (self.training, self.held_out):
            for task in (*tasks.hunks, *tasks.quiet):
                for part in (task.name, task.text, repr(task.remaining)):
                    digest.update(hashlib.sha256(part.encode("utf-8", "surrogatepass")).digest())
        return digest.hexdigest()

    def __str__(self) -> str:
        training, held_out = self.training, self.held_out
        return (
            f"{len(training.hunks)} hunks and {len(training.quiet)} quiet windows; "
            f"{len(held_out.hunks)} and {len(held_out.quiet)} others held out"
        )


def read_edits(folder: Path) -> EditCorpus:
    """Read the changes of a git repository, or of the releases in a folder.

    Raises:
        UsageError: there are no changes, too few, or only those of projects that are kept apart.
        EvalError: the repository or a release cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder: name a git repository, or a folder of releases.")
    if (folder / ".git").exists():
        tasks, is_held_out = cut(_commits(folder)), _is_file_held_out
    else:
        tasks, is_held_out = cut(_releases(folder)), _is_project_held_out
    corpus = EditCorpus(_chosen(tasks, lambda task: not is_held_out(task)), _chosen(tasks, is_held_out))
    if len(corpus.training.hunks) < MIN_HUNKS or not corpus.training.quiet or not corpus.held_out.hunks:
        raise UsageError(
            f"{folder} has too few small changes ({corpus}): {MIN_HUNKS} hunks to train on and some held out are "
            "needed. Name a longer history, or more releases."
        )
    return corpus


def _chosen(tasks: TaskSet, is_chosen: Callable[[EditTask], bool]) -> TaskSet:
    return TaskSet(tuple(filter(is_chosen, tasks.hunks)), tuple(filter(is_chosen, tasks.quiet)))


def _is_file_held_out(task: EditTask) -> bool:
    return hashlib.sha256(task.path.encode("utf-8", "surrogatepass")).digest()[0] < _KEPT


def _is_project_held_out(task: EditTask) -> bool:
    return is_kept_apart(task.project)


def _commits(repository: Path) -> Iterator[FileChange]:
    """Yield the changes of a repository's commits, in files that the settings do not exclude either."""
    if repository.resolve().name in {project.name for project in standard_set.projects()}:
        raise UsageError(f"{repository} is a project that `midfill eval edits` measures on: train on another one.")
    settings, _ = SettingsSources([repository]).reload()  # what it is trained on comes out of the bundle again
    rules = IgnoreRules([repository], settings.exclude)
    yield from (change for change in git_history.changes_in(repository) if rules.allows(repository / change.path))


def _releases(folder: Path) -> Iterator[FileChange]:
    """Yield the changes between consecutive releases of each project, if their licences are permissive."""
    found = filter(None, (_RELEASE.fullmatch(file.name) for file in folder.iterdir()))
    named = sorted((_project(name["project"]), _order(name["version"]), name["version"], name[0]) for name in found)
    may_be_read = lru_cache(2)(is_permissive)  # a release is asked about as the newer one, then as the older
    for project, releases in groupby(named, key=lambda release: release[0]):
        for (*_, older), (_, _, version, newer) in pairwise(releases):
            if may_be_read(folder / older) and may_be_read(folder / newer):
                yield from changes_between(project, version, folder / older, folder / newer)


def _project(name: str) -> str:
    """Return a project's name in the form that is the same in all its releases."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))
