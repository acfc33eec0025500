---What the server does now: it is stopped, it loads its model, or it is ready.
local clients = require("midfill.clients")

local LOADING = "loading the model" -- the server's own words; it shows the progress of other work, too

local M = {}

local loading = {} ---@type table<integer, lsp.ProgressToken?> By client: the progress of loading its model.

---@alias midfill.ServerStatus "stopped"|"loading"|"ready"

---@return midfill.ServerStatus
function M.get()
  local all = clients.all()
  if #all == 0 then
    return "stopped"
  end
  for _, client in ipairs(all) do
    if loading[client.id] or not client.initialized then
      return "loading"
    end
  end
  return "ready"
end

---Forget a client whose server has ended.
---@param client_id integer
function M.forget(client_id)
  loading[client_id] = nil
end

---@param client_id integer
---@param params lsp.ProgressParams
local function take(client_id, params)
  local value = params.value
  if type(value) ~= "table" then
    return
  elseif value.kind == "begin" and value.message == LOADING then
    loading[client_id] = params.token
  elseif value.kind == "end" and loading[client_id] == params.token then
    loading[client_id] = nil
  end
  vim.cmd.redrawstatus({ bang = true }) -- the status line may show |midfill.status()|
end

---Follow what servers say of their progress.
function M.watch()
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup("midfill.status", { clear = true }),
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == clients.NAME then
        take(client.id, event.data.params)
      end
    end,
  })
end

return M
