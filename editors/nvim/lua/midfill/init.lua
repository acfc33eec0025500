---Private, offline code completion as ghost text; see |midfill.txt|.
local M = {}

---@class midfill.Backend What shows ghost text.
---@field name string
---@field enable fun(bufnr: integer, on: boolean)
---@field visible fun(): boolean
---@field accept fun(part: midfill.Part)
---@field select fun(step: 1|-1)
---@field dismiss fun()
local backend ---@type midfill.Backend

M.options = nil ---@type midfill.Options? As they were set up; nil before.

---Start Midfill, or go on with other options.
---@param given table? See |midfill-options|.
function M.setup(given)
  local server = require("midfill.server")
  local options, problems = require("midfill.options").complete(given)
  for _, problem in ipairs(problems) do
    server.notify(problem, vim.log.levels.WARN)
  end
  local before = M.options
  M.options = options
  if before then
    M.set_shown(false) -- by what has shown ghost text so far
  end
  local builtin = options.builtin and require("midfill.compat").has_inline_completion
  if builtin then
    backend = require("midfill.builtin")
  else
    backend = require("midfill.ghost")
    require("midfill.ghost").debounce_ms = options.debounce_ms
  end
  server.configure(options, not builtin)
  require("midfill.keys").unmap()
  M.map_keys(options.keys)
  vim.api.nvim_create_autocmd("LspAttach", {
    group = vim.api.nvim_create_augroup("midfill", { clear = true }),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == "midfill" then
        M.refresh()
      end
    end,
  })
  if vim.fn.executable(options.cmd[1]) == 1 then
    if before and not vim.deep_equal(before.cmd, options.cmd) then
      server.restart()
    else
      server.start()
      M.refresh()
    end
  else
    server.notify(("there is no program '%s'; see `:checkhealth midfill`"):format(options.cmd[1]), vim.log.levels.ERROR)
  end
end

---@param part midfill.Part
---@return fun() accept Accepts it at once.
local function accepting(part)
  return function()
    backend.accept(part)
  end
end

---Map the keys for ghost text.
---@param keys midfill.Keys
function M.map_keys(keys)
  local actions = {
    { keys.accept, "accept the suggestion", accepting("all"), M.visible },
    { keys.accept_line, "accept the suggestion's next line", accepting("line"), M.visible },
    { keys.accept_word, "accept the suggestion's next word", accepting("word"), M.visible },
    { keys.dismiss, "dismiss the suggestion", M.dismiss, M.visible },
    { keys.next, "show another suggestion", M.next, M.is_active },
    { keys.previous, "show the suggestion before", M.previous, M.is_active },
  }
  for _, action in ipairs(actions) do
    local lhs, description, act, wanted = unpack(action)
    if lhs then
      require("midfill.keys").map(lhs, description, wanted, act)
    end
  end
end

---Whether Midfill serves the current buffer and is not paused there.
---@return boolean
function M.is_active()
  local bufnr = vim.api.nvim_get_current_buf()
  return #vim.lsp.get_clients({ bufnr = bufnr, name = "midfill" }) > 0 and not require("midfill.pause").is_paused(bufnr)
end

---Show suggestions in each buffer of Midfill's that is not paused, or in none.
---@param on boolean
function M.set_shown(on)
  for _, client in ipairs(require("midfill.server").clients()) do
    for bufnr in pairs(client.attached_buffers) do
      backend.enable(bufnr, on and not require("midfill.pause").is_paused(bufnr))
    end
  end
end

---Show suggestions in each buffer of Midfill's that is not paused, and in no other.
function M.refresh()
  M.set_shown(true)
end

---How ghost text is shown, in words.
---@return string
function M.backend_name()
  return backend.name
end

---Whether there is ghost text to accept.
---@return boolean
function M.visible()
  return backend ~= nil and backend.visible()
end

---@param part midfill.Part
---@return boolean
local function accept(part)
  local visible = M.visible()
  if visible then
    vim.schedule(accepting(part)) -- the text may not change while Neovim evaluates a mapping
  end
  return visible
end

---Accept all of the suggestion, if there is one; false if not, for mappings that then do something else.
---@return boolean
function M.accept()
  return accept("all")
end

---Accept the suggestion's next line.
---@return boolean
function M.accept_line()
  return accept("line")
end

---Accept the suggestion's next word.
---@return boolean
function M.accept_word()
  return accept("word")
end

---Show another suggestion; asks for one if there is none.
function M.next()
  backend.select(1)
end

---Show the suggestion before.
function M.previous()
  backend.select(-1)
end

---Take the suggestion away.
function M.dismiss()
  backend.dismiss()
end

---Suggest no more: everywhere, in the current buffer, or in its file type.
---@param scope midfill.Scope?
function M.pause(scope)
  require("midfill.pause").pause(scope or "all")
  M.refresh()
end

---Suggest again wherever that was paused.
function M.resume()
  require("midfill.pause").resume()
  M.refresh()
end

---What Midfill does for the current buffer, in a word: for a status line.
---@return "stopped"|"loading"|"ready"|"paused"
function M.status()
  local state = require("midfill.server").state()
  if state ~= "stopped" and require("midfill.pause").is_paused(vim.api.nvim_get_current_buf()) then
    return "paused"
  end
  return state
end

return M
