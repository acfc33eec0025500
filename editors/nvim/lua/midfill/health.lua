---What `:checkhealth midfill` examines.
local M = {}

local health = vim.health

---Check that the program runs, and say which version it is.
---@param command string
local function check_program(command)
  if vim.fn.executable(command) == 0 then
    health.error(("there is no program '%s'"):format(command), {
      "Install Midfill (`pip install midfill`) and start Neovim where it is on the PATH,",
      'or name it: require("midfill").setup({ cmd = { "/path/to/midfill", "serve" } })',
    })
    return
  end
  local result = vim.system({ command, "--version" }, { text = true }):wait(10000)
  if result.code == 0 then
    health.ok(("%s, at %s"):format(vim.trim(result.stdout or ""), vim.fn.exepath(command)))
  else
    health.error(("'%s --version' failed"):format(command), { vim.trim(result.stderr or "") })
  end
end

---Check that no other plug-in has mapped our keys.
---@param keys midfill.Keys
local function check_keys(keys)
  for name, lhs in pairs(keys) do
    local mode = require("midfill.options").key_modes[name] or "i"
    if lhs and not require("midfill.keys").has(mode, lhs) then
      health.warn(("%s (%s) is mapped to something else since Midfill was set up"):format(lhs, name), {
        'Set Midfill up after the other plug-in, choose another key, or call `require("midfill").'
          .. name
          .. "()` in that mapping.",
      })
    end
  end
end

---Neovim calls this.
function M.check()
  local midfill = require("midfill")
  health.start("midfill")
  if vim.fn.has("nvim-0.10") == 0 then
    health.error("Neovim is too old", { "Midfill needs 0.10 or newer." })
    return
  end
  if not midfill.options then
    health.error("Midfill is not set up", { 'Call `require("midfill").setup()`.' })
    return
  end
  health.ok("ghost text is " .. require("midfill.display").backend_name())
  if require("midfill.next_edit").is_wanted() then
    health.ok("next edits are shown")
  else
    health.info('next edits are off; `require("midfill").setup({ settings = { nextEdit = true } })` turns them on')
  end
  check_program(midfill.options.cmd[1])
  check_keys(midfill.options.keys)
  local clients = require("midfill.clients").all()
  if #clients > 0 then
    health.ok(("the server runs for %d buffer(s)"):format(vim.tbl_count(clients[1].attached_buffers)))
  else
    health.info("the server does not run: no buffer that it serves is open")
  end
  health.info("`:Midfill doctor` examines the model and its speed")
end

return M
