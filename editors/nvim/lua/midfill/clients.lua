---Neovim's connections to Midfill's server.
local M = {}

---The name of the server in Neovim's configuration.
M.NAME = "midfill"

---Return all connections.
---@return vim.lsp.Client[]
function M.all()
  return vim.lsp.get_clients({ name = M.NAME })
end

---Return the connection that serves a buffer.
---@param bufnr integer
---@return vim.lsp.Client?
function M.of_buffer(bufnr)
  return vim.lsp.get_clients({ bufnr = bufnr, name = M.NAME })[1]
end

return M
