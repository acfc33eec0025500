---The server's process: Neovim starts it for buffers of its file types, and starts it again after a crash.
local actions = require("midfill.actions")
local clients = require("midfill.clients")
local compat = require("midfill.compat")
local notify = require("midfill.notify")
local settings = require("midfill.settings")
local status = require("midfill.status")

local MAX_CRASHES = 3
local CRASH_WINDOW_SECONDS = 180

local M = {}

---@class midfill.ServerConfig : vim.lsp.ClientConfig
---@field filetypes string[]
---@field root_markers string[]

local crashes = {} ---@type number[] When the server crashed, in seconds; only crashes within the window.
local is_restarting = false -- the user has stopped the server to start it again
local config ---@type midfill.ServerConfig Used by Neovim without `vim.lsp.config` only.

---Whether a client that runs can serve another buffer: all projects share one server, since each holds a model.
---@param client vim.lsp.Client
---@return boolean
local function is_reusable(client)
  return client.name == clients.NAME and not compat.call(client, "is_stopped")
end

---Start the server for a buffer of its file types, in Neovim without `vim.lsp.enable`.
---@param bufnr integer
local function start_for(bufnr)
  if vim.bo[bufnr].buftype == "" and vim.list_contains(config.filetypes, vim.bo[bufnr].filetype) then
    local own = vim.deepcopy(config)
    own.name = clients.NAME
    own.root_dir = vim.fs.root(bufnr, config.root_markers)
    vim.lsp.start(own, { bufnr = bufnr, reuse_client = is_reusable })
  end
end

---Start the server for the buffers that are open, and for buffers that are opened later.
function M.start()
  if compat.has_config then
    vim.lsp.enable(clients.NAME)
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("midfill.start", { clear = true }),
    callback = function(event)
      start_for(event.buf)
    end,
  })
  vim.cmd("doautoall midfill.start FileType")
end

---Stop the server if it runs, and start it again.
function M.restart()
  crashes = {}
  local all = clients.all()
  is_restarting = #all > 0
  for _, client in ipairs(all) do
    compat.call(client, "stop", true) -- by force: a server that hangs does not answer a shutdown request
  end
  if #all == 0 then
    M.start()
  end
end

---Start the server again after a crash, unless it has crashed too often.
---@param cause string
local function recover(cause)
  local now = vim.uv.hrtime() / 1e9
  crashes = vim.tbl_filter(function(time)
    return now - time < CRASH_WINDOW_SECONDS
  end, crashes)
  table.insert(crashes, now)
  if #crashes > MAX_CRASHES then
    local message = "the server died %d times (%s) and is left alone; `:Midfill doctor` and `:Midfill log` may say why,"
      .. " `:Midfill restart` tries again"
    notify(message:format(#crashes, cause), vim.log.levels.ERROR)
  else
    M.start() -- without a message: Neovim has shown its own
  end
end

---@param code integer
---@param signal integer
local function on_exit(code, signal)
  if vim.v.exiting ~= vim.NIL then
    return
  elseif is_restarting then
    is_restarting = #clients.all() > 0
    M.start()
  elseif signal ~= 0 then
    recover(("signal %d"):format(signal))
  elseif code ~= 0 then
    recover(("exit code %d"):format(code))
  end
end

---Tell Neovim how to run the server. |M.start()| starts it.
---@param options midfill.Options
---@param own_ghost_text boolean Whether Midfill's own ghost text asks for suggestions; the server must know of it.
function M.configure(options, own_ghost_text)
  settings.set(options.settings)
  status.watch()
  local given = {
    cmd = options.cmd,
    before_init = settings.initialize,
    filetypes = options.filetypes,
    reuse_client = is_reusable,
    handlers = actions.handlers,
    capabilities = { experimental = { midfill = { actionText = true, input = true } } },
    on_exit = function(code, signal, client_id)
      vim.schedule(function()
        status.forget(client_id)
        on_exit(code, signal)
      end)
    end,
  }
  if own_ghost_text then
    given.capabilities.textDocument = { inlineCompletion = { dynamicRegistration = false } }
  end
  if compat.has_config then
    vim.lsp.config(clients.NAME, given)
    return
  end
  local shipped = dofile(vim.api.nvim_get_runtime_file("lsp/midfill.lua", false)[1])
  config = vim.tbl_deep_extend("force", shipped, given)
  config.capabilities = vim.tbl_deep_extend("force", vim.lsp.protocol.make_client_capabilities(), given.capabilities)
end

return M
