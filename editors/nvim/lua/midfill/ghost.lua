---Midfill's own ghost text, for Neovim without `vim.lsp.inline_completion`: one suggestion, drawn by an extmark.
---
---What is typed along a suggestion stays typed along it: nothing is asked again until the two part.
local compat = require("midfill.compat")
local edit = require("midfill.edit")
local parts = require("midfill.parts")

local METHOD = "textDocument/inlineCompletion"
local INVOKED, AUTOMATIC = 1, 2

local M = { name = "Midfill's own" }

---Milliseconds without a key after which a suggestion is asked for.
M.debounce_ms = 50

---@class midfill.Suggestion
---@field bufnr integer
---@field client vim.lsp.Client
---@field items lsp.InlineCompletionItem[]
---@field index integer Which of the items is shown.
---@field row integer Where its text begins, in bytes from 0.
---@field col integer
---@field after string What stood right of the cursor.
---@field replaced integer Bytes of that which the suggestion replaces.

---@class midfill.Pending
---@field client vim.lsp.Client
---@field id integer

local namespace = vim.api.nvim_create_namespace("midfill.ghost")
local group = vim.api.nvim_create_augroup("midfill.ghost", { clear = true })
local suggestion ---@type midfill.Suggestion?
local pending ---@type midfill.Pending?
local timer = assert(vim.uv.new_timer())
local seen = "" -- the state of text and cursor that was looked at last

---@return string
local function insert_text()
  local text = assert(suggestion).items[suggestion.index].insertText
  return type(text) == "table" and text.value or text
end

---@return string
local function text_after_cursor()
  return vim.api.nvim_get_current_line():sub(vim.api.nvim_win_get_cursor(0)[2] + 1)
end

local function is_inserting()
  return vim.startswith(vim.api.nvim_get_mode().mode, "i")
end

