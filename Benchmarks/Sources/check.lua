-- Has wrk check the status and the body of every answer, and write what it measured as JSON.

local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init(arguments)
    body, wrong = arguments[1], 0
end

function response(status, _, content)
    if status ~= 200 or content ~= body then wrong = wrong + 1 end
end

function done(summary, latency)
    local count, errors = 0, summary.errors
    for _, thread in ipairs(threads) do count = count + thread:get("wrong") end
    count = count + errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format(
        'JSON {"requests": %d, "seconds": %f, "wrong": %d, "p50": %f, "p99": %f}\n',
        summary.requests, summary.duration / 1e6, count,
        latency:percentile(50), latency:percentile(99)))
end
