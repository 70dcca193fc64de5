-- Sends the same request with each cookie in turn, all of them written out beforehand.
-- Arguments: the method, and a file with a cookie in each line.
local requests, turn = {}, 0

function init(arguments)
  local method, file = arguments[1], arguments[2]
  for cookie in io.lines(file) do
    local headers = { ["Cookie"] = cookie }
    local body
    if method == "POST" then
      headers["Content-Type"] = "application/json"
      body = '{"item":"scarf-01"}'
    end
    requests[#requests + 1] = wrk.format(method, nil, headers, body)
  end
end

function done(summary)
  io.write(("bytes read: %d\n"):format(summary.bytes))
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
