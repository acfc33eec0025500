"""``midfill harness``: runs scripts of editor steps and expected suggestions against the real server, as in a CI.

* ``script`` reads a script, a list of steps in YAML or JSON.
* ``run`` runs the steps and checks what they expect.
* ``editor`` does the steps: an editor without a screen, whose documents are in ``open_document``.
* ``server_session`` starts the server and talks to it.
"""
