---Ghost text by Neovim's own `vim.lsp.inline_completion` (0.12), with what that does not do: accepting in parts, and
---accepting what was meanwhile typed into.
local compat = require("midfill.compat")
local edit = require("midfill.edit")
local parts = require("midfill.parts")

local INVOKED = 1

local group = vim.api.nvim_create_augroup("midfill.builtin", { clear = true })

local M = { name = "Neovim's own" }

---Return the object behind the ghost text of the current buffer; nil in a Neovim that keeps it elsewhere.
---
---Not public in 0.12, so it only serves for what users can do without: more suggestions, and no flicker.
---@return table?
local function completor()
  local ok, capability = pcall(require, "vim.lsp._capability")
  local known = ok and vim.tbl_get(capability, "all", "inline_completion", "active")
  return known and known[vim.api.nvim_get_current_buf()]
end

---Return what is left of an item behind the cursor; nil when the text has left it.
---@param item vim.lsp.inline_completion.Item
---@return string?
local function remainder(item)
  local text = item.insert_text
  text = type(text) == "table" and text.value or text --[[@as string]]
  local typed = item.range and edit.text_before_cursor(item.range.start_row, item.range.start_col) or ""
  if typed and #typed < #text and vim.startswith(text, typed) then
    return text:sub(#typed + 1)
  end
end

---Follow what was typed: Neovim would go on showing what that has left, and wait for what it was asked before.
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
  -- Off first: where it is on already, a server that has just come would have to wait for the next event.
  vim.lsp.inline_completion.enable(false, { bufnr = bufnr })
  vim.lsp.inline_completion.enable(on, { bufnr = bufnr })
  vim.api.nvim_clear_autocmds({ group = group, buffer = bufnr })
  if on then
    vim.api.nvim_create_autocmd({ "CursorMovedI", "TextChangedP" }, { group = group, buffer = bufnr, callback = follow })
  end
  local shown = completor()
  if on and shown and bufnr == vim.api.nvim_get_current_buf() and vim.startswith(vim.api.nvim_get_mode().mode, "i") then
    shown:automatic_request() -- what was typed before the server came has had no answer
  end
end

---@return boolean
function M.visible()
  local namespace = vim.api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  return namespace ~= nil and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

---Take the suggestion away.
function M.dismiss()
  local shown = completor()
  if shown then
    shown:abort()
  end
end

---@param item vim.lsp.inline_completion.Item
local function run_command(item)
  local client = vim.lsp.get_client_by_id(item.client_id)
  if item.command and client then
    compat.call(client, "exec_cmd", item.command, { bufnr = vim.api.nvim_get_current_buf() })
  end
end

---Insert the part of an item that is next behind the cursor; nothing if the text has left the item.
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
  vim.lsp.inline_completion.get({ -- the same, a moment later: what was typed meanwhile comes before
    on_accept = function(item)
      insert(item, part)
    end,
  })
end

---Ask outright, for then the server gives several suggestions; the built-in completion asks only as one types.
---@param shown table
---@param step 1|-1
local function ask_for_more(shown, step)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ bufnr = bufnr, name = "midfill" })[1]
  if not client then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding) --[[@as table]]
  params.context = { triggerKind = INVOKED }
  local place = { edit.cursor() }
  local had = M.visible()
  client:request("textDocument/inlineCompletion", params, function(err, result, context)
    if vim.deep_equal(place, { edit.cursor() }) then
      shown:handler(err, result, context)
      if had then
        vim.lsp.inline_completion.select({ count = step })
      end
    end
  end, bufnr)
end

---Show another suggestion for the same place; the server is asked outright when it has given only one.
---@param step 1|-1
function M.select(step)
  local shown = completor()
  if shown and shown:count_items() < 2 then
    ask_for_more(shown, step)
  else
    vim.lsp.inline_completion.select({ count = step })
  end
end

return M
