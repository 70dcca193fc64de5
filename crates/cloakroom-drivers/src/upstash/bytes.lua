-- What is to be stored, ARGV[3], came as text: each of its letters, U+0000 to U+00FF, stands for one byte.
ARGV[3] = string.gsub(ARGV[3], '([\194\195])(.)', function(lead, rest)
  return string.char(string.byte(rest) + (lead == '\195' and 64 or 0))
end)
