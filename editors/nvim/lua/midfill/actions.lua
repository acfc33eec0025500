---The code actions of `:Midfill`, and the text that the server streams for some of them. The menu of code actions is
---Neovim's own.
local execute = require("midfill.execute")
local notify = require("midfill.notify")
local page = require("midfill.page")

local M = {}

local ANSWER = "midfill://answer"

---@alias midfill.Action
---| "ask"
---| "document"
---| "document-all"
---| "explain"
---| "extract"
---| "faster"
---| "fix"
---| "review"
---| "simplify"
---| "tests"
---| "types"
---| "write"

---The actions, by the server's names.
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
local FOR_WHOLE_FILE = { ["document-all"] = true, review = true }

---@class midfill.Answer
---@field id string The server's name for the text.
---@field bufnr integer The buffer that shows it.
local answer ---@type midfill.Answer? The text that came last.

---@class midfill.ActionText A piece of a text that the server streams.
---@field id string
---@field title string
---@field text string
---@field done boolean Whether it is the last piece.

---Show a piece. Dots behind the title say that there is more to come.
---@param piece midfill.ActionText
local function take(piece)
  if not answer or answer.id ~= piece.id then
    local bufnr = page.show(ANSWER, ("# %s …"):format(piece.title), "markdown", true)
    page.append(bufnr, "\n\n")
    vim.keymap.set("n", "a", "<Cmd>Midfill ask<CR>", { buffer = bufnr, desc = "Ask on" })
    answer = { id = piece.id, bufnr = bufnr }
  end
  page.append(answer.bufnr, piece.text)
  if piece.done then
    page.set_title(answer.bufnr, "# " .. piece.title)
  end
end

---Handlers for the server's own messages.
---@type table<string, lsp.Handler>
M.handlers = {
  ["midfill/actionText"] = function(_, piece)
    take(piece)
  end,
}

---@param prompt string
---@param on_words fun(words: string) Called unless the user types nothing.
local function ask_user(prompt, on_words)
  vim.ui.input({ prompt = prompt .. ": " }, function(words)
    if words and vim.trim(words) ~= "" then
      on_words(words)
    end
  end)
end

---The menu runs this for an action that needs words from the user.
---@param command lsp.Command
vim.lsp.commands["midfill.input"] = function(command)
  ask_user(command.title, function(words)
    local given = assert(command.arguments)[1] --[[@as table]]
    local params = vim.tbl_extend("force", given, { instruction = words })
    execute.run("midfill.do", { params })
  end)
end

---@param first integer From 1.
---@param last integer
---@return lsp.Range
local function lines(first, last)
  return { start = { line = first - 1, character = 0 }, ["end"] = { line = last, character = 0 } }
end

---Run an action on some lines. In the window of an answer, a question goes on from that answer.
---@param name midfill.Action
---@param words string The instruction, the question, or the error to fix; "" for none.
---@param first integer From 1.
---@param last integer
function M.run(name, words, first, last)
  local bufnr = vim.api.nvim_get_current_buf()
  local in_answer = vim.api.nvim_buf_get_name(bufnr) == ANSWER
  local range = not FOR_WHOLE_FILE[name] and lines(first, last) or nil
  local uri = not in_answer and vim.uri_from_bufnr(bufnr) or nil
  if in_answer and name ~= "ask" then
    notify("there is no code here", vim.log.levels.ERROR)
  elseif name == "ask" and words == "" then
    ask_user("Ask", function(typed)
      M.run(name, typed, first, last)
    end)
  elseif name == "ask" then
    execute.run("midfill.ask", { { text = words, uri = uri, range = uri and range } })
  else
    local field = name == "fix" and "message" or "instruction"
    execute.run("midfill.do", { { action = name, uri = uri, range = range, [field] = words } })
  end
end

return M
