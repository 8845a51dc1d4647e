-- What the balancer does, for who asks on this host: lb_member, the check of the floating address, people.
local cjson = require "cjson.safe"
local flights = require "edge.flights"
local members = require "edge.members"
local v1 = require "edge.v1"

local M = {}

-- Answer with all members and how they are.
function M.all()
    local view, under_way = members.view(), flights.under_way()
    local listed = {}
    for _, member in ipairs(view.members) do
        local health, reason = members.health(member.id)
        listed[#listed + 1] = {
            id = member.id,
            host = member.host,
            address = member.address,
            port = member.port,
            weight = member.weight,
            canary = member.canary or false,
            state = member.state,
            health = health,
            reason = reason,
            penalized = members.penalized(member.id),
            calls_made = flights.made(member.id),
            calls_under_way = under_way.call[member.id] or 0,
            streams_under_way = under_way.stream[member.id] or 0,
        }
    end
    local tools = {}
    for name in pairs(view.read_only_tools) do
        tools[#tools + 1] = name
    end
    table.sort(tools)
    ngx.header["Content-Type"] = "application/json"
    ngx.print(cjson.encode {
        policy = view.settings.policy,
        affinity = view.settings.affinity,
        canary_share = view.settings.canary_share,
        ready = members.ready(),
        members = #listed > 0 and listed or nil,
        states = view.states,
        v1 = v1.status(),
        read_only_tools = #tools > 0 and tools or nil,
    }, "\n")
end

-- Answer that NGINX works, and how many members would serve a call.
function M.alive()
    ngx.header["Content-Type"] = "application/json"
    ngx.print('{"status":"serving","ready":', members.ready(), "}\n")
end

-- Answer whether any member would serve a call, and nothing else: who they are is nobody's business.
function M.ready()
    local ready = members.ready() > 0
    ngx.status = ready and 200 or 503
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Cache-Control"] = "no-store"
    ngx.print(ready and '{"status":"ready"}' or '{"status":"not ready"}')
end

return M
