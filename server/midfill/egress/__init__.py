"""Proof that nothing leaves this machine: ``midfill doctor --egress`` runs a session and lists what it tries.

* ``attempts`` says what a system call tries to reach.
* ``permitted`` says what may be reached: the servers that the settings name, and without them nothing.
* ``seccomp`` is the filter by which the kernel reports such calls, and ``watch`` receives and refuses them.
* ``environment`` is without the variables that make libraries keep quiet.
* ``session`` drives a server through a suggestion, an action and the index.

Python's audit hooks would not do: onnxruntime is native code. A trace needs no further program and no rights: since
5.5, Linux reports the calls of a process and all of its children to whoever started it (seccomp user notification).
"""
