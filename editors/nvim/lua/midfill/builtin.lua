---Ghost text by Neovim's own `vim.lsp.inline_completion` (0.12), with what that cannot do: it accepts a suggestion in
---parts, and it accepts a suggestion along which the user has typed.
---
---The state of a buffer is Neovim's: this file keeps none.
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local edit = require("midfill.edit")
local parts = require("midfill.parts")

local INVOKED = 1 -- a trigger kind of the language server protocol

local group = vim.api.nvim_create_augroup("midfill.builtin", { clear = true })

local M = { name = "Neovim's own" }

---@class midfill.Completor Neovim's own object for the ghost text of a buffer, as far as we use it.
---@field current vim.lsp.inline_completion.Item? What is shown.
---@field abort fun(self: midfill.Completor)
---@field automatic_request fun(self: midfill.Completor)
---@field count_items fun(self: midfill.Completor): integer
---@field handler fun(self: midfill.Completor, err: lsp.ResponseError?, result: any, context: lsp.HandlerContext)
---@field select fun(self: midfill.Completor, index: integer)

---Return Neovim's object for the current buffer; nil in a Neovim that keeps it elsewhere.
---
---It is private in 0.12, so it serves only for what users can do without: alternatives, and no flicker.
---@return midfill.Completor?
local function completor()
  local ok, capability = pcall(require, "vim.lsp._capability")
  if ok then
    return vim.tbl_get(capability --[[@as table]], "all", "inline_completion", "active", vim.api.nvim_get_current_buf())
  end
end

---Return what the user has not typed yet of an item; nil when the text does not fit it any more.
---@param item vim.lsp.inline_completion.Item
---@return string?
local function remainder(item)
  local row, col = edit.cursor()
  if item.range then
    row, col = item.range.start_row, item.range.start_col
  end
  return edit.remainder(item.insert_text, row, col)
end

---Follow the text that has changed. When it does not fit the suggestion any more, Neovim alone would show that still,
---and wait for the answer to its last request.
local function follow()
  local shown = completor()
  if shown and not (shown.current and remainder(shown.current)) then
    shown:abort()
    shown:automatic_request()
  end
end

---Show suggestions in a buffer, or no more.
---@param bufnr integer
---@param on boolean
function M.enable(bufnr, on)
  -- Off first: where it is on already, Neovim would not ask a new server before the next event.
  vim.lsp.inline_completion.enable(false, { bufnr = bufnr })
  vim.lsp.inline_completion.enable(on, { bufnr = bufnr })
  vim.api.nvim_clear_autocmds({ group = group, buffer = bufnr })
  if on then
    local events = { "CursorMovedI", "TextChangedP" }
    vim.api.nvim_create_autocmd(events, { group = group, buffer = bufnr, callback = follow })
  end
  local shown = completor()
  if on and shown and edit.is_inserting(bufnr) then
    shown:automatic_request() -- what the user typed before the server was there has no answer
  end
end

---Whether there is ghost text to accept.
---@return boolean
function M.visible()
  local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

---Remove the suggestion.
function M.dismiss()
  local shown = completor()
  if shown then
    shown:abort()
  end
end

---Run the command that the server wants to be run when an item is accepted.
---@param item vim.lsp.inline_completion.Item
local function run_command(item)
  local client = vim.lsp.get_client_by_id(item.client_id)
  if item.command and client then
    compat.call(client, "exec_cmd", item.command, { bufnr = vim.api.nvim_get_current_buf() })
  end
end

---Insert the next part of an item at the cursor; nothing if the text does not fit the item any more.
---@param item vim.lsp.inline_completion.Item
---@param part midfill.Part
local function insert(item, part)
  local text = remainder(item)
  if not text then
    return
  end
  local row, col = edit.cursor()
  local range = item.range
  local piece = parts.first(text, part)
  if piece == text then
    local replaced = range and range.end_row == row and math.max(range.end_col - col, 0) or 0
    edit.replace(row, col, row, col + replaced, piece)
    run_command(item)
    return
  end
  edit.replace(row, col, row, col, piece)
  local shown = completor()
  if shown and not piece:find("\n", 1, true) then
    shown:select(item._index) -- the rest stays shown until the next answer
  end
end

---Put a part of the suggestion into the text.
---@param part midfill.Part
function M.accept(part)
  local shown = completor()
  if shown and shown.current then
    local item = shown.current
    shown:abort()
    insert(item, part)
    return
  end
  -- The same by the public function alone. It accepts a moment later, after keys that the user has typed meanwhile.
  vim.lsp.inline_completion.get({
    on_accept = function(item)
      insert(item, part)
    end,
  })
end

---Ask with the trigger kind "invoked", for then the server gives alternatives; Neovim asks only with "automatic".
---@param shown midfill.Completor
---@param step 1|-1 Which alternative to show, from the suggestion that is shown now.
local function request_alternatives(shown, step)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = clients.of_buffer(bufnr)
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.context = { triggerKind = INVOKED }
  local requested = { edit.cursor() }
  local was_visible = M.visible()
  compat.call(client, "request", "textDocument/inlineCompletion", params, function(err, result, context)
    if vim.deep_equal(requested, { edit.cursor() }) then
      shown:handler(err, result, context)
      if was_visible then
        vim.lsp.inline_completion.select({ count = step })
      end
    end
  end, bufnr)
end

---Show another suggestion for the same place.
---@param step 1|-1
function M.select(step)
  local shown = completor()
  if shown and shown:count_items() < 2 then
    request_alternatives(shown, step)
  else
    vim.lsp.inline_completion.select({ count = step })
  end
end

return M
