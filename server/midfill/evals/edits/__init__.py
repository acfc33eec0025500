"""The suite ``edits``: the next edit of real changes, and silence where nothing changes next.

* ``sources`` reads files in two versions: from ``git_history``, from two releases (``releases``), or from the
  ``standard_set``, whose projects are never trained on (``kept_apart``).
* ``hunks`` tells what differs between two versions; ``tasks`` cuts tasks from that.
* ``asking`` runs the tasks by the same predictor as the server; ``report`` counts.
"""
