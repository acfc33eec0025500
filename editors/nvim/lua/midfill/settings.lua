---The server's settings, and how the server learns of them.
local clients = require("midfill.clients")
local compat = require("midfill.compat")

local M = {}

local current = {} ---@type table<string, any> The settings that the user has set now.
local sent = {} ---@type table<string, boolean> The names of all settings that were ever set.

---Use other settings. Servers that run are told at once, and servers that start later are told by |M.initialize()|.
---@param settings table<string, any>
function M.set(settings)
  current = settings
  for name in pairs(settings) do
    sent[name] = true
  end
  local message = vim.empty_dict()
  for name in pairs(sent) do
    message[name] = settings[name] == nil and vim.NIL or settings[name] -- null brings back the default
  end
  for _, client in ipairs(clients.all()) do
    compat.call(client, "notify", "workspace/didChangeConfiguration", { settings = { midfill = message } })
  end
end

---Add the settings to the first message to a server.
---@param params lsp.InitializeParams
function M.initialize(params)
  if next(current) then -- Neovim sends an empty table as a list
    local given = (params.initializationOptions or {}) --[[@as table]]
    params.initializationOptions = vim.tbl_deep_extend("force", given, current)
  end
end

return M
