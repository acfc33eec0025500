---Where ghost text is shown, and by what: Neovim's own inline completion or Midfill's own.
local builtin = require("midfill.builtin")
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local ghost = require("midfill.ghost")
local pause = require("midfill.pause")

local M = {}

---@class midfill.Backend What shows ghost text. All but `enable` act on the current buffer.
---@field name string
---@field enable fun(bufnr: integer, on: boolean)
---@field visible fun(): boolean
---@field accept fun(part: midfill.Part)
---@field select fun(step: 1|-1)
---@field dismiss fun()
local backend = ghost ---@type midfill.Backend

---@param on boolean
local function enable(on)
  for _, client in ipairs(clients.all()) do
    for bufnr in pairs(client.attached_buffers) do
      backend.enable(bufnr, on and not pause.is_paused(bufnr))
    end
  end
end

---Use the backend that the options ask for.
---@param options midfill.Options
---@return boolean own Whether it is Midfill's own.
function M.configure(options)
  enable(false) -- by the backend so far
  ghost.debounce_ms = options.debounce_ms
  backend = options.builtin and compat.has_inline_completion and builtin or ghost
  return backend == ghost
end

---Show ghost text in each buffer that the server serves and where it is not paused, and in no other.
function M.refresh()
  enable(true)
end

---Whether the server serves the current buffer and suggestions are not paused there.
---@return boolean
function M.is_active()
  local bufnr = vim.api.nvim_get_current_buf()
  return clients.of_buffer(bufnr) ~= nil and not pause.is_paused(bufnr)
end

---What shows ghost text, in words.
---@return string
function M.backend_name()
  return backend.name
end

---Whether there is ghost text to accept.
---@return boolean
function M.visible()
  return backend.visible()
end

---Put a part of the suggestion into the text.
---@param part midfill.Part
function M.accept(part)
  backend.accept(part)
end

---Show another suggestion for the same place; the server is asked when it has given only one, or none.
---@param step 1|-1
function M.select(step)
  backend.select(step)
end

---Remove the suggestion.
function M.dismiss()
  backend.dismiss()
end

return M
