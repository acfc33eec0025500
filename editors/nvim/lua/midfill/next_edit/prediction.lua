---One predicted edit: what it changes in its buffer, and what is left of it while the user types it by hand.
---
---It keeps the lines that it changes as one text; an offset is a byte of that text, from 0. It is made for one version
---of the buffer. It follows a change that is a part of the edit; after any other change it is stale, and never applied.
local compat = require("midfill.compat")

local namespace = vim.api.nvim_create_namespace("midfill.next_edit.prediction")

---@class midfill.Change A part of the lines, and the text that replaces it.
---@field start integer
---@field stop integer
---@field text string

---@class midfill.Item An edit as the server sends it.
---@field text string
---@field range lsp.Range
---@field textDocument lsp.OptionalVersionedTextDocumentIdentifier
---@field command lsp.Command To be run after the edit was applied.
---@field changes lsp.TextEdit[] The smallest parts of the edit, in the order of the document.

---@class midfill.Prediction
---@field bufnr integer
---@field item midfill.Item
---@field changes midfill.Change[] What is left, in order; at least one.
---@field private version integer The version of the buffer that the changes are for.
---@field private row integer The first of the lines.
---@field private text string The lines.
---@field private line_count integer How many lines the buffer has.
local Prediction = {}
Prediction.__index = Prediction

---Return the version of a buffer that the server knows, or is about to be told; nil if no server knows the buffer.
---@param bufnr integer
---@return integer?
function Prediction.version_of(bufnr)
  return vim.lsp.util.buf_versions[bufnr]
end

---@param bufnr integer
---@param first integer
---@param last integer
---@return string
local function lines_of(bufnr, first, last)
  return table.concat(vim.api.nvim_buf_get_lines(bufnr, first, last + 1, false), "\n")
end

---Return the offset of a position; the place behind the last line break of the buffer is behind the text.
---@param text string
---@param row integer The text's first line.
---@param position lsp.Position
---@param encoding "utf-8"|"utf-16"|"utf-32"
---@return integer
local function offset_of(text, row, position, encoding)
  local offset = 0
  for _, line in ipairs(vim.split(text, "\n", { plain = true })) do
    if row == position.line then
      return offset + compat.byte_index(line, position.character, encoding)
    end
    offset = offset + #line + 1
    row = row + 1
  end
  return offset
end

