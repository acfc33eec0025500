---Where the server's program is. A Neovim that was started from the Dock or a menu may have a short PATH.
local M = {}

---Where pipx, uv and Homebrew put programs.
M.usual_folders = { "~/.local/bin", "/opt/homebrew/bin", "/usr/local/bin" }

---Complete the name of a command's program by its path, if it is not on PATH but in one of the usual folders.
---@param command string[]
---@return string[]
function M.find(command)
  local name = command[1]
  if name:find("[/\\]") or vim.fn.executable(name) == 1 then
    return command
  end
  for _, folder in ipairs(M.usual_folders) do
    local path = vim.fn.exepath(vim.fs.joinpath(vim.fn.expand(folder), name))
    if path ~= "" then
      return { path, unpack(command, 2) }
    end
  end
  return command
end

return M
