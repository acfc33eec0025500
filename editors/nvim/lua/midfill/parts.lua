---How much of a suggestion one key accepts.
local M = {}

---@alias midfill.Part "all"|"line"|"word"

---Return the first part of a text: all of it; one line, with the line break before it; or one word, with the space.
---@param text string
---@param part midfill.Part
---@return string
function M.first(text, part)
  if part == "line" then
    return text:match("^\n?[^\n]*")
  elseif part == "word" then
    -- Bytes from 128 on are letters outside ASCII, more often than not.
    return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
  end
  return text
end

return M
