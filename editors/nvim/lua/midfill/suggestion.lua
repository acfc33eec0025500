---One answer of the server: the alternatives for a place in the text, of which one is shown.
local compat = require("midfill.compat")
local edit = require("midfill.edit")

---@class midfill.Suggestion
---@field client vim.lsp.Client
---@field items lsp.InlineCompletionItem[] The alternatives; at least one.
---@field private index integer Which of the items is shown.
---@field private row integer Where the item's text begins, in bytes from 0.
---@field private col integer
---@field private after string The text that was right of the cursor when the answer came.
---@field replaced integer How many bytes of that the item replaces.
local Suggestion = {}
Suggestion.__index = Suggestion

---Return where the text to replace begins, in bytes from 0, and how many bytes of it are right of the cursor.
---@param client vim.lsp.Client
---@param range lsp.Range?
---@return integer col
---@return integer replaced
local function extent(client, range)
  local row, col = edit.cursor()
  if not range or range.start.line ~= row or range["end"].line ~= row then
    return col, 0
  end
  local line = vim.api.nvim_get_current_line()
  local start = compat.byte_index(line, range.start.character, client.offset_encoding)
  local stop = compat.byte_index(line, range["end"].character, client.offset_encoding)
  return math.min(start, col), math.max(stop - col, 0)
end

---Make a suggestion for the place of the cursor.
---@param client vim.lsp.Client
---@param items lsp.InlineCompletionItem[] At least one.
---@param index integer Which of them to show; the last one if there are fewer.
---@return midfill.Suggestion
function Suggestion.new(client, items, index)
  index = math.min(index, #items)
  local col, replaced = extent(client, items[index].range)
  local self = {
    client = client,
    items = items,
    index = index,
    row = edit.cursor(),
    col = col,
    after = edit.text_after_cursor(),
    replaced = replaced,
  }
  return setmetatable(self, Suggestion)
end

---Return what the user has not typed yet of the item that is shown. It is nil when the text does not fit the item any
---more.
---@return string?
function Suggestion:remainder()
  if edit.text_after_cursor() ~= self.after then
    return nil
  end
  return edit.remainder(self.items[self.index].insertText, self.row, self.col)
end

---Return what the item replaces right of the cursor.
---@return string
function Suggestion:replaced_text()
  return self.after:sub(1, self.replaced)
end

---Go to another alternative. If the text does not fit that one, the old one stays.
---@param step 1|-1
function Suggestion:select(step)
  local old = self.index
  self.index = (old - 1 + step) % #self.items + 1
  if not self:remainder() then
    self.index = old
  end
end

---Return the command that the server wants to be run when the item is accepted.
---@return lsp.Command?
function Suggestion:command()
  return self.items[self.index].command
end

return Suggestion
