---Messages to the user.

---Show a message. It is shown a moment later: a message while Neovim starts would make the user press a key.
---@param message string
---@param level integer? One of |vim.log.levels|; INFO by default.
return function(message, level)
  vim.schedule(function()
    vim.notify("Midfill: " .. message, level or vim.log.levels.INFO)
  end)
end
