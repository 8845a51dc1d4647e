-- Asks every member all the time whether it would serve a call, the way calls take: by NGINX's own proxy, with the same
-- certificates. One worker does it for all, another one takes over when that one ends.
local cjson = require "cjson.safe"
local flights = require "edge.flights"
local members = require "edge.members"

local shared = ngx.shared.edge
local M = {}
local socket
local due, busy, failed, tools_due = {}, {}, {}, {}

local TICK = 0.1
-- So long another worker waits for a word of the one that checks.
local LEASE = 1.5
-- How often a member must give no answer to count as down; it gets no calls from the first time on.
local FALLS = 2
local TOOLS_EVERY = 30

-- Ask a member by our own control socket; returns status and body, or nil and why not.
local function ask(what, id, timeout)
    local connection = ngx.socket.tcp()
    connection:settimeouts(500, 500, timeout * 1000 + 500)
    local done, mistake = connection:connect("unix:" .. socket)
    if not done then
        return nil, mistake
    end
    connection:send("GET /" .. what .. "/" .. id .. " HTTP/1.0\r\nHost: edge\r\n\r\n")
    local answer
    answer, mistake = connection:receive("*a")
    connection:close()
    if not answer then
        return nil, mistake
    end
    local status, body = answer:match("^HTTP/1%.%d (%d+).-\r\n\r\n(.*)$")
    return tonumber(status), body or "no answer"
end

local function learn_tools(id, timeout)
    local status, body = ask("tools", id, timeout)
    local found = status == 200 and cjson.decode(body)
    if found and type(found.read_only) == "table" then
        members.set_tools(id, found.read_only)
    elseif status == 404 then
        members.set_tools(id, nil)
    end
end

local function check(premature, id, settings)
    if premature then
        return
    end
    local status, body = ask("check", id, settings.check_timeout)
    if status == 200 then
        failed[id] = 0
        if members.health(id) ~= "up" or (tools_due[id] or 0) < ngx.now() then
            tools_due[id] = ngx.now() + TOOLS_EVERY
            learn_tools(id, settings.check_timeout)
        end
        members.set_health(id, "up", "")
    elseif status == 503 then
        -- It says so itself: it drains, or has no database.
        local said = cjson.decode(body)
        local reasons = type(said) == "table" and type(said.reasons) == "table" and table.concat(said.reasons, "; ")
        members.set_health(id, "down", reasons or "not ready")
    else
        failed[id] = (failed[id] or 0) + 1
        members.penalize(id)
        if failed[id] >= FALLS then
            local why = { [502] = "no connection, or not with its own certificate", [504] = "no answer in time" }
            members.set_health(id, "down", why[status] or (status and "status " .. status or body))
        end
    end
    busy[id] = nil
end

local function holds_lease()
    local me = ngx.worker.pid()
    if shared:get("checker") == me then
        shared:set("checker", me, LEASE)
        return true
    end
    return (shared:add("checker", me, LEASE))
end

local function tick(premature)
    if premature then
        if shared:get("checker") == ngx.worker.pid() then
            shared:delete("checker")
        end
        flights.alive(3600)
        return
    end
    flights.alive(10)
    if not holds_lease() then
        return
    end
    members.load()
    local view, now = members.view(), ngx.now()
    for _, member in ipairs(view.members) do
        local id = member.id
        if member.state ~= "removed" and not busy[id] and (due[id] or 0) <= now then
            due[id], busy[id] = now + view.settings.check_interval, true
            if not ngx.timer.at(0, check, id, view.settings) then
                busy[id] = nil
            end
        end
    end
end

-- For init_worker_by_lua.
function M.start(control_socket)
    socket = control_socket
    math.randomseed(ngx.now() * 1000 + ngx.worker.pid())
    flights.alive(10)
    ngx.timer.every(TICK, tick)
end

return M
