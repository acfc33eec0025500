---Draws what a predicted edit changes: old text is highlighted, new text is virtual text beside it or lines below it.
local M = {}

local namespace = vim.api.nvim_create_namespace("midfill.next_edit.drawing")
local NEW, OLD = "MidfillNextEditNew", "MidfillNextEditOld"

---Remove what is drawn in a buffer.
---@param bufnr integer
function M.clear(bufnr)
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  end
end

---Return a text for virtual text, which has no tabs of its own.
---@param bufnr integer
---@param text string
---@return string
local function without_tabs(bufnr, text)
  return (text:gsub("\t", (" "):rep(vim.bo[bufnr].tabstop)))
end

---@param prediction midfill.Prediction
---@param change midfill.Change A change within a line.
local function draw_inline(prediction, change)
  local bufnr = prediction.bufnr
  local row, col = prediction:position(change.start)
  local _, end_col = prediction:position(change.stop)
  if end_col > col then
    vim.api.nvim_buf_set_extmark(bufnr, namespace, row, col, { end_col = end_col, hl_group = OLD })
  end
  if change.text ~= "" then
    local text = { { without_tabs(bufnr, change.text), NEW } }
    vim.api.nvim_buf_set_extmark(bufnr, namespace, row, end_col, { virt_text = text, virt_text_pos = "inline" })
  end
end

---Return how many lines are equal at the start, and at the end, of two lists.
---@param before string[]
---@param after string[]
---@return integer above
---@return integer below
local function equal_ends(before, after)
  local above, below = 0, 0
  local shorter = math.min(#before, #after)
  while above < shorter and before[above + 1] == after[above + 1] do
    above = above + 1
  end
  while below < shorter - above and before[#before - below] == after[#after - below] do
    below = below + 1
  end
  return above, below
end

---@param prediction midfill.Prediction
---@param first integer The lines that the changes touch.
---@param last integer
---@param changes midfill.Change[]
local function draw_lines(prediction, first, last, changes)
  local bufnr = prediction.bufnr
  local before, after = prediction:lines(first, last, changes)
  local above, below = equal_ends(before, after)
  first, last = first + above, last - below
  for row = first, last do
    vim.api.nvim_buf_set_extmark(
      bufnr,
      namespace,
      row,
      0,
      { end_row = row + 1, hl_group = OLD, hl_eol = true, strict = false }
    )
  end
  local lines = vim.tbl_map(function(line)
    return { { without_tabs(bufnr, line), NEW } }
  end, vim.list_slice(after, above + 1, #after - below))
  if #lines > 0 then
    -- Below what is replaced, or below the line before; above the first line if there is none before.
    vim.api.nvim_buf_set_extmark(
      bufnr,
      namespace,
      math.max(last, 0),
      0,
      { virt_lines = lines, virt_lines_above = last < 0 }
    )
  end
end

---Return the runs of changes that touch the same lines.
---@param prediction midfill.Prediction
---@return { first: integer, last: integer, is_inline: boolean, changes: midfill.Change[] }[]
local function runs(prediction)
  local found = {}
  for _, change in ipairs(prediction.changes) do
    local first = prediction:position(change.start)
    local last = prediction:position(change.stop)
    local is_inline = first == last and not change.text:find("\n", 1, true)
    local run = found[#found]
    if run and first <= run.last then
      run.last, run.is_inline = last, run.is_inline and is_inline
      table.insert(run.changes, change)
    else
      table.insert(found, { first = first, last = last, is_inline = is_inline, changes = { change } })
    end
  end
  return found
end

---Draw an edit in its buffer.
---@param prediction midfill.Prediction
function M.draw(prediction)
  for _, run in ipairs(runs(prediction)) do
    if run.is_inline then
      for _, change in ipairs(run.changes) do
        draw_inline(prediction, change)
      end
    else
      draw_lines(prediction, run.first, run.last, run.changes)
    end
  end
end

return M
