"""The command line of Midfill.

``main`` parses the command line (``parser``, with ``user_commands``, ``model_commands`` and ``measuring_commands``) and
calls the command. A command with more than a few lines has its own module: ``complete``, ``do``, ``doctor``, ``bench``,
``eval``, ``harness``. The commands ``pull``, ``export`` and ``tune`` are in ``midfill_export.cli``.
"""
