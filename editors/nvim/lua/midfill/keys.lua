---Keys that act on ghost text, and otherwise do what they did before.
---
---They are mapped for all buffers. nvim-cmp and blink.cmp map theirs in each buffer and fall back to these, so an open
---menu of theirs has the key first.
local M = {}

---@param lhs string
---@return fun(): string? previous What the key does otherwise: returns keys to type, or has done all itself.
---@return boolean remap Whether those keys are themselves looked up as mappings.
local function previous_mapping(lhs)
  local mapping = vim.fn.maparg(lhs, "i", false, true)
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
  end, { expr = true, remap = remap, replace_keycodes = false, desc = "Midfill: " .. description })
end

return M
