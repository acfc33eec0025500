vim.api.nvim_set_hl(
  0,
  "MidfillGhost",
  { default = true, link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText" }
)

vim.api.nvim_create_user_command("Midfill", function(command)
  local range = { first = command.line1, last = command.line2 }
  local words = command.args:match("^%S+%s+(.*)$") or ""
  require("midfill.commands").run(command.fargs, range, words)
end, {
  nargs = "*",
  range = true,
  desc = "Midfill: ask, explain, fix, and all else that it can do",
  complete = function(...)
    return require("midfill.commands").complete(...)
  end,
})
