---Keys that act on ghost text, and otherwise do what they did before.
---
---They are mapped for all buffers. Completion plug-ins map theirs over these and fall back to them, so that an open menu
---of theirs has the key first: blink.cmp in each buffer, nvim-cmp for all buffers where a mapping is for all.
local M = {}

local DESCRIPTION = "Midfill: "
local CMP = "cmp.utils.keymap.set_map" -- as nvim-cmp describes each of its mappings

local before = {} ---@type table<string, table> By key: the mapping that ours took the place of, empty for none.
local set_up = 0 -- how often keys were mapped anew; what was mapped before that may live on behind another plug-in's

local acts = {} ---@type fun()[] What keys do, by number.

---Do what a key stands for.
---@param number integer
function M.run(number)
  acts[number]()
end

---Return keys to type that do something: in turn with what else is typed, and when the text may be changed, which it
---may not while Neovim evaluates a mapping.
---@param act fun()
---@return string
local function keys_for(act)
  table.insert(acts, act)
  return vim.keycode(("<Cmd>lua require('midfill.keys').run(%d)<CR>"):format(#acts))
end

---Return how a key is mapped for all buffers, whatever it is in this one; empty if it is not.
---@param lhs string
---@return table
local function global_mapping(lhs)
  for _, mapping in ipairs(vim.api.nvim_get_keymap("i")) do
    if vim.keycode(mapping.lhs) == vim.keycode(lhs) then
      return mapping
    end
  end
  return {}
end

---@param mapping table
---@return boolean
local function is_ours(mapping)
  return vim.startswith(mapping.desc or "", DESCRIPTION)
end

---@param lhs string
---@return fun(): string previous The keys to type for what the key does otherwise.
---@return boolean remap Whether those keys are themselves looked up as mappings.
local function previous_mapping(lhs)
  local mapping = global_mapping(lhs)
  before[lhs] = mapping
  local literal = vim.keycode(lhs)
  literal = #literal == 1 and literal or "" -- a chord that nobody has mapped is no text
  if vim.tbl_isempty(mapping) then
    return function()
      return literal
    end, false
  end
  local remap = mapping.noremap == 0
  if mapping.expr == 0 then
    local keys = mapping.callback and keys_for(mapping.callback) or vim.keycode(mapping.rhs)
    return function()
      return keys
    end, remap
  end
  return function()
    local keys = mapping.callback and mapping.callback() or not mapping.callback and vim.api.nvim_eval(mapping.rhs)
    return mapping.replace_keycodes == 1 and vim.keycode(keys or "") or keys or ""
  end,
    remap
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
  local mapped_in, keys = set_up, keys_for(act)
  vim.keymap.set("i", lhs, function()
    if mapped_in == set_up and wanted() and not menu_has_key() then
      return keys
    end
    return previous()
  end, { expr = true, remap = remap, replace_keycodes = false, desc = DESCRIPTION .. description })
end

---Give each key back the mapping it had; one that somebody has mapped since is left alone.
function M.unmap()
  for lhs, mapping in pairs(before) do
    if is_ours(global_mapping(lhs)) then
      vim.keymap.del("i", lhs)
      if not vim.tbl_isempty(mapping) then
        vim.fn.mapset("i", false, mapping)
      end
    end
  end
  before = {}
  set_up = set_up + 1
end

---Whether a key comes to us, as far as one can know: menus fall back to us, and have it in single buffers as they like.
---@param lhs string
---@return boolean
function M.has(lhs)
  local mapping = global_mapping(lhs)
  return is_ours(mapping) or mapping.desc == CMP
end

return M
