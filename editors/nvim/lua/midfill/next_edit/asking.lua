---Asks the server for the next edit: once for each version of a buffer, when the user pauses.
local Prediction = require("midfill.next_edit.prediction")
local clients = require("midfill.clients")
local compat = require("midfill.compat")

local METHOD = "textDocument/copilotInlineEdit"
-- Longer than the pauses before ghost text: its request comes first.
local PAUSE_MS = 300

local M = {}

---@alias midfill.OnAnswer fun(client: vim.lsp.Client, item: midfill.Item?) Takes the edit; nil for none.

local timer = assert(vim.uv.new_timer()) -- runs from a change to the request
local pending ---@type midfill.Request? The request that has no answer yet.
local asked = {} ---@type table<integer, integer?> By buffer: the version that was asked about last.

---Take back the request, whether it was sent or not.
function M.cancel()
  timer:stop()
  if pending then
    compat.call(pending.client, "cancel_request", pending.id)
    pending = nil
  end
end

---Return the warnings and errors of a buffer, as the protocol has them.
---@param bufnr integer
---@return lsp.Diagnostic[]
local function diagnostics_of(bufnr)
  local found = vim.diagnostic.get(bufnr, { severity = { min = vim.diagnostic.severity.WARN } })
  return vim.tbl_map(function(diagnostic)
    local place = { line = diagnostic.lnum, character = 0 } -- the server looks at lines
    return { range = { start = place, ["end"] = place }, message = diagnostic.message, severity = diagnostic.severity }
  end, found)
end

---Ask at once about the current buffer, at the cursor.
---@param on_answer midfill.OnAnswer
---@param is_invoked boolean? Whether the user asks for it.
function M.ask(on_answer, is_invoked)
  M.cancel()
  local bufnr = vim.api.nvim_get_current_buf()
  local client = clients.of_buffer(bufnr)
  if not client then
    return
  end
  local version = Prediction.version_of(bufnr)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.textDocument.version = version
  -- In the protocol's words, "invoked" and "automatic".
  params.context = { triggerKind = is_invoked and 1 or 2, diagnostics = diagnostics_of(bufnr) }
  asked[bufnr] = version
  local sent, id ---@type boolean, integer?
  sent, id = compat.call(client, "request", METHOD, params, function(err, result)
    if pending and pending.id == id then -- it was not cancelled
      pending = nil
      on_answer(client, not err and result and result.edits[1] or nil)
    end
  end, bufnr)
  pending = sent and id and { client = client, id = id } or nil
end

---Ask about the current buffer after a pause, if it has changed since the last time.
---@param on_answer midfill.OnAnswer
function M.ask_after_pause(on_answer)
  local bufnr = vim.api.nvim_get_current_buf()
  if asked[bufnr] == Prediction.version_of(bufnr) then
    return
  end
  M.cancel()
  timer:start(
    PAUSE_MS,
    0,
    vim.schedule_wrap(function()
      if bufnr == vim.api.nvim_get_current_buf() then
        M.ask(on_answer)
      end
    end)
  )
end

---Forget a buffer: its versions begin anew.
---@param bufnr integer
function M.forget(bufnr)
  asked[bufnr] = nil
end

return M
