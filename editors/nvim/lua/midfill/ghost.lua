---Midfill's own ghost text, for Neovim without `vim.lsp.inline_completion`: one suggestion, drawn as an extmark.
---
---Each buffer has one object. Its methods are what happens to ghost text: it is requested, shown, hidden, accepted.
---While the user types just what the suggestion says, the rest stays shown and the server is not asked again.
local Suggestion = require("midfill.suggestion")
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local edit = require("midfill.edit")
local parts = require("midfill.parts")

local METHOD = "textDocument/inlineCompletion"
local INVOKED, AUTOMATIC = 1, 2 -- trigger kinds of the language server protocol

local namespace = vim.api.nvim_create_namespace("midfill.ghost")

local M = { name = "Midfill's own" }

---Milliseconds to wait after a key before a suggestion is requested.
M.debounce_ms = 50

---@class midfill.Ghost The ghost text of one buffer.
---@field private bufnr integer
---@field private augroup integer
---@field private timer uv.uv_timer_t Runs from a key to the automatic request.
---@field private pending midfill.Request? The request that has no answer yet.
---@field private suggestion midfill.Suggestion? What is shown.
---@field private seen string The text and cursor that |Ghost:follow()| has dealt with.
local Ghost = {}
Ghost.__index = Ghost

local active = {} ---@type table<integer, midfill.Ghost?> By buffer.

---Return something that is equal only while neither the text nor the cursor changes.
---@return string
local function place()
  return table.concat({ vim.b.changedtick, unpack(vim.api.nvim_win_get_cursor(0)) }, " ")
end

---@param bufnr integer
---@return midfill.Ghost
function Ghost.new(bufnr)
  local self = setmetatable({
    bufnr = bufnr,
    augroup = vim.api.nvim_create_augroup(("midfill.ghost:%d"):format(bufnr), { clear = true }),
    timer = assert(vim.uv.new_timer()),
    seen = "",
  }, Ghost)
  active[bufnr] = self
  self:on({ "InsertEnter", "CursorMovedI", "TextChangedI", "TextChangedP" }, self.follow)
  self:on({ "InsertLeave", "BufLeave" }, self.leave)
  self:on({ "BufWipeout" }, self.destroy)
  return self
end

---@private
---@param events vim.api.keyset.events[]
---@param method fun(self: midfill.Ghost)
function Ghost:on(events, method)
  vim.api.nvim_create_autocmd(events, {
    group = self.augroup,
    buffer = self.bufnr,
    callback = function()
      method(self) -- without its result: Neovim deletes an autocommand whose callback returns true
    end,
  })
end

---Show no more ghost text in the buffer.
function Ghost:destroy()
  self:abort()
  self.timer:close()
  vim.api.nvim_del_augroup_by_id(self.augroup)
  active[self.bufnr] = nil
end

---Follow the text that has changed, or the cursor that has moved.
function Ghost:follow()
  local now = place()
  if now == self.seen then
    return -- one key can raise several events
  end
  self.seen = now
  if self:remainder() then
    self:show()
  else
    self:abort()
    self:automatic_request()
  end
end

---Follow the text as if it had changed.
function Ghost:refresh()
  self.seen = ""
  self:follow()
end

---@private
function Ghost:leave()
  self:abort()
  self.seen = "" -- the user may come back to the same place
end

---@private
function Ghost:automatic_request()
  self.timer:start(
    M.debounce_ms,
    0,
    vim.schedule_wrap(function()
      self:request(AUTOMATIC, 1)
    end)
  )
end

---Ask the server for suggestions at the cursor.
---@private
---@param kind integer The trigger kind.
---@param index integer Which of the alternatives in the answer to show; the last one if there are fewer.
function Ghost:request(kind, index)
  if active[self.bufnr] ~= self then
    return -- it was destroyed during the debounce
  end
  self:cancel()
  local client = clients.of_buffer(self.bufnr)
  if not client or not edit.is_inserting(self.bufnr) then
    return
  end
  local requested = place()
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.context = { triggerKind = kind }
  local sent, id ---@type boolean, integer?
  -- The buffer's own number, not 0: with 0 the request overtakes the change that was typed last.
  sent, id = compat.call(client, "request", METHOD, params, function(err, result)
    if not self.pending or self.pending.id ~= id then
      return -- it was cancelled
    end
    self.pending = nil
    if not err and result and edit.is_inserting(self.bufnr) and place() == requested then
      self:handle(client, result.items or result, index)
    end
  end, self.bufnr)
  self.pending = sent and id and { client = client, id = id } or nil
end

