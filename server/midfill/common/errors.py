"""What can go wrong, as one tree; every message is one line that says what to do.

::

    MidfillError
    ├── UsageError            the command line or a setting is wrong (exit code 2)
    ├── BundleError           the model bundle cannot be used
    │   ├── BundleNotFound        there is none where one was looked for
    │   ├── BundleDamaged         a file is missing, truncated or altered
    │   ├── BundleTooNew          written by a newer Midfill
    │   ├── BundleForeign         not a Midfill bundle, or made for another kind of processor
    │   └── LicenceRefused        its licence does not allow what it is wanted for, or was not accepted
    ├── ModelError            onnxruntime refused to load or run the model
    ├── EvalError             an evaluation suite cannot be built or run
    ├── BenchError            a process to be measured does not start, or ends early
    ├── ServerEnded           the process of a language server, seen from its client, ended early
    ├── HarnessError          something that a script expects of the server is not so
    └── ExportError           weights could not be fetched or converted (midfill_export)
        └── SourceError           the weights are not what they should be, or cannot be had
"""

from __future__ import annotations


class MidfillError(Exception):
    """Base of every error a user may see; ``str(error)`` is the whole message, in one line."""

    exit_code = 1


class UsageError(MidfillError):
    """The command line or a setting is wrong."""

    exit_code = 2


class BundleError(MidfillError):
    """The model bundle cannot be used."""


class BundleNotFound(BundleError):
    """There is no bundle where one was looked for."""


class BundleDamaged(BundleError):
    """A file of the bundle is missing, truncated or altered."""


class BundleTooNew(BundleError):
    """The bundle was written by a newer Midfill."""


class BundleForeign(BundleError):
    """The folder is no Midfill bundle, or is made for another kind of processor."""


class LicenceRefused(BundleError):
    """A model's licence does not allow what it is wanted for, or was not accepted."""


class ModelError(MidfillError):
    """The model cannot be loaded or run by onnxruntime."""


class EvalError(MidfillError):
    """An evaluation suite cannot be built or run."""


class BenchError(MidfillError):
    """A process to be measured does not start, or ends early."""


class ServerEnded(MidfillError):
    """The process of a language server, seen from its client, ended early."""


class HarnessError(MidfillError):
    """Something that a script expects of the server is not so."""


class ExportError(MidfillError):
    """Weights could not be converted."""


class SourceError(ExportError):
    """Weights are not what they should be, or cannot be had."""
