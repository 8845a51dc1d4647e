-- The server instances ("members") as all workers of NGINX see them: who they are, what the operator wants of each
-- (active, drained, removed) and what the checks say (up, down). Changes hold without a reload: they come from
-- files that are looked at all the time, and live in shared memory, which outlives a reload.
local cjson = require "cjson.safe"

local shared = ngx.shared.edge
local M = {}
local paths
local view

local NOBODY = '{"policy":"round_robin","affinity":"none","canary_share":0,"check_interval":0.5,"check_timeout":0.6,'
    .. '"fail_timeout":1,"maintenance_message":"not set up yet","members":[]}'
local STATES = { active = true, drained = true, removed = true }
local POLICIES = { round_robin = true, least_conn = true }
local AFFINITIES = { none = true, address = true, credential = true }

local function read(path)
    local file = io.open(path, "r")
    if not file then
        return nil
    end
    local text = file:read("*a")
    file:close()
    return text
end

local function is_object(value)
    return type(value) == "table" and value[1] == nil
end

-- Returns the wanted members and settings, or nil and what is wrong with them.
local function parse_members(text)
    local found, mistake = cjson.decode(text)
    if not is_object(found) or type(found.members) ~= "table" then
        return nil, mistake or "it is no object with a list `members`"
    end
    if not POLICIES[found.policy] or not AFFINITIES[found.affinity] then
        return nil, "policy or affinity is unknown"
    end
    for _, name in ipairs { "canary_share", "check_interval", "check_timeout", "fail_timeout" } do
        if type(found[name]) ~= "number" then
            return nil, name .. " is no number"
        end
    end
    if type(found.maintenance_message) ~= "string" then
        return nil, "maintenance_message is no text"
    end
    for index, member in ipairs(found.members) do
        if type(member) ~= "table" or type(member.id) ~= "string" or type(member.host) ~= "string"
            or type(member.address) ~= "string" or type(member.port) ~= "number" or type(member.weight) ~= "number"
            or member.weight < 1 then
            return nil, "member " .. index .. " needs id, host, address, port and a weight of 1 or more"
        end
    end
    return found
end

-- Returns the operator's wishes by host or member, or nil and what is wrong with them.
local function parse_states(text)
    local found, mistake = cjson.decode(text)
    if not is_object(found) then
        return nil, mistake or "it is no object"
    end
    for name, state in pairs(found) do
        if not STATES[state] then
            return nil, "the state of " .. tostring(name) .. " is none of active, drained, removed"
        end
    end
    return found
end

-- Returns how much of version 1's traffic is ours, or nil and what is wrong with it.
local function parse_v1(text)
    local found, mistake = cjson.decode(text)
    if not is_object(found) then
        return nil, mistake or "it is no object"
    end
    if type(found.share) ~= "number" or found.share < 0 or found.share > 100 then
        return nil, "share is no number from 0 to 100"
    end
    return found
end

local function take(name, text, parse)
    if shared:get(name) == text then
        return false
    end
    local found, mistake = parse(text)
    if not found then
        -- What held before goes on to hold; said once, not at every look.
        if shared:get(name .. ":refused") ~= text then
            shared:set(name .. ":refused", text)
            ngx.log(ngx.ERR, "edge: ", paths[name], " is not taken over: ", mistake)
        end
        return false
    end
    shared:set(name, text)
    shared:delete(name .. ":refused")
    return true
end

-- Tell all workers that something changed.
function M.changed()
    shared:incr("version", 1, 0)
end

-- Look at the files; what changed in them holds from now on. A missing file means: nobody, no wishes.
function M.load()
    local changed = take("members", read(paths.members) or NOBODY, parse_members)
    changed = take("states", read(paths.states) or "{}", parse_states) or changed
    changed = take("v1", read(paths.v1) or '{"share":0}', parse_v1) or changed
    if changed then
        M.changed()
    end
    -- The file is there while connections are to be closed after their answer: shortly before a reload.
    if read(paths.closing) then
        shared:set("closing", true)
    elseif shared:get("closing") then
        shared:delete("closing")
    end
end

-- Called once by the master process, before there are workers.
function M.setup(wanted)
    paths = wanted
    shared:add("members", NOBODY)
    shared:add("states", "{}")
    shared:add("v1", '{"share":0}')
    M.load()
    M.changed()
end

-- Health of a member, by the last checks: up, down or unknown, and why.
function M.health(id)
    return shared:get("health:" .. id) or "unknown", shared:get("reason:" .. id) or ""
end

function M.set_health(id, health, reason)
    local before, why = M.health(id)
    if before == health and why == reason then
        return
    end
    shared:set("health:" .. id, health)
    shared:set("reason:" .. id, reason)
    if before ~= health then
        shared:set("since:" .. id, ngx.now())
        ngx.log(ngx.WARN, "edge: ", id, " is ", health, reason ~= "" and ": " or "", reason)
        M.changed()
    end
end

-- Which tools of a member only read, as it says itself; nil: it says nothing.
function M.set_tools(id, names)
    local text = names and cjson.encode(names) or nil
    if shared:get("tools:" .. id) ~= text then
        shared:set("tools:" .. id, text)
        M.changed()
    end
end

-- A member that just failed gets no calls for a moment, as long as there are others.
function M.penalize(id)
    shared:set("penalty:" .. id, true, M.view().settings.fail_timeout)
end

function M.penalized(id)
    return shared:get("penalty:" .. id) ~= nil
end

-- Tools that may be asked twice: those of which every active member that we know of says that they only read.
local function readable(members)
    local all
    for _, member in ipairs(members) do
        local text = member.state == "active" and shared:get("tools:" .. member.id)
        if text then
            local own = {}
            for _, name in ipairs(cjson.decode(text) or {}) do
                own[name] = not all or all[name] or nil
            end
            all = own
        end
    end
    return all or {}
end

-- All of the above, in one table that is made anew when something changed.
function M.view()
    local version = shared:get("version")
    if view and view.version == version then
        return view
    end
    local settings = cjson.decode(shared:get("members"))
    local states = cjson.decode(shared:get("states"))
    local by_id = {}
    for _, member in ipairs(settings.members) do
        member.state = states[member.id] or states[member.host] or "active"
        member.health = M.health(member.id)
        by_id[member.id] = member
    end
    view = {
        version = version,
        settings = settings,
        states = states,
        members = settings.members,
        by_id = by_id,
        read_only_tools = readable(settings.members),
        v1_share = cjson.decode(shared:get("v1")).share,
    }
    return view
end

-- How many members may get calls and are up.
function M.ready()
    local count = 0
    for _, member in ipairs(M.view().members) do
        if member.state == "active" and member.health == "up" then
            count = count + 1
        end
    end
    return count
end

function M.any_active()
    for _, member in ipairs(M.view().members) do
        if member.state == "active" then
            return true
        end
    end
    return false
end

return M