---Keep a change within the text. For the server there is a line break behind the last line; Neovim's lines have none.
---@param change midfill.Change
---@param text string
local function keep_within(change, text)
  if change.stop <= #text then
    return
  end
  local removes_lines = change.text == "" and change.start > 0 and text:byte(change.start) == ("\n"):byte()
  change.text = change.text:gsub("\n$", "")
  if change.start > #text then
    change.text = "\n" .. change.text
  end
  change.start = removes_lines and change.start - 1 or math.min(change.start, #text)
  change.stop = #text
end

---Return the prediction that an answer holds; nil if it is not for the text that the buffer has now, or if the text may
---not be changed.
---@param client vim.lsp.Client
---@param item midfill.Item
---@return midfill.Prediction?
function Prediction.new(client, item)
  local bufnr = vim.uri_to_bufnr(item.textDocument.uri)
  local version = Prediction.version_of(bufnr)
  if item.textDocument.version ~= version or not vim.bo[bufnr].modifiable or #item.changes == 0 then
    return nil
  end
  local line_count = vim.api.nvim_buf_line_count(bufnr)
  local row = math.max(math.min(item.range.start.line, line_count) - 1, 0) -- whole lines may go, with the break before
  local text = lines_of(bufnr, row, item.range["end"].line)
  local changes = {}
  for _, part in ipairs(item.changes) do
    local change = {
      start = offset_of(text, row, part.range.start, client.offset_encoding),
      stop = offset_of(text, row, part.range["end"], client.offset_encoding),
      text = part.newText,
    }
    keep_within(change, text)
    table.insert(changes, change)
  end
  return setmetatable({
    bufnr = bufnr,
    item = item,
    changes = changes,
    version = version,
    row = row,
    text = text,
    line_count = line_count,
  }, Prediction)
end

---Return where an offset is in the buffer, in bytes from 0.
---@param offset integer
---@return integer row
---@return integer col
function Prediction:position(offset)
  local before = self.text:sub(1, offset)
  local _, breaks = before:gsub("\n", "")
  return self.row + breaks, #before:match("[^\n]*$")
end

---Return the first and the last line that it changes.
---@return integer first
---@return integer last
function Prediction:rows()
  local first = self:position(self.changes[1].start)
  local last = self:position(self.changes[#self.changes].stop)
  return first, last
end

---Return some of the lines as they are, and as they will be.
---@param first integer
---@param last integer
---@param changes midfill.Change[] Changes within these lines.
---@return string[] before
---@return string[] after
function Prediction:lines(first, last, changes)
  local lines = vim.split(self.text, "\n", { plain = true })
  local before = vim.list_slice(lines, first - self.row + 1, last - self.row + 1)
  local at = #table.concat(lines, "\n", 1, first - self.row) + (first > self.row and 1 or 0)
  local stop = at + #table.concat(before, "\n")
  local after = {}
  for _, change in ipairs(changes) do
    vim.list_extend(after, { self.text:sub(at + 1, change.start), change.text })
    at = change.stop
  end
  table.insert(after, self.text:sub(at + 1, stop))
  return before, vim.split(table.concat(after), "\n", { plain = true })
end

---Return how much of a new text is there already, while it replaces an old one by hand. Nil if what is there now is not
---on the way from the old text to the new one.
---@param old string
---@param new string
---@param now string
---@return integer? made In bytes.
local function progress(old, new, now)
  local made = 0
  while made < #now and now:byte(made + 1) == new:byte(made + 1) do
    made = made + 1
  end
  if vim.endswith(old, now:sub(made + 1)) then
    return made
  end
end

---Return what is left of the changes, now that the text is another one. Nil unless the user has made a part of one.
---@param changes midfill.Change[]
---@param before string
---@param now string
---@return midfill.Change[]?
local function rest_of(changes, before, now)
  local grown = #now - #before
  for index, change in ipairs(changes) do
    local stop = change.stop + grown
    local same_around = now:sub(1, change.start) == before:sub(1, change.start)
      and now:sub(math.max(stop, change.start) + 1) == before:sub(change.stop + 1)
    local old = before:sub(change.start + 1, change.stop)
    local made = same_around and progress(old, change.text, now:sub(change.start + 1, stop))
    if made then
      local rest = vim.list_slice(changes, 1, index - 1)
      if change.start + made < stop or made < #change.text then
        table.insert(rest, { start = change.start + made, stop = stop, text = change.text:sub(made + 1) })
      end
      for later = index + 1, #changes do
        local other = changes[later]
        table.insert(rest, { start = other.start + grown, stop = other.stop + grown, text = other.text })
      end
      return rest
    end
  end
end

---Follow the buffer. Return whether the edit can still be made there: nothing has changed, or the user has made a part
---of it by hand.
---@return boolean
function Prediction:follow()
  local version = vim.api.nvim_buf_is_loaded(self.bufnr) and Prediction.version_of(self.bufnr)
  if version == self.version then
    return true
  elseif not version then
    return false
  end
  local line_count = vim.api.nvim_buf_line_count(self.bufnr)
  local now = lines_of(self.bufnr, self.row, self:position(#self.text) + line_count - self.line_count)
  local rest = now ~= self.text and rest_of(self.changes, self.text, now)
  if not rest or #rest == 0 then
    return false
  end
  self.changes, self.text, self.line_count, self.version = rest, now, line_count, version
  return true
end

---Change the buffer. Nothing happens if the edit is stale.
---@return integer? row Where the last change ends; nil if the edit is stale.
---@return integer? col
function Prediction:apply()
  if not self:follow() then
    return nil
  end
  local mark ---@type integer?
  for index = #self.changes, 1, -1 do
    local change = self.changes[index]
    local row, col = self:position(change.start)
    local end_row, end_col = self:position(change.stop)
    local lines = vim.split(change.text, "\n", { plain = true })
    vim.api.nvim_buf_set_text(self.bufnr, row, col, end_row, end_col, lines)
    if not mark then
      local last_col = #lines == 1 and col + #lines[1] or #lines[#lines]
      mark = vim.api.nvim_buf_set_extmark(self.bufnr, namespace, row + #lines - 1, last_col, {})
    end
  end
  local place = vim.api.nvim_buf_get_extmark_by_id(self.bufnr, namespace, assert(mark), {})
  vim.api.nvim_buf_del_extmark(self.bufnr, namespace, assert(mark))
  return place[1], place[2]
end

return Prediction
