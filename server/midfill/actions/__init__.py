"""What the model can be asked to do with code, besides completing it: one file for each action, and a table of all."""

from midfill.actions.action import Action, ActionTask
from midfill.actions.all_actions import ACTIONS
from midfill.actions.findings import Finding
from midfill.actions.perform import Perform, perform
from midfill.actions.reasons import ActionReason
from midfill.actions.result import ActionResult

__all__ = ["ACTIONS", "Action", "ActionReason", "ActionResult", "ActionTask", "Finding", "Perform", "perform"]
