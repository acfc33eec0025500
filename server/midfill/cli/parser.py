"""The command line's parser. The commands are in groups, by who needs them."""

from __future__ import annotations

import argparse
from typing import NoReturn

from midfill import __version__
from midfill.cli import measuring_commands, model_commands, user_commands
from midfill.cli.options import add_debug
from midfill.common.errors import UsageError

_GROUPS = (
    ("Commands for everyone", user_commands.add),
    ("Commands for making models", model_commands.add),
    ("Commands for measuring and testing", measuring_commands.add),
)
_ABOUT = "Midfill completes code on your own machine. Your code does not leave it."
_MORE = "`midfill COMMAND --help` explains one command."


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line, as all of Midfill does."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`.")


def make_parser() -> argparse.ArgumentParser:
    """Return a parser whose result has the name of the ``command``, and the command's arguments.

    Parsing raises UsageError for a wrong command line.
    """
    parser = _Parser(
        prog="midfill",
        usage="midfill [--debug] COMMAND ...",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_debug(parser, default=False)
    parser.add_argument("--version", action="version", version=f"midfill {__version__}", help="show the version")
    # argparse cannot group commands, so it lists none: the description does.
    commands = parser.add_subparsers(
        metavar="COMMAND", dest="command", required=True, prog="midfill", help=argparse.SUPPRESS
    )
    listed = [_ABOUT]

    def add_command(name: str, summary: str, example: str) -> argparse.ArgumentParser:
        listed.append(f"  {name:<10}{summary}")
        command = commands.add_parser(
            name,
            description=summary,
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        add_debug(command, default=argparse.SUPPRESS)  # any other default would undo a --debug before the command
        return command

    for title, add in _GROUPS:
        listed += ["", f"{title}:"]
        add(add_command)
    parser.description = "\n".join([*listed, "", _MORE])
    return parser
