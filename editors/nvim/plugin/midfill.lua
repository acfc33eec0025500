vim.api.nvim_set_hl(
  0,
  "MidfillGhost",
  { default = true, link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText" }
)

vim.api.nvim_create_user_command("Midfill", function(command)
  require("midfill.commands").run(command.fargs)
end, {
  nargs = "*",
  desc = "Midfill: status, restart, pause, resume, why, stats, doctor, log",
  complete = function(...)
    return require("midfill.commands").complete(...)
  end,
})
