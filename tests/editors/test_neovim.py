"""The Neovim plug-in's commands, health check, help, and manners beside other plug-ins."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar

import pytest

from editors.conftest import Start
from editors.editors import ROOT, Editor, Neovim
from editors.install import RELEASES

VERSIONS = [name for name in RELEASES if name.startswith("neovim")]
PLUGIN = ROOT / "editors/nvim"
SUM = "def add(first, second):\n    return first +"
MEDIAN = """\
def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2
"""
CLAMP = "def clamp(value, low, high):\n    if value"


def neovim(editor: Editor) -> Neovim:
    """Return the editor as what it is."""
    assert isinstance(editor, Neovim)
    return editor


class Mapped(Neovim):
    """Neovim whose user has given the Tab key a meaning of its own."""

    before_setup: ClassVar[str] = """
vim.keymap.set("i", "<Tab>", function() return "<own>" end, { expr = true })
"""


class BesideBlink(Mapped):
    """The same with a completion menu that maps as blink.cmp does: in each buffer, falling back to what it finds."""

    before_setup: ClassVar[str] = (
        Mapped.before_setup
        + """
vim.api.nvim_create_autocmd("InsertEnter", { callback = function(event)
  vim.keymap.set("i", "<Tab>", function()
    if vim.g.menu_is_open then
      return "<menu>"
    end
    for _, below in ipairs(vim.api.nvim_get_keymap("i")) do
      if below.lhs == "<Tab>" then
        return below.callback()
      end
    end
  end, { expr = true, buffer = event.buf, replace_keycodes = false, desc = "blink.cmp" })
end })
"""
    )


class BesideCmp(Mapped):
    """The same with a menu that maps as nvim-cmp does: for all buffers, falling back to the mapping it took."""

    before_setup: ClassVar[str] = (
        Mapped.before_setup
        + """
vim.api.nvim_create_autocmd("InsertEnter", { callback = function()
  local below = vim.fn.maparg("<Tab>", "i", false, true)
  if below.desc == "cmp.utils.keymap.set_map" then
    return
  end
  vim.keymap.set("i", "<Tab>", function()
    if vim.g.menu_is_open then
      vim.api.nvim_feedkeys("<menu>", "in", true)
      return
    end
    local again = "<Plug>(below:<Tab>)"
    vim.keymap.set("i", again, below.callback, { expr = true, remap = below.noremap == 0, replace_keycodes = false })
    vim.api.nvim_feedkeys(vim.keycode(again), "im", true)
  end, { desc = "cmp.utils.keymap.set_map" })
end })
"""
    )


MENUS = [BesideBlink, BesideCmp]


class OwnMapping(Neovim):
    """Neovim whose user has the text changed by a key, and accepts by a mapping that may not change it."""

    before_setup: ClassVar[str] = """
vim.keymap.set("i", "<Tab>", function() vim.api.nvim_put({ "<put>" }, "c", false, true) end)
vim.keymap.set("i", "<F2>", function() return require("midfill").accept() and "" or "<none>" end, { expr = true })
"""


class Installed(Neovim):
    """Neovim with the plug-in as one of the README's snippets installs it."""

    configuration = """
vim.g.loaded_python3_provider = 0
vim.opt.termguicolors, vim.opt.laststatus, vim.opt.showmode = true, 2, false
for _, name in ipairs({{ "MidfillGhost", "ComplHint" }}) do
  vim.api.nvim_set_hl(0, name, {{ fg = "#{ghost}" }})
end
{before}
"""
    snippet: ClassVar[str]

    def _configure(self, command: str) -> list[str | Path]:
        self.before_setup = self._surround(readme_snippets()[self.snippet])
        (self.home / "midfill.toml").write_text("contextTokens = 512\ndeadlineMs = 0\n")
        (self.home / "src").mkdir()
        self._fetch(self.home / "src/midfill")
        arguments = super()._configure(command)
        arguments.remove("--clean")  # leaves out the folders where package managers put plug-ins; all are new here
        return arguments

    def _surround(self, snippet: str) -> str:
        return snippet

    def _fetch(self, clone: Path) -> None:
        clone.symlink_to(ROOT)


class ByLazy(Installed):
    """The same by lazy.nvim, of which this has what it does with a local plug-in's specification."""

    snippet = "lazy.nvim"

    def _surround(self, snippet: str) -> str:
        return f"""
local specification = {snippet}
vim.opt.runtimepath:append(vim.fs.normalize(specification.dir))
specification.config()
"""


