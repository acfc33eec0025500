---Private, offline code completion as ghost text, and next edits; see |midfill.txt|.
---
---These are the functions for users. Other modules are loaded by them when they are first called, so that Neovim starts
---at once.
local M = {}

M.options = nil ---@type midfill.Options? The options that |midfill.setup()| has set; nil before.

---Map the keys for ghost text and next edits.
---@param options midfill.Options
local function map_keys(options)
  local display = require("midfill.display")
  local keys = require("midfill.keys")
  local next_edit = require("midfill.next_edit")
  local key_modes = require("midfill.options").key_modes
  ---@param name string The key's name in the options.
  ---@param description string
  ---@param wanted fun(): boolean
  ---@param act fun()
  local function map(name, description, wanted, act)
    keys.map(key_modes[name] or "i", options.keys[name], description, wanted, act)
  end
  ---@return boolean
  local function any_visible()
    return display.visible() or next_edit.visible()
  end
  keys.unmap()
  map("accept", "accept the suggestion, or the next edit", any_visible, function()
    if display.visible() then
      display.accept("all")
    else
      next_edit.accept()
    end
  end)
  map("accept_line", "accept the suggestion's next line", display.visible, function()
    display.accept("line")
  end)
  map("accept_word", "accept the suggestion's next word", display.visible, function()
    display.accept("word")
  end)
  map("dismiss", "dismiss the suggestion, or the next edit", any_visible, function()
    if display.visible() then
      M.dismiss()
      next_edit.refresh()
    else
      next_edit.dismiss()
    end
  end)
  map("next", "show another suggestion", display.is_active, M.next)
  map("previous", "show the suggestion before", display.is_active, M.previous)
  map("next_edit", "go to the next edit, or apply it", next_edit.visible, next_edit.accept)
  map("dismiss_next_edit", "dismiss the next edit", next_edit.visible, next_edit.dismiss)
end

---Start the server, or restart it when its command has changed.
---@param options midfill.Options
---@param before midfill.Options? The options so far.
local function start(options, before)
  local server = require("midfill.server")
  if vim.fn.executable(options.cmd[1]) == 0 then
    local message = ("there is no program '%s'; see `:checkhealth midfill`"):format(options.cmd[1])
    require("midfill.notify")(message, vim.log.levels.ERROR)
  elseif before and not vim.deep_equal(before.cmd, options.cmd) then
    server.restart()
  else
    server.start()
    require("midfill.display").refresh()
  end
end

---Start Midfill, or go on with other options.
---@param given table? See |midfill-options|.
function M.setup(given)
  local clients = require("midfill.clients")
  local display = require("midfill.display")
  local options, problems = require("midfill.options").complete(given)
  for _, problem in ipairs(problems) do
    require("midfill.notify")(problem, vim.log.levels.WARN)
  end
  options.cmd = require("midfill.program").find(options.cmd)
  local before = M.options
  M.options = options
  local own_ghost_text = display.configure(options)
  require("midfill.server").configure(options, own_ghost_text)
  map_keys(options)
  require("midfill.next_edit").enable(options.settings.nextEdit == true)
  vim.api.nvim_create_autocmd("LspAttach", {
    group = vim.api.nvim_create_augroup("midfill", { clear = true }),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == clients.NAME then
        display.refresh()
      end
    end,
  })
  start(options, before)
end

---Whether there is ghost text to accept.
---@return boolean
function M.visible()
  return require("midfill.display").visible()
end

---@param part midfill.Part
---@return boolean
local function accept(part)
  local visible = M.visible()
  if visible then
    vim.schedule(function() -- the text may not change while Neovim evaluates a mapping
      require("midfill.display").accept(part)
    end)
  end
  return visible
end

---Accept the whole suggestion. Return false if there is none, for mappings that then do something else.
---@return boolean
function M.accept()
  return accept("all")
end

---Accept the suggestion's next line; otherwise as |midfill.accept()|.
---@return boolean
function M.accept_line()
  return accept("line")
end

---Accept the suggestion's next word; otherwise as |midfill.accept()|.
---@return boolean
function M.accept_word()
  return accept("word")
end

---Show another suggestion; ask for one if there is none.
function M.next()
  require("midfill.display").select(1)
end

---Show the suggestion before.
function M.previous()
  require("midfill.display").select(-1)
end

---Remove the suggestion.
function M.dismiss()
  require("midfill.display").dismiss()
end

---Go to the next edit; where the cursor is there already, apply it. Return false if there is none, for mappings that
---then do something else.
---@return boolean
function M.next_edit()
  local next_edit = require("midfill.next_edit")
  local visible = next_edit.visible()
  if visible then
    vim.schedule(next_edit.accept) -- the text may not change while Neovim evaluates a mapping
  end
  return visible
end

---Remove the next edit.
function M.dismiss_next_edit()
  require("midfill.next_edit").dismiss()
end

---Return where the next edit is, for a status line, such as "next edit: line 12"; "" if none is shown.
---@return string
function M.next_edit_status()
  return require("midfill.next_edit").status()
end

---Pause suggestions: everywhere, in the current buffer, or in all buffers of its file type.
---@param scope midfill.Scope? "all" by default.
function M.pause(scope)
  require("midfill.pause").pause(scope or "all")
  require("midfill.display").refresh()
  require("midfill.next_edit").refresh()
end

---End every pause.
function M.resume()
  require("midfill.pause").resume()
  require("midfill.display").refresh()
  require("midfill.next_edit").refresh()
end

---What Midfill does in the current buffer, in one word for a status line.
---@return midfill.ServerStatus|"paused"
function M.status()
  local status = require("midfill.status").get()
  if status ~= "stopped" and require("midfill.pause").is_paused(vim.api.nvim_get_current_buf()) then
    return "paused"
  end
  return status
end

return M
