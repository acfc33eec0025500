---What a user can set, and its defaults.
---
---The help file's lists of keys and options are made from this file: run `python editors/nvim/write_help.py` after a
---change.
local M = {}

---Keys; false leaves a key alone. Each does what it did before while there is nothing that it could act on.
---@class midfill.Keys
---@field accept string|false Accept the whole suggestion.
---@field accept_line string|false Accept its next line.
---@field accept_word string|false Accept its next word.
---@field next string|false Show another suggestion.
---@field previous string|false Show the suggestion before.
---@field dismiss string|false Remove the suggestion.
---@field next_edit string|false Go to the next edit, apply it.
---@field dismiss_next_edit string|false Remove the next edit.

---@class midfill.Options
---@field cmd string[] The server's command.
---@field settings table<string, any> The server's own settings, such as `{ maxLines = 6 }`.
---@field filetypes string[]? Where Midfill works; nil for what `lsp/midfill.lua` lists.
---@field keys midfill.Keys See |midfill-keys|; `false` leaves a key alone.
---@field builtin boolean Use Neovim's own ghost text where there is one.
---@field debounce_ms integer Milliseconds to wait after a key before Midfill's own ghost text is requested.
M.defaults = {
  cmd = { "midfill", "serve" },
  settings = {},
  filetypes = nil,
  keys = {
    accept = "<Tab>",
    accept_line = "<M-l>",
    accept_word = "<M-w>",
    next = "<M-n>",
    previous = "<M-p>",
    dismiss = "<C-]>",
    next_edit = "<Tab>",
    dismiss_next_edit = "<Esc>",
  },
  builtin = true,
  debounce_ms = 50,
}

---The modes of those keys that do not belong to insert mode.
M.key_modes = { next_edit = "n", dismiss_next_edit = "n" } ---@type table<string, midfill.Mode>

local TYPES = {
  cmd = "table",
  settings = "table",
  filetypes = "table",
  keys = "table",
  builtin = "boolean",
  debounce_ms = "number",
}

---Complete a user's options by the defaults. An option that is unknown or has the wrong type is a problem, and its
---default is used.
---@param given table?
---@return midfill.Options options
---@return string[] problems
function M.complete(given)
  local accepted = {} ---@type any The given options that are good.
  local problems = {} ---@type string[]
  for name, value in pairs(given or {}) do
    if not TYPES[name] then
      table.insert(problems, ("there is no option '%s'; it is ignored"):format(name))
    elseif type(value) ~= TYPES[name] then
      table.insert(problems, ("option '%s' must be a %s; using the default"):format(name, TYPES[name]))
    else
      accepted[name] = value
    end
  end
  for name in pairs(accepted.keys or {}) do
    if M.defaults.keys[name] == nil then
      table.insert(problems, ("there is no key '%s'; it is ignored"):format(name))
    end
  end
  table.sort(problems)
  return vim.tbl_deep_extend("force", M.defaults, accepted), problems
end

return M
