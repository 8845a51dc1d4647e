-- Clients of version 1, at the address they know: who answers them, version 1 or ours.
local calls = require "edge.calls"
local members = require "edge.members"

local M = {}
local OURS = "v2-"
local listens, key = false, nil

-- Called by the master process where clients of version 1 are listened for. It may read the file of the API key by which
-- ours knows them; without a file they come with their own.
function M.setup(path)
    listens = true
    local file = path and io.open(path, "r")
    if file then
        key = file:read("*l")
        file:close()
    end
end

-- Without a session (new clients, or a version 1 that has none) any call may go to either side. One that has a session
-- stays where it began, until all traffic is on one side: ours knows no sessions and takes any; version 1 refuses those
-- it does not know (404), upon which clients begin anew, as MCP says.
local function is_ours()
    local share, session = members.view().v1_share, ngx.var.http_mcp_session_id
    if share >= 100 then
        return true
    elseif share <= 0 then
        return false
    elseif session then
        return session:sub(1, #OURS) == OURS
    end
    return math.random() * 100 < share
end

-- For access_by_lua of version 1's address.
function M.route()
    local ours = is_ours()
    ngx.shared.edge:incr(ours and "v1:moved" or "v1:kept", 1, 0)
    if ours then
        if key then
            ngx.req.set_header("Authorization", "Bearer " .. key)
        end
        return calls.route()
    end
    return ngx.exec("@v1")
end

-- For header_filter_by_lua: a client that begins with ours gets a session by which it is known again.
function M.name_session()
    calls.part()
    if ngx.var.mcp_method == "initialize" and ngx.status == 200 and not ngx.header["Mcp-Session-Id"] then
        ngx.header["Mcp-Session-Id"] = OURS .. ngx.var.request_id
    end
end

-- How many calls each side got, and how much of new ones is ours.
function M.status()
    local shared = ngx.shared.edge
    return {
        listens = listens,
        share = members.view().v1_share,
        kept = shared:get("v1:kept") or 0,
        moved = shared:get("v1:moved") or 0,
    }
end

return M
