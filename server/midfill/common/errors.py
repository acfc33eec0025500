"""All errors that a user may see. Every message is one line that says what is wrong and what to do.

::

    MidfillError
    ├── UsageError            the command line or a setting is wrong (exit code 2)
    ├── BundleError           the model bundle cannot be used
    │   ├── BundleNotFound        there is no bundle at the expected place
    │   ├── BundleDamaged         a file of the bundle is missing, truncated or altered
    │   ├── BundleTooNew          the bundle was written by a newer Midfill
    │   ├── BundleForeign         not a Midfill bundle, or made for another kind of processor
    │   ├── BundleWithoutWeights  the bundle has only what is needed to use a server's model
    │   └── LicenceRefused        the model's licence does not allow this use, or was not accepted
    ├── ModelError            onnxruntime cannot load or run the model
    │   ├── ModelTooLarge         the model needs more memory than it may take, or than is free
    │   ├── ModelLost             the model that was loaded cannot be used any more: load it again
    │   │   ├── ModelChanged          another program has changed the model's weights since they were loaded
    │   │   └── EngineUnavailable     the engine process that servers share cannot be used
    │   └── RemoteUnavailable     the server that the setting 'engine' names cannot be used
    ├── PolicyRefused         the administrators' policy forbids it, or cannot be used
    ├── EvalError             an evaluation suite cannot be built or run
    ├── BenchError            a process to be measured does not start, or ends early
    ├── ServerEnded           the language server's process ended early; raised in its client
    ├── HarnessError          the server does not do what a script expects
    ├── EgressUnwatched       the machine does not let Midfill watch connections
    ├── RecordError           a recorded session cannot be read or replayed
    └── ExportError           weights cannot be fetched or converted (midfill_export)
        └── SourceError           the weights are not the expected ones, or cannot be fetched
"""

from __future__ import annotations


class MidfillError(Exception):
    """Base of every error that a user may see; ``str(error)`` is the whole message, in one line."""

    exit_code = 1


class UsageError(MidfillError):
    """The command line or a setting is wrong."""

    exit_code = 2


class BundleError(MidfillError):
    """The model bundle cannot be used."""


class BundleNotFound(BundleError):
    """There is no bundle at the expected place."""


class BundleDamaged(BundleError):
    """A file of the bundle is missing, truncated or altered."""


class BundleTooNew(BundleError):
    """The bundle was written by a newer Midfill."""


class BundleForeign(BundleError):
    """The folder is not a Midfill bundle, or the bundle is made for another kind of processor."""


class BundleWithoutWeights(BundleError):
    """The bundle has a tokenizer and a prompt format, for a server's model, and no weights."""


class LicenceRefused(BundleError):
    """The model's licence does not allow this use, or was not accepted."""


class ModelError(MidfillError):
    """Onnxruntime cannot load or run the model."""


class ModelTooLarge(ModelError):
    """The model needs more memory than it may take, or than is free."""


class ModelLost(ModelError):
    """The model that was loaded cannot be used any more, and has to be loaded again."""


class ModelChanged(ModelLost):
    """Another program has changed the model's weights since they were loaded."""


class EngineUnavailable(ModelLost):
    """The engine process that servers share cannot be started or reached."""

    def __init__(self, why: str) -> None:
        super().__init__(f"The engine process that servers share cannot be used: {why}.")
        self.why = why


class RemoteUnavailable(ModelError):
    """The server that a setting names cannot be used, now or at all."""

    def __init__(self, server: str, why: str, *, is_slow: bool = False) -> None:
        """Say ``why`` in a clause; ``is_slow`` if the server may only need more time."""
        super().__init__(f"The server {server} cannot be used: {why}{'' if why.endswith('?') else '.'}")
        self.server = server
        self.why = why
        self.is_slow = is_slow


class PolicyRefused(MidfillError):
    """The policy of this computer's administrators forbids it, or cannot be used, and then it allows nothing."""


class EvalError(MidfillError):
    """An evaluation suite cannot be built or run."""


class BenchError(MidfillError):
    """A process to be measured does not start, or ends early."""


class ServerEnded(MidfillError):
    """The language server's process ended early; raised in its client."""


class HarnessError(MidfillError):
    """The server does not do what a script expects."""


class EgressUnwatched(MidfillError):
    """The machine does not let Midfill watch connections."""


class RecordError(MidfillError):
    """A recorded session cannot be read or replayed."""


class ExportError(MidfillError):
    """Weights cannot be fetched or converted."""


class SourceError(ExportError):
    """The weights are not the expected ones, or cannot be fetched."""
