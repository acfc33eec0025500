---Texts to read, each in a window of its own that `q` closes.
local M = {}

---@param name string
---@param filetype string?
---@return integer bufnr
local function buffer(name, filetype)
  local bufnr = vim.fn.bufnr("^" .. name .. "$")
  if bufnr == -1 then
    bufnr = vim.api.nvim_create_buf(false, true)
    vim.api.nvim_buf_set_name(bufnr, name)
    vim.bo[bufnr].bufhidden = "wipe"
    vim.bo[bufnr].filetype = filetype or ""
    vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = bufnr, desc = "Close" })
  end
  return bufnr
end

---Put lines into a page, if the user has not closed it.
---@param bufnr integer
---@param first integer From 0.
---@param stop integer
---@param lines string[]
local function put(bufnr, first, stop, lines)
  if vim.api.nvim_buf_is_valid(bufnr) then
    vim.bo[bufnr].modifiable = true
    vim.api.nvim_buf_set_lines(bufnr, first, stop, false, lines)
    vim.bo[bufnr].modifiable = false
  end
end

---Show a text, in the window that shows the page of this name if there is one.
---@param name string
---@param text string
---@param filetype string?
---@param stay boolean? Whether the cursor stays in its window.
---@return integer bufnr
function M.show(name, text, filetype, stay)
  local bufnr = buffer(name, filetype)
  local window = vim.fn.bufwinid(bufnr)
  if window == -1 then
    window = vim.api.nvim_open_win(bufnr, not stay, { split = "below", win = -1 })
    vim.wo[window].wrap, vim.wo[window].linebreak = true, true
  elseif not stay then
    vim.api.nvim_set_current_win(window)
  end
  put(bufnr, 0, -1, vim.split(vim.trim(text), "\n"))
  vim.api.nvim_win_set_cursor(window, { 1, 0 })
  return bufnr
end

---Add to the end of a page.
---@param bufnr integer
---@param text string
function M.append(bufnr, text)
  if vim.api.nvim_buf_is_valid(bufnr) then
    local last = vim.api.nvim_buf_get_lines(bufnr, -2, -1, false)[1]
    put(bufnr, -2, -1, vim.split(last .. text, "\n"))
  end
end

---Change the first line of a page.
---@param bufnr integer
---@param title string
function M.set_title(bufnr, title)
  put(bufnr, 0, 1, { title })
end

return M
