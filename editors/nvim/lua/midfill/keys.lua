---Keys that act on ghost text, and otherwise do what they did before.
---
---They are mapped for all buffers. nvim-cmp and blink.cmp map theirs in each buffer and fall back to these, so an open
---menu of theirs has the key first.
local M = {}

local DESCRIPTION = "Midfill: "

local before = {} ---@type table<string, table> By key: the mapping that ours took the place of, empty for none.

---@param lhs string
---@return fun(): string? previous What the key does otherwise: returns keys to type, or has done all itself.
---@return boolean remap Whether those keys are themselves looked up as mappings.
local function previous_mapping(lhs)
  local mapping = vim.fn.maparg(lhs, "i", false, true)
  before[lhs] = mapping.buffer == 1 and {} or mapping
  local literal = vim.keycode(lhs)
  literal = #literal == 1 and literal or "" -- a chord that nobody has mapped is no text
  if vim.tbl_isempty(mapping) or mapping.buffer == 1 then
    return function()
      return literal
    end, false
  end
  local function run()
    if mapping.callback then
      local result = mapping.callback()
      return mapping.expr == 1 and result or ""
    end
    return mapping.expr == 1 and vim.api.nvim_eval(mapping.rhs) or mapping.rhs
  end
  return function()
    local keys = run() or ""
    return (mapping.expr == 0 or mapping.replace_keycodes == 1) and vim.keycode(keys) or keys
  end,
    mapping.noremap == 0
end

---Whether the built-in completion menu is open with an item chosen, whose key it then is.
---@return boolean
local function menu_has_key()
  return vim.fn.pumvisible() == 1 and vim.fn.complete_info({ "selected" }).selected ~= -1
end

---Map a key in insert mode.
---@param lhs string
---@param description string
---@param wanted fun(): boolean Whether the key acts now.
---@param act fun()
function M.map(lhs, description, wanted, act)
  local previous, remap = previous_mapping(lhs)
  vim.keymap.set("i", lhs, function()
    if wanted() and not menu_has_key() then
      vim.schedule(act) -- the text may not change while Neovim evaluates a mapping
      return ""
    end
    return previous()
  end, { expr = true, remap = remap, replace_keycodes = false, desc = DESCRIPTION .. description })
end

---Give each key back the mapping it had; one that somebody has mapped since is left alone.
function M.unmap()
  for lhs, mapping in pairs(before) do
    local now = vim.fn.maparg(lhs, "i", false, true)
    if now.buffer == 0 and vim.startswith(now.desc or "", DESCRIPTION) then
      vim.keymap.del("i", lhs)
      if not vim.tbl_isempty(mapping) then
        vim.fn.mapset("i", false, mapping)
      end
    end
  end
  before = {}
end

return M