class ByPack(Installed):
    """The same by Neovim's own package manager, which asks before it clones."""

    snippet = "vim.pack"
    first_screen = "These plugins will be installed"

    def _fetch(self, clone: Path) -> None:
        shutil.copytree(PLUGIN, clone / "editors/nvim")
        for command in (
            ["init", "--quiet"],
            ["add", "."],
            ["-c", "user.name=Midfill", "-c", "user.email=nobody@example.org", "commit", "--quiet", "-m", "All"],
        ):
            subprocess.run(["git", *command], cwd=clone, check=True)


class ByPath(Installed):
    """The same without any plug-in manager."""

    snippet = "none at all"


class Listening(Neovim):
    """Neovim that writes down what the server is told of an accepted suggestion, instead of telling it."""

    before_setup: ClassVar[str] = """
vim.lsp.commands["midfill.accepted"] = function(command)
  vim.g.told = "told " .. table.concat(command.arguments, " ")
end
"""


def readme_snippets() -> dict[str, str]:
    """Return the README's ways to install the plug-in, by the first words of their comments."""
    block = re.search(r"```lua\n(-- lazy.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block
    parts = re.split(r"^-- ([\w. ]+).*\n", block[1], flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Broken(Neovim):
    """Neovim with a mistake in its options."""

    configuration = Neovim.configuration.replace("settings =", "colour = 1, debounce_ms = 'soon', settings =")


@pytest.mark.parametrize("version", VERSIONS)
def test_health(start: Start, version: str) -> None:
    """The health check finds nothing to complain of."""
    editor = neovim(start(version))
    editor.open(SUM)
    editor.wait_for_text("midfill:ready")
    editor.command_line("checkhealth midfill")
    editor.wait_for_text("the server runs for 1 buffer(s)")
    assert "OK midfill " in editor.screen
    assert not re.search("WARNING|ERROR", editor.screen)


@pytest.mark.parametrize("menu", MENUS)
@pytest.mark.parametrize("version", VERSIONS)
def test_beside_a_completion_menu(start: Start, version: str, menu: type[Mapped]) -> None:
    """Tab is the menu's while that is open, then the ghost text's while there is some, else the user's own."""
    editor = neovim(start(version, menu))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.command_line("let g:menu_is_open = v:true")
    editor.type("gi\t")
    editor.wait_for_text(f"{SUM.splitlines()[1]}<menu>")
    editor.command_line("let g:menu_is_open = v:false")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.open("name")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("name<own>")
    editor.command_line("checkhealth midfill")
    editor.wait_for_text("the server runs for")
    assert not re.search("WARNING|ERROR", editor.screen)


@pytest.mark.parametrize("menu", MENUS)
@pytest.mark.parametrize("version", VERSIONS)
def test_another_key_beside_a_completion_menu(start: Start, version: str, menu: type[Mapped]) -> None:
    """A key that accepts no more does not do so behind a menu's mapping either."""
    editor = neovim(start(version, menu))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    same = "settings = { contextTokens = 512, deadlineMs = 0 }"
    editor.command_line(f"lua require('midfill').setup({{ {same}, keys = {{ accept = '<M-a>' }} }})")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type("\t")
    editor.wait_for_text("first +<own>")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type("\x1ba")
    editor.wait_for_text(f"first +{ghost}")


@pytest.mark.parametrize("version", VERSIONS)
def test_keys_take_their_turn(start: Start, version: str) -> None:
    """What is typed right after a key, in one go with it, comes after what that key has done."""
    editor = neovim(start(version, OwnMapping))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.type(f"{editor.keys['accept']} # sum")
    editor.wait_for_text(f"first +{ghost} # sum")
    editor.open(SUM)
    editor.wait_for_ghost(ghost)
    editor.type(f"{editor.keys['dismiss']}\t # sum")
    editor.wait_for_text("first +<put> # sum")
    assert editor.contents() == f"{SUM}<put> # sum"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_mapping_of_the_users_accepts(start: Start, version: str) -> None:
    """`accept()` serves mappings that are expressions, during which the text may not change."""
    editor = neovim(start(version, OwnMapping))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.type("\x1bOQ")
    editor.wait_for_text(f"first +{ghost}")
    editor.command_line("Midfill pause")
    editor.type("gi\x1bOQ")
    editor.wait_for_text(f"first +{ghost}<none>")


@pytest.mark.parametrize("version", VERSIONS)
def test_other_options_count_at_once(start: Start, version: str) -> None:
    """Set up again, the same server goes by other settings, and other keys accept; as before, all is as before."""
    editor = neovim(start(version, BesideBlink))
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    [server] = editor.servers()
    same = "contextTokens = 512, deadlineMs = 0"
    editor.command_line(
        f"lua require('midfill').setup({{ settings = {{ {same}, maxLines = 1 }}, keys = {{ accept = '<M-a>' }} }})"
    )
    editor.open(CLAMP)
    editor.type(" <")
    editor.terminal.wait_for(lambda: editor.ghost == " low:", "one line")
    editor.type("\x1ba")
    editor.wait_for_text("if value < low:")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("if value < low:<own>")
    editor.command_line("Midfill resume")
    editor.command_line(f"lua require('midfill').setup({{ settings = {{ {same} }} }})")
    editor.open(CLAMP)
    editor.type(" <")
    editor.wait_for_ghost(" low:\n")
    editor.press("accept")
    editor.wait_for_text("return low")
    editor.open("name")
    editor.command_line("Midfill pause")
    editor.type("gi\t")
    editor.wait_for_text("name<own>")
    assert editor.servers() == [server]


@pytest.mark.parametrize("version", VERSIONS)
def test_why_and_statistics(start: Start, version: str) -> None:
    """The last prompt is shown to its end, and what became of suggestions; a window that shows it is used again."""
    editor = neovim(start(version))
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.command_line("Midfill why")
    editor.wait_for_text("midfill://why")
    assert "# Why" in editor.screen
    editor.type("G")
    editor.wait_for_text("<|fim_middle|>")
    editor.command_line("Midfill why 2")
    editor.wait_for_text("# Why")
    editor.type("q")
    editor.command_line("Midfill stats")
    editor.wait_for_text("on this machine only")
    editor.command_line("Midfill why nothing")
    editor.terminal.wait_for(lambda: "cannot explain 'nothing'" in editor.screen, "the message")


@pytest.mark.parametrize("version", VERSIONS)
def test_code_action(start: Start, version: str) -> None:
    """Chosen from Neovim's own menu, an action is done by the model, and its edit is in the buffer."""
    editor = neovim(start(version))
    editor.open(MEDIAN)
    editor.wait_for_text("midfill:ready")
    editor.command_line("call cursor(1, 1) | lua vim.lsp.buf.code_action()")
    editor.wait_for_text("Add documentation")
    [number] = re.findall(r"^(\d+): Add documentation", editor.screen, re.MULTILINE)
    editor.type(f"{number}\r")
    editor.wait_for_action('"""|Apply all changes')
    if "Apply all changes" in editor.screen:  # Neovim 0.12 heeds that an edit is to be confirmed
        editor.type("y")
        editor.wait_for_text("Press ENTER")
        editor.type("\r")
        editor.wait_for_text('"""')
    editor.type("gi")
    text = editor.contents()
    assert [line for line in text.splitlines() if line in MEDIAN.splitlines()] == MEDIAN.splitlines()
    assert ast.get_docstring(ast.parse(text).body[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("version", VERSIONS)
def test_explanation_and_question(start: Start, version: str) -> None:
    """What the model has to say comes in a window of its own while it is written, and questions go on from it."""
    editor = neovim(start(version, rows=40))
    editor.open(MEDIAN)
    editor.wait_for_text("midfill:ready")
    editor.command_line("1Midfill explain")
    editor.wait_for_text("# Explain")
    editor.wait_for_action(r"# Explain\n.*(median|middle|sort)")  # without dots: it is all there
    editor.command_line("wincmd j | call feedkeys('a')")
    editor.terminal.wait_for(lambda: "Ask:" in editor.screen, "to be asked")
    editor.type("What if it is empty?\r")
    editor.wait_for_text("# Ask about this code")
    editor.wait_for_action(r"# Ask about this code\n.*empty")
    editor.command_line("Midfill stop")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_is_told_what_is_accepted(start: Start, version: str) -> None:
    """Accepting runs the item's command."""
    editor = neovim(start(version, Listening))
    editor.open(SUM)
    ghost = editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text(f"first +{ghost}")
    editor.command_line("echo g:told")
    editor.terminal.wait_for(lambda: re.search(rf"told \d+ {len(ghost)}\b", editor.screen), "the command")


@pytest.mark.parametrize("version", VERSIONS)
def test_tab_without_ghost_text(start: Start, version: str) -> None:
    """Where there is nothing to accept and nobody else wants it, Tab is a tab."""
    editor = neovim(start(version))
    editor.run("pause")
    editor.open("name")
    editor.press("accept")
    editor.type("end")
    assert editor.contents().expandtabs(4) == "name    end"


@pytest.mark.parametrize("version", VERSIONS)
def test_server_that_keeps_dying(start: Start, version: str) -> None:
    """A server that cannot live is left alone at last, with a message that says what to do."""
    editor = neovim(start(version, command="false"))
    editor.open(SUM)
    editor.terminal.wait_for(lambda: "4 times" in editor.screen or press_enter(editor), "the message")
    assert "`:Midfill restart`" in editor.screen


def press_enter(editor: Editor) -> bool:
    """Go past a message that waits for a key."""
    if "Press ENTER" in editor.screen:
        editor.type("\r")
        editor.terminal.pump(0.2)
    return False


@pytest.mark.parametrize(
    ("version", "way"),
    [*((version, way) for version in VERSIONS for way in (ByLazy, ByPath)), ("neovim-0.12", ByPack)],
)
def test_installed_as_the_readme_says(start: Start, version: str, way: type[Installed]) -> None:
    """Each way to install the plug-in that the README has brings ghost text, and the plug-in's command."""
    editor = neovim(start(version, way))
    if way is ByPack:
        editor.type("y")
        editor.wait_for_text("[No Name]")
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.press("accept")
    editor.wait_for_text("first + second")
    editor.command_line("Midfill stats")
    editor.wait_for_text("on this machine only")


def test_missing_program(start: Start) -> None:
    """A program that is not there is named, once, and Neovim works on."""
    editor = start("neovim-0.12", command="midfill-that-is-not-there")
    editor.terminal.wait_for(lambda: "there is no program 'midfill-that-is-not-there'" in editor.screen, "the message")


def test_wrong_options(start: Start) -> None:
    """What is wrong in the options is named, and Midfill works without it."""
    editor = start("neovim-0.12", Broken)
    editor.terminal.wait_for(lambda: "'colour'" in editor.screen, "the last message")
    editor.command_line("messages")
    for told in ("there is no option 'colour'", "option 'debounce_ms' must be a number"):
        editor.terminal.wait_for(lambda told=told: told in editor.screen, told)
    editor.type("\r")
    editor.open(SUM)
    editor.wait_for_ghost(" second")


def test_own_ghost_text_where_there_is_a_builtin_one(start: Start) -> None:
    """Midfill's own ghost text can be chosen in a Neovim that has one."""

    class Own(Neovim):
        configuration = Neovim.configuration.replace("settings =", "builtin = false, settings =")

    editor = start("neovim-0.12", Own)
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.press("accept word")
    editor.wait_for_text("first + second")


def test_pause_of_a_buffer(start: Start) -> None:
    """A pause can be for one buffer alone."""
    editor = neovim(start("neovim-0.12"))
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.run("pause buffer")
    editor.wait_for_text("midfill:paused")
    editor.open(SUM)
    editor.wait_for_ghost(" second")
    editor.run("pause everything")
    editor.terminal.wait_for(lambda: "cannot pause 'everything'" in editor.screen, "the message")


def test_doctor(start: Start) -> None:
    """What the doctor says comes in a window; here another program is asked for it, since that takes a minute."""
    editor = neovim(start("neovim-0.12", command="echo"))
    editor.command_line("Midfill doctor")
    editor.wait_for_text("midfill://doctor")
    assert "\ndoctor\n" in editor.screen


def test_log_and_command_line(start: Start) -> None:
    """The subcommands complete, an unknown one is named, and the log opens."""
    editor = neovim(start("neovim-0.12"))
    editor.command_line("Midfill frobnicate")
    editor.terminal.wait_for(
        lambda: "there are: ask, doctor, document, document-all, explain" in editor.screen, "a list"
    )
    editor.command_line("Midfill lo\t")
    editor.wait_for_text("lsp.log")


def test_help(start: Start) -> None:
    """The help file has tags, and tells of every key and option."""
    editor = neovim(start("neovim-0.12"))
    shutil.copytree(PLUGIN / "doc", editor.home / "doc")  # tags are made beside the text
    editor.command_line(f"set runtimepath^={editor.home} | helptags {editor.home}/doc | help midfill-options")
    editor.wait_for_text("3. Options")
    told = (PLUGIN / "doc/midfill.txt").read_text()
    options = (PLUGIN / "lua/midfill/options.lua").read_text()
    names = re.findall(r"^ {2,4}(\w+) = ", options.partition("M.defaults = {")[2].partition("\n}")[0], re.MULTILINE)
    assert len(names) > 8
    assert [name for name in names if f"{name} " not in told] == []