---Show the server's answer.
---@private
---@param client vim.lsp.Client
---@param items lsp.InlineCompletionItem[]
---@param index integer
function Ghost:handle(client, items, index)
  self:abort()
  if #items > 0 then
    self.suggestion = Suggestion.new(client, items, index)
    self:show()
  end
end

---Return what is left of the suggestion behind the cursor. It is nil when there is none, or the text does not fit it.
---@private
---@return string?
function Ghost:remainder()
  if self.suggestion and self.bufnr == vim.api.nvim_get_current_buf() then
    return self.suggestion:remainder()
  end
end

---Whether there is ghost text to accept.
---@return boolean
function Ghost:is_visible()
  return self:remainder() ~= nil
end

---Draw what is left of the suggestion at the cursor.
---@private
function Ghost:show()
  self:hide()
  local suggestion, text = self.suggestion, self:remainder()
  if not suggestion or not text then
    self.suggestion = nil
    return
  end
  local replaced = suggestion:replaced_text()
  if vim.endswith(text, replaced) and not text:find("\n", 1, true) then
    text = text:sub(1, #text - #replaced) -- the buffer has this end already
    replaced = ""
  end
  local lines = vim.tbl_map(function(line)
    return { { line, "MidfillGhost" } }
  end, vim.split(text, "\n", { plain = true }))
  local row, col = edit.cursor()
  vim.api.nvim_buf_set_extmark(self.bufnr, namespace, row, col, {
    virt_text = lines[1],
    virt_text_pos = replaced == "" and "inline" or "overlay",
    virt_lines = #lines > 1 and vim.list_slice(lines, 2) or nil,
    hl_mode = "combine",
  })
end

---@private
function Ghost:hide()
  if vim.api.nvim_buf_is_valid(self.bufnr) then
    vim.api.nvim_buf_clear_namespace(self.bufnr, namespace, 0, -1)
  end
end

---Request nothing any more: neither what is to come after the debounce, nor what the server works on.
---@private
function Ghost:cancel()
  self.timer:stop()
  if self.pending then
    compat.call(self.pending.client, "cancel_request", self.pending.id)
    self.pending = nil
  end
end

---Remove the suggestion, and request none until the user types.
function Ghost:abort()
  self:cancel()
  self:hide()
  self.suggestion = nil
end

---Put a part of the suggestion into the text.
---@param part midfill.Part
function Ghost:accept(part)
  local suggestion, text = self.suggestion, self:remainder()
  if not suggestion or not text then
    return
  end
  local piece = parts.first(text, part)
  local row, col = edit.cursor()
  if piece ~= text then
    edit.replace(row, col, row, col, piece) -- |Ghost:follow()| then shows the rest, as if the user had typed the piece
    return
  end
  edit.replace(row, col, row, col + suggestion.replaced, piece)
  self:abort()
  local command = suggestion:command()
  if command then
    compat.call(suggestion.client, "exec_cmd", command, { bufnr = self.bufnr })
  end
end

---Show another alternative. The server gives more than one only when it is asked with the trigger kind "invoked".
---@param step 1|-1
function Ghost:select(step)
  if self.suggestion and #self.suggestion.items > 1 then
    self.suggestion:select(step)
    self:show()
  else
    self:request(INVOKED, self:is_visible() and 2 or 1)
  end
end

---Call a method for the current buffer, if Midfill shows ghost text there.
---@param method fun(self: midfill.Ghost, argument: any): any
---@param argument any
---@return any
local function in_current_buffer(method, argument)
  local ghost = active[vim.api.nvim_get_current_buf()]
  return ghost and method(ghost, argument)
end

---Show suggestions in a buffer, or no more.
---@param bufnr integer
---@param on boolean
function M.enable(bufnr, on)
  local ghost = active[bufnr]
  if not on then
    if ghost then
      ghost:destroy()
    end
    return
  end
  ghost = ghost or Ghost.new(bufnr)
  if edit.is_inserting(bufnr) then
    ghost:refresh() -- what the user typed before the server was there has no answer
  end
end

---Whether there is ghost text to accept.
---@return boolean
function M.visible()
  return in_current_buffer(Ghost.is_visible) or false
end

---Remove the suggestion.
function M.dismiss()
  in_current_buffer(Ghost.abort)
end

---Put a part of the suggestion into the text; the rest stays shown.
---@param part midfill.Part
function M.accept(part)
  in_current_buffer(Ghost.accept, part)
end

---Show another suggestion for the same place.
---@param step 1|-1
function M.select(step)
  in_current_buffer(Ghost.select, step)
end

return M
