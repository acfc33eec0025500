---What the model is asked to do with code by `:Midfill`; the menu of code actions is Neovim's own.
local page = require("midfill.page")
local server = require("midfill.server")

local M = {}

local ANSWER = "midfill://answer"

---@alias midfill.Action "ask"|"document"|"document-all"|"explain"|"extract"|"faster"|"fix"|"review"|"simplify"|"tests"|"types"|"write"

---The server's actions, by its names.
---@type midfill.Action[]
M.names = {
  "ask",
  "document",
  "document-all",
  "explain",
  "extract",
  "faster",
  "fix",
  "review",
  "simplify",
  "tests",
  "types",
  "write",
}
local OF_FILE = { ["document-all"] = true, review = true }

local answers = {} ---@type table<string, integer> By the server's number of a text: the buffer that shows it.

---Show a piece of a text that the server writes; its title says whether there is more to come.
---@param piece { id: string, title: string, text: string, done: boolean }
local function take(piece)
  local bufnr = answers[piece.id]
  if not bufnr then
    bufnr = page.show(ANSWER, ("# %s …"):format(piece.title), "markdown", true)
    page.append(bufnr, "\n\n")
    vim.keymap.set("n", "a", "<Cmd>Midfill ask<CR>", { buffer = bufnr, desc = "Ask on" })
    answers = { [piece.id] = bufnr }
  end
  page.append(bufnr, piece.text)
  if piece.done then
    page.set_title(bufnr, "# " .. piece.title)
  end
end

---What the server may send, and what it may have Neovim do.
M.handlers = {
  ["midfill/actionText"] = function(_, piece)
    take(piece)
  end,
}

---@param prompt string
---@param answered fun(words: string)
local function ask_user(prompt, answered)
  vim.ui.input({ prompt = prompt .. ": " }, function(words)
    if words and vim.trim(words) ~= "" then
      answered(words)
    end
  end)
end

---An action that needs words, chosen from the menu.
---@param command lsp.Command
vim.lsp.commands["midfill.input"] = function(command)
  ask_user(command.title, function(words)
    local wanted = vim.tbl_extend("force", command.arguments[1], { instruction = words })
    server.ask("midfill.do", { wanted }, function() end)
  end)
end

---@param first integer From 1.
---@param last integer
---@return lsp.Range
local function lines(first, last)
  return { start = { line = first - 1, character = 0 }, ["end"] = { line = last, character = 0 } }
end

---Have an action done with some lines; in an answer's window, questions go on from that.
---@param name midfill.Action
---@param words string What to write, the question, or the error to fix; "" for none.
---@param first integer From 1.
---@param last integer
function M.run(name, words, first, last)
  local bufnr = vim.api.nvim_get_current_buf()
  local in_answer = vim.api.nvim_buf_get_name(bufnr) == ANSWER
  local range = not OF_FILE[name] and lines(first, last) or nil
  local uri = not in_answer and vim.uri_from_bufnr(bufnr) or nil
  if in_answer and name ~= "ask" then
    server.notify("there is no code here", vim.log.levels.ERROR)
  elseif name == "ask" and words == "" then
    ask_user("Ask", function(typed)
      M.run(name, typed, first, last)
    end)
  elseif name == "ask" then
    server.ask("midfill.ask", { { text = words, uri = uri, range = uri and range } }, function() end)
  else
    local given = name == "fix" and "message" or "instruction"
    server.ask("midfill.do", { { action = name, uri = uri, range = range, [given] = words } }, function() end)
  end
end

return M
