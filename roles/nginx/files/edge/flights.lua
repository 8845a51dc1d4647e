-- How many calls and streams each member is working on. Counted by worker, so that what a crashed worker counted can
-- be told from the rest; a worker says every few seconds that it lives, and for how long its last calls may take.
local flights = ngx.shared.edge_flights
local M = {}
local own = {}

local function key(kind, id)
    return kind .. ":" .. id .. ":" .. ngx.worker.pid()
end

-- :param kind: "call", or "stream" for one that stays open until somebody ends it.
function M.begin(kind, id)
    own[id] = (own[id] or 0) + 1
    flights:incr(key(kind, id), 1, 0)
    flights:incr("made:" .. id, 1, 0)
end

function M.finish(kind, id)
    own[id] = own[id] - 1
    flights:incr(key(kind, id), -1, 0)
end

-- What this worker has under way with a member.
function M.own(id)
    return own[id] or 0
end

-- Calls that a member was given since NGINX started.
function M.made(id)
    return flights:get("made:" .. id) or 0
end

function M.alive(seconds)
    flights:set("worker:" .. ngx.worker.pid(), true, seconds)
end

-- Return {call = {id = n}, stream = {id = n}} of all workers that live.
function M.under_way()
    local found = { call = {}, stream = {} }
    for _, name in ipairs(flights:get_keys(0)) do
        local kind, id, pid = name:match("^(%a+):(.+):(%d+)$")
        if kind and found[kind] then
            if flights:get("worker:" .. pid) then
                found[kind][id] = (found[kind][id] or 0) + (flights:get(name) or 0)
            else
                flights:delete(name)
            end
        end
    end
    return found
end

return M
