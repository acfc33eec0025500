vim.api.nvim_set_hl(
  0,
  "MidfillGhost",
  { default = true, link = vim.fn.hlexists("ComplHint") == 1 and "ComplHint" or "NonText" }
)

vim.api.nvim_set_hl(0, "MidfillNextEditNew", { default = true, link = "DiffAdd" })
vim.api.nvim_set_hl(0, "MidfillNextEditOld", { default = true, link = "DiffDelete" })
vim.api.nvim_set_hl(0, "MidfillNextEditHint", { default = true, link = "DiffText" })

vim.keymap.set({ "n", "i" }, "<Plug>(midfill-next-edit)", "<Cmd>lua require('midfill.next_edit').accept()<CR>")
vim.keymap.set({ "n", "i" }, "<Plug>(midfill-dismiss-next-edit)", "<Cmd>lua require('midfill.next_edit').dismiss()<CR>")

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
