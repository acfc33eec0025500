"""``midfill eval``: how often suggestions and actions are correct, measured through the pipeline that the server runs.

:mod:`~midfill.evals.suites` lists the suites. Each suite makes its tasks, runs them, and returns a report with a
``to_text`` and a ``to_json``.

* Gaps: ``humaneval`` and ``languages`` cut text out of a file. ``runner`` asks for each gap once and compares.
* ``repo`` asks for the same gaps with the package indexed and without; ``repo_tasks`` finds the gaps.
* ``replay`` types files character by character and counts what is shown; ``typed_scenes`` are the files.
* ``actions`` runs code actions on HumanEval's functions; ``action_tasks`` judges the edits, ``in_repo_actions``
  writes functions that use other files.
* ``needle`` measures how far back the model looks.
* ``multipl_e`` and ``mt_bench`` are published benchmarks, run with the bare model.

Code that a model wrote runs in :mod:`midfill.running` (Python) or through ``tool_chains`` (other
languages). ``sources`` finds real source files on this machine.
"""
