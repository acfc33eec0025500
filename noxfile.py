"""Sessions for development; they use the environment nox runs in, as `make test` sets it up."""

import os
import re
import sys
from pathlib import Path

import nox

# The tools beside this Python, whether or not the environment was activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

nox.options.sessions = ["lint", "typecheck", "tests"]

_SOURCES = {"PYTHONPATH": os.pathsep.join(["server", "export"])}
"""This checkout's packages come before any that are installed."""


_PARALLEL = ["--numprocesses", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
"""Two files of tests at a time, in the order of `tests/conftest.py`: most tests wait for a server half of the time."""


_SERVER_TESTS = ["tests/unit", "tests/e2e"]
"""Tests that need no torch, which not every Python has."""


@nox.session(python=False)
def fix(session: nox.Session) -> None:
    """Format and mend what can be mended."""
    session.run("ruff", "check", "--fix")
    session.run("ruff", "format")


@nox.session(python=False)
def settings(session: nox.Session) -> None:
    """Write what is generated from settings and options: docs/settings.md, VS Code's manifest, Neovim's help."""
    session.run("python", "editors/write_settings.py")
    session.run("python", "editors/nvim/write_help.py")


@nox.session(python=False)
def lua(session: nox.Session) -> None:
    """Check the Neovim plug-in's Lua: its format by StyLua (needs npm), for mistakes by luacheck (needs lua-check)."""
    with session.chdir("editors/nvim"):
        session.run("npx", "--yes", "@johnnymorganz/stylua-bin@2.5.2", "--check", ".", external=True)
        session.run("luacheck", "--quiet", ".", external=True)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Check style, the privacy rules, what tests may do, and which layer imports which."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "tools/check_tests.py")
    session.run("lint-imports", "--no-cache", env=_SOURCES)


@nox.session(python=False)
def typecheck(session: nox.Session) -> None:
    """Check the types of the server, the exporter and the tests, strictly."""
    session.run("mypy", env=_SOURCES)


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """Run the tests, and measure which branches they take; arguments go to pytest, and then nothing is measured."""
    usual = [] if session.posargs else [*_PARALLEL, "--cov", "--cov-report=term:skip-covered"]
    session.run("python", "-m", "pytest", *usual, *session.posargs)


@nox.session(venv_backend="venv")
def release(session: nox.Session) -> None:
    """Build all that is published into dist/, twice; install it as users do, and use it. Arguments go to pytest.

    The model is made anew of its weights, by the installed `midfill pull`. Set MIDFILL_RELEASE_BUNDLE to a bundle's
    folder to save that time.
    """
    _install_group(session, "release", "--constraint", "editors/vscode/scripts/build-constraints.txt")
    again = Path(".nox") / "release-again"  # not in create_tmp: tests would have their folders in this checkout
    for folder in (Path("dist"), again):
        session.run("python", "tools/build_release.py", str(folder))
    dist = {"MIDFILL_DIST": "dist", "MIDFILL_DIST_AGAIN": str(again)}
    # By the development environment's Python, which has pytest; what is tested is installed elsewhere.
    session.run(sys.executable, "-m", "pytest", "tests/release", *session.posargs, env=dist, external=True)


@nox.session(venv_backend="venv")
def pythons(session: nox.Session) -> None:
    """Run the unit tests with each Python that is supported; `-- 3.10 3.14` chooses some, other arguments go to pytest.

    With the newest, the end-to-end tests run too, over the real bundle. A Python that cannot be had here is left out,
    with a line that says so; with fewer than two the session fails.
    """
    chosen, options = _split(session.posargs)
    found = _find_pythons(session)
    wanted = {version: path for version, path in found.items() if version in (chosen or found)}
    if len(found) < 2 or not wanted:
        session.error(f"Only these Pythons were found: {', '.join(found) or 'none'}. At least two are needed.")
    for version, path in wanted.items():
        python = _make_environment(
            session, path, f"python-{version}", "--editable", ".[eval,remote]", "--group", "test"
        )
        chosen_tests = options or (_SERVER_TESTS if version == max(wanted, key=_numbers) else _SERVER_TESTS[:1])
        session.run(str(python), "-m", "pytest", *chosen_tests, external=True)
    session.log(f"The tests passed with Python {', '.join(wanted)}.")


@nox.session(venv_backend="venv")
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest declared version of each dependency, on the lowest Python that can be had.

    These are the unit tests and, over the real bundle, the end-to-end tests. Arguments go to pytest instead.
    """
    version, path = next(iter(_find_pythons(session).items()))
    versions = Path(".nox") / "lowest.txt"
    compile_lowest = ["uv", "pip", "compile", "--quiet", "--resolution", "lowest-direct", "--python-version", version]
    session.run(*compile_lowest, "--no-header", "--no-annotate", "pyproject.toml", "--output-file", str(versions))
    session.log(f"Python {version} with:\n{versions.read_text(encoding='utf-8')}")
    installed = ["--constraint", str(versions), "--editable", ".[eval,remote]", "--group", "test"]
    python = _make_environment(session, path, f"python-{version}-lowest", *installed)
    session.run(str(python), "-m", "pytest", *(session.posargs or _SERVER_TESTS), external=True)


@nox.session(venv_backend="venv")
def docs(session: nox.Session) -> None:
    """Build the documentation into site/; a link that leads nowhere is an error."""
    _install_group(session, "docs")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session(venv_backend="venv")
def lock(session: nox.Session) -> None:
    """Write requirements.lock anew: all packages for development and benchmarks, with their newest versions and hashes.

    torch is left out: which of its builds is the right one depends on the machine.
    """
    _install_group(session, "pythons")
    without_torch = Path(session.create_tmp()) / "overrides.txt"
    without_torch.write_text("torch ; sys_platform == 'none'\n", encoding="utf-8")
    left_out = [f"--no-emit-package={name}" for name in ("torch", "networkx", "setuptools")]  # torch brings the others
    wanted = [
        "--universal",
        "--python-version",
        "3.10",
        "--extra",
        "tune",
        "--extra",
        "eval",
        "--extra",
        "remote",
        "--group",
        "dev",
    ]
    form = ["--generate-hashes", "--no-annotate", "--custom-compile-command", "nox -s lock"]
    session.run(
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--upgrade",
        "--overrides",
        str(without_torch),
        *wanted,
        *left_out,
        *form,
        "pyproject.toml",
        "--output-file",
        "requirements.lock",
    )


@nox.session(python=False)
def soak(session: nox.Session) -> None:
    """Type for half an hour: 2,000 requests to the real model, half of them cancelled, and nothing may grow.

    Then 2,000 more to a tiny one, while the index, the server and the client die at random, and nothing may be lost.
    """
    session.run("python", "-m", "pytest", "tests/e2e/soak.py", *session.posargs)


@nox.session(python=False)
def fuzz(session: nox.Session) -> None:
    """Send the server 20,000 mutated messages, 500 hostile bundles and GGUF files, and 300 hostile workspaces.

    Each find is printed with the command that repeats it. Arguments choose one of the three, its first seed and its
    count: `-- messages --first 1000 --count 100`.
    """
    paths = os.pathsep.join([_SOURCES["PYTHONPATH"], "tests"])
    session.run("python", "-m", "fuzz", *session.posargs, env={"PYTHONPATH": paths})


@nox.session(python=False)
def length(session: nox.Session) -> None:
    """Run those tests at full length that are short in the usual run, or left out of it; arguments go to pytest."""
    files = [str(path) for path in Path("tests").rglob("test_*.py") if "from lengths import" in path.read_text("utf-8")]
    session.run("python", "-m", "pytest", *(session.posargs or files), env={"MIDFILL_TESTS_AT_LENGTH": "1"})


@nox.session(python=False)
def emulated(session: nox.Session) -> None:
    """Run a model on emulated processors, which are installed first; `-- -m "not bundle"` runs only a tiny one."""
    folder = os.environ.get("MIDFILL_EMULATED", str(Path(".nox/emulated").resolve()))
    session.run("python", "tests/emulated/install.py", folder)
    options = ["--numprocesses", "2", *session.posargs]
    session.run("python", "-m", "pytest", "tests/emulated", *options, env={"MIDFILL_EMULATED": folder})


@nox.session(python=False)
def remote(session: nox.Session) -> None:
    """Ask real servers, which you have started with the weights of the default bundle (tests/remote/conftest.py)."""
    session.run("python", "-m", "pytest", "tests/remote", *session.posargs)


@nox.session(python=False)
def teams(session: nox.Session) -> None:
    """Run the commands of docs/teams.md: vLLM, Ray Serve, llama-server, Caddy. Arguments choose sections by words.

    `PATH` must have the programs; set MODEL and GGUF to a small model, and ENGINE to what the proxy is put before.
    """
    session.run("python", "-m", "teams.run", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session(python=False)
def large_workspace(session: nox.Session) -> None:
    """Index 10,000 files while somebody types: seconds, memory, and what a keystroke takes meanwhile and afterwards."""
    session.run("python", "-m", "pytest", "tests/e2e/large_workspace.py", *session.posargs)


@nox.session(python=False)
def vscode(session: nox.Session) -> None:
    """Test the VS Code extension in the real editor, which is installed first; arguments go to pytest."""
    with session.chdir("editors/vscode"):
        for command in (["ci"], ["run", "check"], ["test"]):
            session.run("npm", *command, external=True)
    session.run(
        "python",
        "-m",
        "pytest",
        "tests/editors/vscode_in_browser.py",
        "tests/editors/vscode_next_edit.py",
        *session.posargs,
    )


@nox.session(python=False)
def vscode_delay(session: nox.Session) -> None:
    """Measure what VS Code takes from a key to ghost text, apart from the server."""
    session.run("python", "-m", "editors.vscode_delay", env={"PYTHONPATH": "tests"})


@nox.session(python=False)
def editors_delay(session: nox.Session) -> None:
    """Measure what Neovim and Emacs take from a key to ghost text, apart from the server."""
    session.run("python", "-m", "editors.terminal_delay", env={**_install_editors(session), "PYTHONPATH": "tests"})


@nox.session(python=False)
def editors(session: nox.Session) -> None:
    """Run the tests in real Neovims, Emacsen and Helix, which are installed into .nox/editors first.

    `-- newest` runs the newest of each. Other arguments go to pytest.
    """
    only = ["newest"] if "newest" in session.posargs else []
    environment = _install_editors(session, *only)
    chosen = [argument for argument in session.posargs if argument != "newest"]
    chosen += ["-knot neovim-0.10 and not neovim-0.11 and not emacs-28"] if only else []
    if all(argument.startswith("-") for argument in chosen):
        chosen += [
            f"tests/editors/test_{name}.py"
            for name in (
                "ghost_text",
                "neovim",
                "neovim_install",
                "neovim_keys",
                "neovim_next_edit",
                "neovim_predictions",
                "neovim_program",
                "emacs",
                "emacs_next_edit",
                "helix",
                "llama_vim",
            )
        ]
    session.run("python", "-m", "pytest", "--numprocesses", "2", "--dist", "loadgroup", *chosen, env=environment)


def _install_group(session: nox.Session, group: str, *options: str) -> None:
    """Install a dependency group of pyproject.toml into the session's own environment."""
    project = nox.project.load_toml("pyproject.toml")
    session.install(*nox.project.dependency_groups(project, group), *options)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the arguments that are versions of Python, and the others."""
    versions = [argument for argument in arguments if re.fullmatch(r"3\.\d+", argument)]
    return versions, [argument for argument in arguments if argument not in versions]


def _find_pythons(session: nox.Session) -> dict[str, str]:
    """Return the Pythons that can be had, by version, the lowest first; each that is missing has its line of output."""
    _install_group(session, "pythons")
    output = session.run(sys.executable, "tools/find_pythons.py", ".nox/pythons-found", silent=True, external=True)
    lines = [line.split(" ", 1) for line in str(output).splitlines()]
    for line in lines:
        session.log(" ".join(line))
    return {version: path for version, path in lines if re.fullmatch(r"3\.\d+", version)}


def _make_environment(session: nox.Session, python: str, name: str, *packages: str) -> Path:
    """Make an environment for a Python, install packages into it, and return its program."""
    folder = Path(".nox") / name
    session.run("uv", "venv", "--quiet", "--clear", "--python", python, str(folder))
    session.run("uv", "pip", "install", "--quiet", "--python", str(folder), *packages)
    return folder.resolve() / "bin" / "python"


def _install_editors(session: nox.Session, *only: str) -> dict[str, str]:
    """Install the editors that run in a terminal; return what tells the tests where they are."""
    folder = os.environ.get("MIDFILL_EDITORS", str(Path(".nox/editors").resolve()))
    session.run("python", "tests/editors/install.py", folder, *only)
    return {"MIDFILL_EDITORS": folder}
