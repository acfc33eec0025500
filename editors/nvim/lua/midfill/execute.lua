---The server's own commands, such as "midfill.why".
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local notify = require("midfill.notify")

local REQUEST_CANCELLED = -32800 -- an error code of the language server protocol

local M = {}

---@class midfill.Request A request that the server has not answered.
---@field client vim.lsp.Client
---@field id integer

local last ---@type midfill.Request? The command that was sent last.

---Have the server run a command. An error is shown to the user.
---@param command string
---@param arguments any[]?
---@param on_result fun(result: any)? Called with the answer.
function M.run(command, arguments, on_result)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = clients.of_buffer(bufnr) or clients.all()[1]
  if not client then
    notify("the server does not run", vim.log.levels.ERROR)
    return
  end
  local params = { command = command, arguments = arguments }
  local _, id ---@type boolean, integer?
  _, id = compat.call(client, "request", "workspace/executeCommand", params, function(err, result)
    if last and last.id == id then
      last = nil
    end
    if err and err.code ~= REQUEST_CANCELLED then
      notify(err.message, vim.log.levels.ERROR)
    elseif not err and on_result then
      on_result(result)
    end
  end, bufnr)
  last = id and { client = client, id = id }
end

---Cancel the command that was sent last, if the server still works on it.
function M.cancel()
  if last then
    compat.call(last.client, "cancel_request", last.id)
  end
end

return M
