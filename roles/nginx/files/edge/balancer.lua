-- Chooses the member that a request goes to, and another one when that one fails.
local balancer = require "ngx.balancer"
local flights = require "edge.flights"
local members = require "edge.members"

local M = {}
local turns = {}

-- A call that was sent is repeated twice at most, or one that kills whoever works on it would kill them all.
local MOST_SENT = 3

-- Smooth weighted round robin, as NGINX's own: over any stretch each one gets its share, and none in bursts.
local function round_robin(candidates)
    local total, best = 0, nil
    for _, member in ipairs(candidates) do
        local turn = (turns[member.id] or math.random() * member.weight) + member.weight
        turns[member.id] = turn
        total = total + member.weight
        if not best or turn > turns[best.id] then
            best = member
        end
    end
    turns[best.id] = turns[best.id] - total
    return best
end

local function least_conn(candidates)
    local fewest, least = {}, nil
    for _, member in ipairs(candidates) do
        local load = flights.own(member.id) / member.weight
        if not least or load < least then
            fewest, least = { member }, load
        elseif load == least then
            fewest[#fewest + 1] = member
        end
    end
    return round_robin(fewest)
end

-- The same client gets the same member as long as that one is there; others stay where they are when one goes.
local function by_client(candidates, client)
    local best, most
    for _, member in ipairs(candidates) do
        local score = ngx.crc32_long(client .. "|" .. member.id)
        if not most or score > most then
            best, most = member, score
        end
    end
    return best
end

-- Canary members get their share of the calls in all; the rest is shared by weight.
local function lane(candidates, share)
    local canaries, others = {}, {}
    for _, member in ipairs(candidates) do
        local side = member.canary and canaries or others
        side[#side + 1] = member
    end
    if #canaries == 0 or #others == 0 then
        return candidates
    end
    return math.random() * 100 < share and canaries or others
end

-- Return the best that there is: members that are up, of hosts not tried yet; if there are none, any that the operator
-- has not taken out, whatever the checks say of it, since they may be wrong about all and a refusal helps nobody.
local function candidates_of(view, tried)
    local ranks = { {}, {}, {}, {} }
    for _, member in ipairs(view.members) do
        if member.state == "active" and not tried.ids[member.id] then
            local rank = member.health == "down" and 4
                or members.penalized(member.id) and 3
                or tried.hosts[member.host] and 2
                or 1
            ranks[rank][#ranks[rank] + 1] = member
        end
    end
    for _, found in ipairs(ranks) do
        if #found > 0 then
            return found
        end
    end
end

local function client_of(affinity)
    if affinity == "address" then
        return ngx.var.remote_addr
    elseif affinity == "credential" then
        return ngx.var.http_authorization or ngx.var.http_x_api_key or ngx.var.remote_addr
    end
end

local function choose(view, tried)
    local candidates = candidates_of(view, tried)
    if not candidates then
        return nil
    end
    local settings = view.settings
    local client = client_of(settings.affinity)
    if client then
        return by_client(candidates, client)
    end
    candidates = lane(candidates, settings.canary_share)
    if settings.policy == "least_conn" then
        return least_conn(candidates)
    end
    return round_robin(candidates)
end

-- How many attempts of this request got as far as a connection, so that they may have been sent.
local function sent()
    local _, count = (ngx.var.upstream_connect_time or ""):gsub("%d+%.%d+", "")
    return count
end

local function point_at(member)
    ngx.var.edge_host = member.host
    local done, mistake = balancer.set_current_peer(member.address, member.port)
    if not done then
        ngx.log(ngx.ERR, "edge: ", member.id, ": ", mistake)
        return ngx.exit(ngx.ERROR)
    end
end

-- For balancer_by_lua: the next member for a client's request.
function M.pick()
    local var, view = ngx.var, members.view()
    local tried = ngx.ctx.tried
    if tried then
        M.finish()
        if balancer.get_last_failure() == "failed" then
            members.penalize(tried.last)
        end
    else
        tried = { ids = {}, hosts = {} }
        ngx.ctx.tried = tried
        balancer.set_more_tries(math.max(#view.members - 1, 1))
    end
    local member = sent() < MOST_SENT and choose(view, tried)
    if not member then
        return ngx.exit(ngx.ERROR)
    end
    tried.last, tried.ids[member.id], tried.hosts[member.host] = member.id, true, true
    var.edge_member = member.id
    flights.begin(var.edge_kind, member.id)
    point_at(member)
end

-- For balancer_by_lua: the member that a check asks for.
function M.pick_checked()
    local member = members.view().by_id[ngx.var.edge_checked]
    if not member then
        return ngx.exit(ngx.ERROR)
    end
    point_at(member)
end

-- A request is over, or its attempt at a member is.
function M.finish()
    local id = ngx.var.edge_member
    if id and id ~= "" then
        ngx.var.edge_member = ""
        flights.finish(ngx.var.edge_kind, id)
    end
end

return M
