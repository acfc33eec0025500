---The subcommands of `:Midfill`.
local actions = require("midfill.actions")
local clients = require("midfill.clients")
local display = require("midfill.display")
local execute = require("midfill.execute")
local midfill = require("midfill")
local next_edit = require("midfill.next_edit")
local notify = require("midfill.notify")
local page = require("midfill.page")
local server = require("midfill.server")
local settings = require("midfill.settings")

local M = {}

local SCOPES = { "buffer", "filetype" }
local SWITCH = { "on", "off" }

---@class midfill.Lines
---@field first integer From 1.
---@field last integer

---By name; each takes its first argument, the lines it is about, and all words behind the name.
---@type table<string, fun(argument: string?, range: midfill.Lines, words: string)>
local subcommands = {}

function subcommands.status()
  local text = { midfill.status(), "ghost text is " .. display.backend_name() }
  table.insert(text, "next edits are " .. (next_edit.is_wanted() and "on" or "off"))
  for _, client in ipairs(clients.all()) do
    table.insert(text, ("server for %d buffer(s)"):format(vim.tbl_count(client.attached_buffers)))
  end
  notify(table.concat(text, "; "))
end

function subcommands.restart()
  server.restart()
end

function subcommands.pause(scope)
  if scope and not vim.list_contains(SCOPES, scope) then
    local message = ("cannot pause '%s'; say buffer, filetype, or nothing for everywhere"):format(scope)
    notify(message, vim.log.levels.ERROR)
    return
  end
  midfill.pause(scope --[[@as midfill.Scope?]])
  notify(("paused %s"):format(scope and "in this " .. scope or "everywhere"))
end

function subcommands.resume()
  midfill.resume()
  notify("resumed")
end

subcommands["next-edit"] = function(switch)
  if switch and not vim.list_contains(SWITCH, switch) then
    notify(
      ("cannot set next edits to '%s'; say on, off, or nothing to ask for one"):format(switch),
      vim.log.levels.ERROR
    )
  elseif switch then
    local options = assert(midfill.options)
    options.settings = vim.tbl_extend("force", options.settings, { nextEdit = switch == "on" })
    settings.set(options.settings)
    next_edit.enable(switch == "on")
    notify("next edits are " .. switch)
  elseif not next_edit.is_wanted() then
    notify("next edits are off; `:Midfill next-edit on` turns them on", vim.log.levels.ERROR)
  else
    next_edit.ask(function()
      notify("there is no next edit; `:Midfill why` says why")
    end)
  end
end

function subcommands.doctor()
  notify("examining; this takes a few seconds")
  vim.system({ assert(midfill.options).cmd[1], "doctor" }, { text = true }, function(result)
    vim.schedule(function()
      page.show("midfill://doctor", result.stdout .. result.stderr)
    end)
  end)
end

function subcommands.why(count)
  local last = tonumber(count or 1)
  if not last or last < 1 or last % 1 ~= 0 then
    notify(("cannot explain '%s'; say how many of the last requests"):format(count), vim.log.levels.ERROR)
    return
  end
  execute.run("midfill.why", { last }, function(text)
    page.show("midfill://why", text, "markdown")
  end)
end

function subcommands.stats()
  execute.run("midfill.statistics", nil, function(text)
    page.show("midfill://stats", text)
  end)
end

function subcommands.log()
  vim.cmd.tabedit(vim.fn.fnameescape(require("vim.lsp.log").get_filename()))
  vim.cmd("normal! G")
  vim.fn.search("midfill", "bcW")
end

function subcommands.stop()
  execute.cancel()
end

for _, name in ipairs(actions.names) do
  subcommands[name] = function(_, range, words)
    actions.run(name, words, range.first, range.last)
  end
end

---Run `:Midfill` with its arguments; without any, it shows the status.
---@param arguments string[]
---@param range midfill.Lines The lines it is about.
---@param words string All that stands behind the subcommand.
function M.run(arguments, range, words)
  local name = arguments[1] or "status"
  local run = subcommands[name]
  if not run then
    local known = table.concat(M.complete("", "Midfill "), ", ")
    notify(("there is no `:Midfill %s`; there are: %s"):format(name, known), vim.log.levels.ERROR)
  elseif not midfill.options then
    notify('call `require("midfill").setup()` first', vim.log.levels.ERROR)
  else
    run(arguments[2], range, words)
  end
end

---Complete the command line.
---@param lead string What the user has typed of the word.
---@param line string
---@return string[]
function M.complete(lead, line)
  local choices = vim.tbl_keys(subcommands)
  if line:match("^%s*Midfill%s+pause%s") then
    choices = SCOPES
  elseif line:match("^%s*Midfill%s+next%-edit%s") then
    choices = SWITCH
  elseif line:match("^%s*Midfill%s+%S+%s") then
    choices = {}
  end
  choices = vim.tbl_filter(function(choice)
    return vim.startswith(choice, lead)
  end, choices)
  table.sort(choices)
  return choices
end

return M
