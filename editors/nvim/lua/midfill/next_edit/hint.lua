---A hint at the edge of the window, which says where a predicted edit is while that is out of view.
local M = {}

local namespace = vim.api.nvim_create_namespace("midfill.next_edit.hint")

---Return where an edit is, in words.
---@param prediction midfill.Prediction
---@return string
function M.place(prediction)
  local line = ("line %d"):format(prediction:rows() + 1)
  if prediction.bufnr == vim.api.nvim_get_current_buf() then
    return line
  end
  return ("%s, %s"):format(vim.fs.basename(vim.api.nvim_buf_get_name(prediction.bufnr)), line)
end

---Remove the hint from a buffer.
---@param bufnr integer
function M.clear(bufnr)
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
end

---Show the hint in the current window if the edit is out of view.
---@param prediction midfill.Prediction
function M.draw(prediction)
  local bufnr = vim.api.nvim_get_current_buf()
  local line = prediction:rows() + 1
  local top, bottom = vim.fn.line("w0"), vim.fn.line("w$")
  local arrow, edge = "→", bottom
  if prediction.bufnr == bufnr then
    if line < top then
      arrow, edge = "↑", top
    elseif line > bottom then
      arrow = "↓"
    elseif vim.fn.foldclosed(line) ~= -1 then
      edge = line
    else
      return
    end
  end
  -- A window that was not drawn yet does not know its lines.
  vim.api.nvim_buf_set_extmark(bufnr, namespace, math.max(edge - 1, 0), 0, {
    strict = false,
    virt_text = { { (" %s %s "):format(arrow, M.place(prediction)), "MidfillNextEditHint" } },
    virt_text_pos = "right_align",
  })
end

return M
