---Changing the buffer as a key would.
local M = {}

---Replace a range of the current buffer, counted in bytes from 0, and put the cursor behind the new text.
---@param row integer
---@param col integer
---@param end_row integer
---@param end_col integer
---@param text string
function M.replace(row, col, end_row, end_col, text)
  local lines = vim.split(text, "\n", { plain = true })
  vim.api.nvim_buf_set_text(0, row, col, end_row, end_col, lines)
  local last = #lines[#lines]
  vim.api.nvim_win_set_cursor(0, { row + #lines, #lines == 1 and col + last or last })
end

---Return the cursor's row and column of the current window, counted in bytes from 0.
---@return integer row
---@return integer col
function M.cursor()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, col
end

---Return the text of the current buffer from a place to the cursor; nil when the place is behind it or gone.
---@param row integer
---@param col integer
---@return string?
function M.text_before_cursor(row, col)
  local end_row, end_col = M.cursor()
  local ok, lines = pcall(vim.api.nvim_buf_get_text, 0, row, col, end_row, end_col, {})
  return ok and table.concat(lines, "\n") or nil
end

return M
