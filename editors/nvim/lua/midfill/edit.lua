---Reading and changing the text around the cursor of the current window. All places are in bytes from 0.
local M = {}

---Replace a range, and put the cursor behind the new text.
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

---Return where the cursor is.
---@return integer row
---@return integer col
function M.cursor()
  local row, col = unpack(vim.api.nvim_win_get_cursor(0))
  return row - 1, col
end

---Return the text of the cursor's line that is right of the cursor.
---@return string
function M.text_after_cursor()
  local _, col = M.cursor()
  return vim.api.nvim_get_current_line():sub(col + 1)
end

---Return what the user must still type of a text that begins at a place. It is nil when there is nothing left, or when
---the user has typed something else there.
---@param text string|lsp.StringValue
---@param row integer
---@param col integer
---@return string?
function M.remainder(text, row, col)
  local end_row, end_col = M.cursor()
  local ok, lines = pcall(vim.api.nvim_buf_get_text, 0, row, col, end_row, end_col, {})
  if not ok then
    return nil -- the cursor is before the place, or the place is gone
  end
  local typed = table.concat(lines, "\n")
  if type(text) == "table" then
    text = text.value
  end
  if #typed < #text and vim.startswith(text, typed) then
    return text:sub(#typed + 1)
  end
end

---Whether the user types in a buffer now.
---@param bufnr integer
---@return boolean
function M.is_inserting(bufnr)
  return bufnr == vim.api.nvim_get_current_buf() and vim.startswith(vim.api.nvim_get_mode().mode, "i")
end

return M
