---Where the user has paused suggestions.
local M = {}

local everywhere = false
local filetypes = {} ---@type table<string, boolean>
local buffers = {} ---@type table<integer, boolean>

---@alias midfill.Scope "all"|"filetype"|"buffer"

---Pause everywhere, in the current buffer, or in all buffers of its file type.
---@param scope midfill.Scope
function M.pause(scope)
  if scope == "buffer" then
    buffers[vim.api.nvim_get_current_buf()] = true
  elseif scope == "filetype" then
    filetypes[vim.bo.filetype] = true
  else
    everywhere = true
  end
end

---End every pause.
function M.resume()
  everywhere, filetypes, buffers = false, {}, {}
end

---Whether suggestions are paused in a buffer.
---@param bufnr integer
---@return boolean
function M.is_paused(bufnr)
  return everywhere or buffers[bufnr] or filetypes[vim.bo[bufnr].filetype] or false
end

return M
