---What differs between the versions of Neovim.
local M = {}

---Whether Neovim has `vim.lsp.config` and `vim.lsp.enable`.
M.has_config = vim.fn.has("nvim-0.11") == 1
---Whether Neovim has `vim.lsp.inline_completion`.
M.has_inline_completion = vim.fn.has("nvim-0.12") == 1

---Call a method of a client. Before Neovim 0.11 these were functions without `self`.
---@param client vim.lsp.Client
---@param method "request"|"notify"|"cancel_request"|"stop"|"is_stopped"|"exec_cmd"
---@param ... any
---@return any ...
function M.call(client, method, ...)
  local methods = client --[[@as table<string, function>]]
  if M.has_config then
    return methods[method](client, ...)
  elseif method == "exec_cmd" then
    return methods._exec_cmd(client, ...)
  end
  return methods[method](...)
end

---Return the byte, from 0, at which a character of the language server protocol begins.
---@param line string
---@param character integer
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return integer
function M.byte_index(line, character, encoding)
  if M.has_config then
    return vim.str_byteindex(line, encoding, character, false)
  elseif encoding == "utf-8" then
    return math.min(character, #line)
  end
  local old_byte_index = vim.str_byteindex --[[@as fun(line: string, index: integer, utf16: boolean): integer]]
  local ok, byte = pcall(old_byte_index, line, character, encoding == "utf-16")
  return ok and byte or #line
end

return M
