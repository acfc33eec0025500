---How much of a suggestion one key accepts.
local M = {}

---@alias midfill.Part "all"|"line"|"word"

---Return the first part of a text: all of it; one line, with the line break before it; or one word, with the space
---before it.
---@param text string
---@param part midfill.Part
---@return string
function M.first(text, part)
  if part == "line" then
    return text:match("^\n?[^\n]*") or text
  elseif part == "word" then
    -- The server (items.py, `_FIRST_WORD`) and the Emacs package (midfill.el, `midfill--part`) have the same rule in
    -- their own patterns: a change here belongs there, too. Lua's patterns know bytes only. Bytes from 128 on are parts
    -- of characters outside ASCII, and most of these are letters.
    return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
  end
  return text
end

return M
