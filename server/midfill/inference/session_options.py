"""The options of a model's session in onnxruntime that do not depend on the model."""

from __future__ import annotations

import onnxruntime as ort
import psutil

SILENT = 4
"""The log severity of onnxruntime at which it reports fatal errors only."""

_SPIN_MICROSECONDS = "50"
"""Time for which a thread waits in a loop before it sleeps. onnxruntime's default, tens of milliseconds, makes nothing
faster. It takes time from other programs, and from threads that have work. Older versions ignore the option."""


def session_options(threads: int) -> ort.SessionOptions:
    """Return options for a session that runs on ``threads`` threads of the CPU."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = SILENT
    # The arena would keep the activations of the largest prompt for ever. With the 0.5B model that is 50 MB of
    # 650 MB, and it makes nothing faster (measured).
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Between two operators, threads wait in a loop: to wake them takes longer. They must not go on after a run.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0" if on_battery() else "1")
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_MICROSECONDS)
    return options


def on_battery() -> bool:
    """Return whether this machine runs on its battery; False if the system does not say."""
    try:
        battery = psutil.sensors_battery()
    except Exception:  # psutil has no such function on some systems, and stumbles over unusual batteries
        return False
    return battery is not None and battery.power_plugged is False
