-- SPDX-License-Identifier: Apache-2.0
--
-- For wrk: gets or sets keys of one store through daprd's HTTP API, and prints
-- one line of JSON. Arguments: the store's name, and "get" or "set".

local keys = 1000
local value = string.rep("v", 128)
local number = 0
local store, op

function init(args)
   store, op = args[1], args[2]
end

function request()
   number = number + 1
   local key = "key-" .. number % keys
   if op == "get" then
      return wrk.format("GET", "/v1.0/state/" .. store .. "/" .. key)
   end
   local body = '[{"key":"' .. key .. '","value":"' .. value .. '"}]'
   return wrk.format("POST", "/v1.0/state/" .. store,
                     {["Content-Type"] = "application/json"}, body)
end

function done(summary, latency, requests)
   local errors = summary.errors
   io.write(string.format(
      '\nJSON {"calls": %d, "qps": %.0f, "p50_us": %d, "p99_us": %d, ' ..
      '"errors": %d}\n',
      summary.requests, summary.requests / summary.duration * 1e6,
      latency:percentile(50), latency:percentile(99),
      errors.connect + errors.read + errors.write + errors.status +
      errors.timeout))
end
