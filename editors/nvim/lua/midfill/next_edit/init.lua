---The next edit: the change that the user is likely to make next. It is asked for, shown, gone to, applied.
---
---There is one at a time. Ghost text comes first: while there is some on a line that the edit changes, the edit is
---hidden. Where the user has gone to the edit by its key, the edit comes first.
local Prediction = require("midfill.next_edit.prediction")
local asking = require("midfill.next_edit.asking")
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local display = require("midfill.display")
local drawing = require("midfill.next_edit.drawing")
local hint = require("midfill.next_edit.hint")
local pause = require("midfill.pause")

local M = {}

local wanted = false
local prediction ---@type midfill.Prediction?
local client ---@type vim.lsp.Client? Who has predicted it.
local is_drawn = false
local hinted ---@type integer? The buffer that may have a hint.
local has_gone_there = false -- the user has gone to the edit by its key, and is there still
local last_shown ---@type integer? The number of the edit that was shown last.

---Whether the server serves a buffer and the user wants next edits there.
---@param bufnr integer
---@return boolean
local function serves(bufnr)
  return wanted and clients.of_buffer(bufnr) ~= nil and not pause.is_paused(bufnr)
end

---Whether the cursor is on a line that the edit changes.
---@return boolean
local function cursor_is_there()
  if not prediction or prediction.bufnr ~= vim.api.nvim_get_current_buf() then
    return false
  end
  local first, last = prediction:rows()
  local row = vim.api.nvim_win_get_cursor(0)[1] - 1
  return first <= row and row <= last
end

local function erase()
  if prediction and is_drawn then
    drawing.clear(prediction.bufnr)
  end
  if hinted and vim.api.nvim_buf_is_valid(hinted) then
    hint.clear(hinted)
  end
  is_drawn, hinted = false, nil
end

---Show the edit as things are now: the text, the cursor, the window, the ghost text.
local function redraw()
  local was_drawn = is_drawn
  erase()
  if prediction and not prediction:follow() then
    prediction, has_gone_there = nil, false
  end
  local is_there = cursor_is_there()
  has_gone_there = has_gone_there and is_there
  if has_gone_there and display.visible() then
    display.dismiss()
  end
  if prediction and serves(vim.api.nvim_get_current_buf()) and not (is_there and display.visible()) then
    drawing.draw(prediction)
    hint.draw(prediction)
    is_drawn, hinted = true, vim.api.nvim_get_current_buf()
  end
  if was_drawn ~= is_drawn then
    vim.cmd.redrawstatus() -- the status line may show |midfill.next_edit_status()|
  end
end

local function forget()
  erase()
  prediction, has_gone_there = nil, false
  redraw()
end

---Show the edit that the server has predicted, if any.
---@type midfill.OnAnswer
local function take(from, item)
  erase()
  prediction, client = item and Prediction.new(from, item), from
  redraw()
  if prediction and item and item.command.arguments[1] ~= last_shown then
    last_shown = item.command.arguments[1]
    compat.call(from, "notify", "textDocument/didShowInlineEdit", { item = item })
  end
end

---Follow a change of the text: keep the edit or drop it, and ask again.
local function on_change()
  if serves(vim.api.nvim_get_current_buf()) then
    redraw()
    asking.ask_after_pause(take)
  end
end

local function on_move()
  if prediction then
    redraw()
  end
end

local function on_leave_insert()
  if serves(vim.api.nvim_get_current_buf()) then
    asking.ask_after_pause(take)
    vim.schedule(on_move) -- when the ghost text has gone
  end
end

---@param event vim.api.keyset.create_autocmd.callback_args
local function on_enter(event)
  local server = serves(event.buf) and clients.of_buffer(event.buf)
  if server then
    local document = { uri = vim.uri_from_bufnr(event.buf) }
    compat.call(server, "notify", "textDocument/didFocus", { textDocument = document })
  end
  on_move()
end

---Look at the ghost text after it has come.
---@param event vim.api.keyset.create_autocmd.callback_args
local function on_request(event)
  local request = event.data.request
  if prediction and request.type == "complete" and request.method == "textDocument/inlineCompletion" then
    vim.schedule(on_move)
  end
end

---@param event vim.api.keyset.create_autocmd.callback_args
local function on_detach(event)
  asking.forget(event.buf)
  last_shown = nil -- another server counts anew
  if prediction and prediction.bufnr == event.buf then
    forget()
  end
end

---Show next edits, or no more.
---@param on boolean
function M.enable(on)
  wanted = on
  local group = vim.api.nvim_create_augroup("midfill.next_edit", { clear = true })
  if not on then
    asking.cancel()
    forget()
    return
  end
  local callbacks = {
    [on_change] = { "TextChanged", "TextChangedI", "TextChangedP" },
    [on_leave_insert] = { "InsertLeave" },
    [on_move] = { "CursorMoved", "CursorMovedI", "WinScrolled" },
    [on_enter] = { "BufEnter" },
    [on_request] = { "LspRequest" },
    [on_detach] = { "LspDetach", "BufUnload" },
  }
  for callback, events in pairs(callbacks) do
    vim.api.nvim_create_autocmd(events, { group = group, callback = callback })
  end
end

---Look at what is paused anew.
function M.refresh()
  if not serves(vim.api.nvim_get_current_buf()) then
    asking.cancel()
  end
  redraw()
end

---Whether the user wants next edits.
---@return boolean
function M.is_wanted()
  return wanted
end

---Whether there is an edit to go to or to apply.
---@return boolean
function M.visible()
  return is_drawn and prediction ~= nil and prediction:follow() and serves(vim.api.nvim_get_current_buf())
end

---Return where the edit is, in words; "" if there is none.
---@return string
function M.status()
  return M.visible() and "next edit: " .. hint.place(assert(prediction)) or ""
end

---Go to the edit.
local function go_there()
  local row, col = assert(prediction):position(prediction.changes[1].start)
  vim.cmd("normal! m'") -- so that <C-O> comes back
  if prediction.bufnr ~= vim.api.nvim_get_current_buf() then
    vim.api.nvim_set_current_buf(prediction.bufnr)
  end
  vim.api.nvim_win_set_cursor(0, { row + 1, col })
  vim.cmd("normal! zv")
  has_gone_there = true
  redraw()
end

---Apply the edit, tell the server, and ask for the one after it.
local function apply()
  local applied = assert(prediction)
  forget()
  vim.go.undolevels = vim.go.undolevels -- it is undone apart from what was typed before, and from what comes after
  local row, col = applied:apply()
  vim.go.undolevels = vim.go.undolevels
  if row and col then
    vim.api.nvim_win_set_cursor(0, { row + 1, col })
    compat.call(assert(client), "exec_cmd", applied.item.command, { bufnr = applied.bufnr })
    asking.ask(take)
  end
end

---Go to the edit; where the cursor is there already, apply it.
function M.accept()
  if not M.visible() then
    return
  elseif cursor_is_there() then
    apply()
  else
    go_there()
  end
end

---Remove the edit, and tell the server, which does not offer it again.
function M.dismiss()
  if prediction then
    local command = vim.tbl_extend("force", prediction.item.command, { command = "midfill.nextEditDismissed" })
    compat.call(assert(client), "exec_cmd", command, { bufnr = prediction.bufnr })
    asking.cancel()
    forget()
  end
end

---Ask for the next edit now. One that was dismissed may come again.
---@param on_none fun() Called if there is none.
function M.ask(on_none)
  asking.ask(function(from, item)
    take(from, item)
    if not prediction then
      on_none()
    end
  end, true)
end

return M
