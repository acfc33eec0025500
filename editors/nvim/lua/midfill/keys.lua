---Keys that act on ghost text and on next edits, and otherwise do what they did before.
---
---They are mapped for all buffers. Completion plug-ins map the same keys over these and fall back to them, so that
---their open menu has the key first: blink.cmp maps in each buffer, nvim-cmp replaces the mapping for all buffers.
local M = {}

local DESCRIPTION = "Midfill: " -- what the description of each of our mappings begins with
local CMP = "cmp.utils.keymap.set_map" -- the description that nvim-cmp gives each of its mappings

---@alias midfill.Mode "i"|"n" Insert or normal mode.
---@alias midfill.Mapping table<string, any> A mapping as `nvim_get_keymap` returns it; empty for none.

---@type table<midfill.Mode, table<string, midfill.Mapping>> By mode and key: the mapping that ours has replaced.
local before = { i = {}, n = {} }
local generation = 0 -- how often the keys were unmapped; a mapping from before may live on behind another plug-in's
local acts = {} ---@type fun()[] What keys do, by number.

---Do what a key stands for.
---@param number integer
function M.run(number)
  acts[number]()
end

---Return keys that do something when they are typed. They come in turn with what else the user types, and at a time
---when the text may change, which it may not while Neovim evaluates a mapping.
---@param act fun()
---@return string
local function keys_for(act)
  table.insert(acts, act)
  return vim.keycode(("<Cmd>lua require('midfill.keys').run(%d)<CR>"):format(#acts))
end

---Return how a key is mapped for all buffers, whatever it is in this one.
---@param mode midfill.Mode
---@param lhs string
---@return midfill.Mapping
local function global_mapping(mode, lhs)
  for _, mapping in ipairs(vim.api.nvim_get_keymap(mode)) do
    if
      vim.keycode(mapping.lhs --[[@as string]]) == vim.keycode(lhs)
    then
      return mapping
    end
  end
  return {}
end

---@param mapping midfill.Mapping
---@return boolean
local function is_ours(mapping)
  return vim.startswith(mapping.desc or "", DESCRIPTION)
end

---Return the keys that an expression mapping evaluates to.
---@param mapping midfill.Mapping
---@return string
local function evaluate(mapping)
  local keys
  if mapping.callback then
    keys = mapping.callback()
  else
    keys = vim.api.nvim_eval(mapping.rhs)
  end
  keys = keys or ""
  return mapping.replace_keycodes == 1 and vim.keycode(keys) or keys
end

---@param mode midfill.Mode
---@param lhs string
---@param mapping midfill.Mapping How the key is mapped before we map it.
---@return fun(): string previous Returns the keys to type for what the key does otherwise.
---@return boolean remap Whether Neovim looks those keys up as mappings.
local function fallback(mode, lhs, mapping)
  if vim.tbl_isempty(mapping) then
    local literal = vim.keycode(lhs)
    if mode == "i" and #literal > 1 then
      literal = "" -- a chord that nobody has mapped is no text
    end
    return function()
      return literal
    end, false
  end
  local remap = mapping.noremap == 0
  if mapping.expr == 1 then
    return function()
      return evaluate(mapping)
    end, remap
  end
  local keys = mapping.callback and keys_for(mapping.callback) or vim.keycode(mapping.rhs)
  return function()
    return keys
  end, remap
end

---Whether the built-in completion menu is open with an item chosen. The key is the menu's then.
---@return boolean
local function menu_has_key()
  return vim.fn.pumvisible() == 1 and vim.fn.complete_info({ "selected" }).selected ~= -1
end

---Map a key.
---@param mode midfill.Mode
---@param lhs string|false The key; false for none.
---@param description string
---@param wanted fun(): boolean Whether the key acts now.
---@param act fun()
function M.map(mode, lhs, description, wanted, act)
  if not lhs then
    return
  end
  before[mode][lhs] = global_mapping(mode, lhs)
  local previous, remap = fallback(mode, lhs, before[mode][lhs])
  local mapped_in, keys = generation, keys_for(act)
  vim.keymap.set(mode, lhs, function()
    if mapped_in == generation and wanted() and not menu_has_key() then
      return keys
    end
    return previous()
  end, { expr = true, remap = remap, replace_keycodes = false, desc = DESCRIPTION .. description })
end

---Give each key back the mapping it had. A key that somebody has mapped since is left alone.
function M.unmap()
  for mode, replaced in pairs(before) do
    for lhs, mapping in pairs(replaced) do
      if is_ours(global_mapping(mode, lhs)) then
        vim.keymap.del(mode, lhs)
        if not vim.tbl_isempty(mapping) then
          vim.fn.mapset(mode, false, mapping)
        end
      end
    end
  end
  before = { i = {}, n = {} }
  generation = generation + 1
end

---Whether a key comes to us, as far as one can know: completion menus fall back to us, and their mappings in single
---buffers are their own affair.
---@param mode midfill.Mode
---@param lhs string
---@return boolean
function M.has(mode, lhs)
  local mapping = global_mapping(mode, lhs)
  return is_ours(mapping) or mapping.desc == CMP
end

return M