---Return what is left of the suggestion behind the cursor; nil when there is none, or the text has left it.
---@return string?
local function remainder()
  if not suggestion or suggestion.bufnr ~= vim.api.nvim_get_current_buf() then
    return nil
  end
  local typed = edit.text_before_cursor(suggestion.row, suggestion.col)
  local text = insert_text()
  if typed and #typed < #text and vim.startswith(text, typed) and text_after_cursor() == suggestion.after then
    return text:sub(#typed + 1)
  end
end

---@param text string
local function draw(text)
  local shown = assert(suggestion)
  vim.api.nvim_buf_clear_namespace(shown.bufnr, namespace, 0, -1)
  local replaced = shown.after:sub(1, shown.replaced)
  if vim.endswith(text, replaced) and not text:find("\n", 1, true) then
    text = text:sub(1, #text - #replaced) -- it stands there already
    replaced = ""
  end
  local lines = vim.tbl_map(function(line)
    return { { line, "MidfillGhost" } }
  end, vim.split(text, "\n", { plain = true }))
  local row, col = edit.cursor()
  vim.api.nvim_buf_set_extmark(shown.bufnr, namespace, row, col, {
    virt_text = lines[1],
    virt_text_pos = replaced == "" and "inline" or "overlay",
    virt_lines = #lines > 1 and vim.list_slice(lines, 2) or nil,
    hl_mode = "combine",
  })
end

local function cancel()
  timer:stop()
  if pending then
    compat.call(pending.client, "cancel_request", pending.id)
    pending = nil
  end
end

---Take the suggestion away, and ask for none until something is typed.
function M.dismiss()
  cancel()
  if suggestion and vim.api.nvim_buf_is_valid(suggestion.bufnr) then
    vim.api.nvim_buf_clear_namespace(suggestion.bufnr, namespace, 0, -1)
  end
  suggestion = nil
end

---@param client vim.lsp.Client
---@param range lsp.Range?
---@return integer col Where the text to replace begins, in bytes from 0.
---@return integer replaced How much of it is right of the cursor, in bytes.
local function extent(client, range)
  local row, col = edit.cursor()
  if not range or range.start.line ~= row or range["end"].line ~= row then
    return col, 0
  end
  local line = vim.api.nvim_get_current_line()
  local start = compat.byte_index(line, range.start.character, client.offset_encoding)
  local stop = compat.byte_index(line, range["end"].character, client.offset_encoding)
  return math.min(start, col), math.max(stop - col, 0)
end

---@return string
local function state()
  return table.concat(
    { vim.api.nvim_get_current_buf(), vim.b.changedtick, unpack(vim.api.nvim_win_get_cursor(0)) },
    " "
  )
end

---@param client vim.lsp.Client
---@param items lsp.InlineCompletionItem[]
---@param index integer
local function show(client, items, index)
  M.dismiss()
  local item = items[index]
  if not item then
    return
  end
  local row = edit.cursor()
  local col, replaced = extent(client, item.range)
  suggestion = {
    bufnr = vim.api.nvim_get_current_buf(),
    client = client,
    items = items,
    index = index,
    row = row,
    col = col,
    after = text_after_cursor(),
    replaced = replaced,
  }
  local text = remainder()
  if text then
    draw(text)
  else
    suggestion = nil
  end
end

---@param kind integer
---@param index integer Which suggestion to show of those that come, if there are as many.
local function request(kind, index)
  cancel()
  local bufnr = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ bufnr = bufnr, name = "midfill" })[1]
  if not client or not is_inserting() then
    return
  end
  local asked = state()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.context = { triggerKind = kind }
  -- The buffer's own number, not 0: with 0 the request overtakes the change that was typed last.
  local sent, id
  sent, id = compat.call(client, "request", METHOD, params, function(err, result)
    if pending and pending.id == id then
      pending = nil
    end
    if err or not result or not is_inserting() or state() ~= asked then
      return
    end
    local items = result.items or result
    show(client, items, math.min(index, #items))
  end, bufnr)
  if sent then
    pending = { client = client, id = id }
  end
end

---Follow what was typed, or the cursor that moved.
local function follow()
  local now = state()
  if now == seen then
    return
  end
  seen = now
  local text = remainder()
  if text then
    draw(text)
    return
  end
  M.dismiss()
  timer:start(M.debounce_ms, 0, function()
    vim.schedule(function()
      request(AUTOMATIC, 1)
    end)
  end)
end

---Show suggestions in a buffer, or no more.
---@param bufnr integer
---@param on boolean
function M.enable(bufnr, on)
  vim.api.nvim_clear_autocmds({ group = group, buffer = bufnr })
  if not on then
    if suggestion and suggestion.bufnr == bufnr then
      M.dismiss()
    end
    return
  end
  vim.api.nvim_create_autocmd({ "InsertEnter", "CursorMovedI", "TextChangedI", "TextChangedP" }, {
    group = group,
    buffer = bufnr,
    callback = follow,
  })
  vim.api.nvim_create_autocmd({ "InsertLeave", "BufLeave" }, {
    group = group,
    buffer = bufnr,
    callback = function()
      M.dismiss()
      seen = ""
    end,
  })
  if bufnr == vim.api.nvim_get_current_buf() and is_inserting() then
    seen = "" -- what was typed before the server came has had no answer
    follow()
  end
end

---@return boolean
function M.visible()
  return remainder() ~= nil
end

---Put a part of the suggestion into the text; the rest stays shown.
---@param part midfill.Part
function M.accept(part)
  local text = remainder()
  if not text then
    return
  end
  local shown = assert(suggestion)
  local piece = parts.first(text, part)
  local row, col = edit.cursor()
  if piece ~= text then
    edit.replace(row, col, row, col, piece)
    return
  end
  edit.replace(row, col, row, col + shown.replaced, piece)
  local command = shown.items[shown.index].command
  M.dismiss()
  if command then
    compat.call(shown.client, "exec_cmd", command, { bufnr = shown.bufnr })
  end
end

---Show another suggestion for the same place; the server is asked outright when it has given only one.
---@param step 1|-1
function M.select(step)
  local shown = suggestion
  if shown and #shown.items > 1 then
    suggestion.index = (shown.index - 1 + step) % #shown.items + 1
    local text = remainder()
    if text then
      draw(text)
    else
      suggestion.index = shown.index
    end
  else
    request(INVOKED, M.visible() and 2 or 1)
  end
end

return M
