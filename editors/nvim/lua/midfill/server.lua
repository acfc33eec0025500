---The server's process: started for each fitting buffer, and started again when it dies.
local compat = require("midfill.compat")

local NAME = "midfill"
local LOADING = "loading the model" -- as the server calls that; it has other work to show, too
local CANCELLED = -32800 -- LSP's code of a request that was taken back
local MOST_RESTARTS = 3
local RESTART_WINDOW_SECONDS = 180

local M = {}

local group = vim.api.nvim_create_augroup("midfill.server", { clear = true })
local ends = {} ---@type number[] When the server died, in seconds, as far as that counts.
local starting_again = false
local loading = {} ---@type table<integer, lsp.ProgressToken?> By client: the progress of loading its model.
local asked ---@type { client: vim.lsp.Client, id: integer }? The command that was sent last, until it is answered.
local settings = {} ---@type table<string, any> What the user has set.
local ever_set = {} ---@type table<string, boolean>
local base ---@type table The configuration, in Neovim without `vim.lsp.config`.

---@param message string
---@param level integer?
function M.notify(message, level)
  vim.schedule(function() -- while Neovim starts it would wait for a key
    vim.notify("Midfill: " .. message, level or vim.log.levels.INFO)
  end)
end

---@return vim.lsp.Client[]
function M.clients()
  return vim.lsp.get_clients({ name = NAME })
end

---@return "stopped"|"loading"|"ready"
function M.state()
  local clients = M.clients()
  if #clients == 0 then
    return "stopped"
  end
  for _, client in ipairs(clients) do
    if loading[client.id] or not client.initialized then
      return "loading"
    end
  end
  return "ready"
end

---Whether a running server will do: one holds a model, so all projects share it.
---@param client vim.lsp.Client
---@return boolean
local function is_same(client)
  return client.name == NAME and not compat.call(client, "is_stopped")
end

---Have the server run one of its commands, and hand on what it answers; what goes wrong is told.
---@param command string
---@param arguments any[]?
---@param answered fun(result: any)
function M.ask(command, arguments, answered)
  local bufnr = vim.api.nvim_get_current_buf()
  local client = vim.lsp.get_clients({ bufnr = bufnr, name = NAME })[1] or M.clients()[1]
  if not client then
    M.notify("the server does not run", vim.log.levels.ERROR)
    return
  end
  local params = { command = command, arguments = arguments }
  local _, id
  _, id = compat.call(client, "request", "workspace/executeCommand", params, function(err, result)
    if asked and asked.id == id then
      asked = nil
    end
    if err and err.code ~= CANCELLED then
      M.notify(err.message, vim.log.levels.ERROR)
    elseif not err then
      answered(result)
    end
  end, bufnr)
  asked = id and { client = client, id = id }
end

---Have the server stop what it was asked for last, if it is still at it.
function M.stop_asking()
  if asked then
    compat.call(asked.client, "cancel_request", asked.id)
  end
end

---Start the server for a buffer, if it is one for it; in Neovim without `vim.lsp.enable`.
---@param bufnr integer
local function start_for(bufnr)
  if vim.bo[bufnr].buftype == "" and vim.list_contains(base.filetypes, vim.bo[bufnr].filetype) then
    local config = vim.deepcopy(base)
    config.name = NAME
    config.root_dir = vim.fs.root(bufnr, base.root_markers)
    vim.lsp.start(config, { bufnr = bufnr, reuse_client = is_same })
  end
end

---Start the server, for the buffers that are open and those to come.
function M.start()
  if compat.has_config then
    vim.lsp.enable(NAME)
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

---End the server, if it runs, and start it anew.
function M.restart()
  ends = {}
  local clients = M.clients()
  starting_again = #clients > 0
  for _, client in ipairs(clients) do
    compat.call(client, "stop", true) -- a server that hangs would not listen
  end
  if #clients == 0 then
    M.start()
  end
end

---@param code integer
---@param signal integer
local function ended(code, signal)
  if vim.v.exiting ~= vim.NIL then
    return
  elseif starting_again then
    starting_again = #M.clients() > 0
    M.start()
    return
  elseif code == 0 and signal == 0 then
    return
  end
  local now = vim.uv.hrtime() / 1e9
  ends = vim.tbl_filter(function(time)
    return now - time < RESTART_WINDOW_SECONDS
  end, ends)
  table.insert(ends, now)
  local how = signal ~= 0 and ("signal %d"):format(signal) or ("exit code %d"):format(code)
  if #ends > MOST_RESTARTS then
    local message = "the server died %d times (%s) and is left alone; `:Midfill doctor` and `:Midfill log` may say why,"
      .. " `:Midfill restart` tries again"
    M.notify(message:format(#ends, how), vim.log.levels.ERROR)
    return
  end
  M.start() -- without a word: Neovim has said already that it died
end

---Go by the user's settings: servers that run are told, and those to come.
---@param given table<string, any>
local function set(given)
  settings = given
  for name in pairs(settings) do
    ever_set[name] = true
  end
  local told = vim.empty_dict()
  for name in pairs(ever_set) do
    told[name] = settings[name] == nil and vim.NIL or settings[name] -- null takes back what was said before
  end
  for _, client in ipairs(M.clients()) do
    compat.call(client, "notify", "workspace/didChangeConfiguration", { settings = { midfill = told } })
  end
end

---Tell Neovim of the server; it starts with |M.start()|.
---@param options midfill.Options
---@param own_ghost_text boolean Whether Midfill asks for suggestions itself, which the server wants to know.
function M.configure(options, own_ghost_text)
  set(options.settings)
  local config = {
    cmd = options.cmd,
    before_init = function(params)
      if next(settings) then -- an empty table would be an empty list
        params.initializationOptions = vim.tbl_deep_extend("force", params.initializationOptions or {}, settings)
      end
    end,
    filetypes = options.filetypes,
    reuse_client = is_same,
    handlers = require("midfill.actions").handlers,
    capabilities = { experimental = { midfill = { actionText = true, input = true } } },
    on_exit = function(code, signal, client_id)
      vim.schedule(function()
        loading[client_id] = nil
        ended(code, signal)
      end)
    end,
  }
  if own_ghost_text then
    config.capabilities.textDocument = { inlineCompletion = { dynamicRegistration = false } }
  end
  if compat.has_config then
    vim.lsp.config(NAME, config)
  else
    local shipped = dofile(vim.api.nvim_get_runtime_file("lsp/midfill.lua", false)[1])
    base = vim.tbl_deep_extend("force", shipped, config)
    base.capabilities = vim.tbl_deep_extend("force", vim.lsp.protocol.make_client_capabilities(), config.capabilities)
  end
  vim.api.nvim_clear_autocmds({ group = group })
  vim.api.nvim_create_autocmd("LspProgress", {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      local value = event.data.params.value
      if client and client.name == NAME and type(value) == "table" then
        local token = event.data.params.token
        if value.kind == "begin" and value.message == LOADING then
          loading[client.id] = token
        elseif value.kind == "end" and loading[client.id] == token then
          loading[client.id] = nil
        end
        vim.cmd.redrawstatus({ bang = true }) -- it may show |midfill.status()|
      end
    end,
  })
end

return M
