-- Reads a request as far as the edge has to know it: may it be sent again when the instance that had it is lost, and
-- which id does an answer of our own carry.
local cjson = require "cjson.safe"
local members = require "edge.members"

local M = {}

-- Requests that change nothing, so that it does no harm if two instances answer. Whoever adds a method to the server
-- that is not named here gets a call that is sent once.
local REPEATABLE = {
    ["initialize"] = true,
    ["ping"] = true,
    ["server/discover"] = true,
    ["tools/list"] = true,
    ["prompts/list"] = true,
    ["prompts/get"] = true,
    ["resources/list"] = true,
    ["resources/templates/list"] = true,
    ["resources/read"] = true,
    ["completion/complete"] = true,
    ["subscriptions/listen"] = true,
    ["notifications/initialized"] = true,
    ["notifications/cancelled"] = true,
}
local LARGEST_ID = 9007199254740992

-- Return the message of a body as the server reads it, or nil.
local function message_of(body)
    local message = body and cjson.decode(body)
    if type(message) == "table" and type(message.method) == "string" then
        return message
    end
end

-- Return whether a message may be sent to a second instance after a first one had it.
local function repeatable(message)
    if message.method ~= "tools/call" then
        return REPEATABLE[message.method] or false
    end
    local name = type(message.params) == "table" and message.params.name
    return type(name) == "string" and members.view().read_only_tools[name] or false
end

-- Return a message's id as JSON, "null" where it has none that we can say again exactly.
local function id_of(message)
    local id = message.id
    if type(id) == "string" then
        return cjson.encode(id)
    elseif type(id) == "number" and id % 1 == 0 and math.abs(id) <= LARGEST_ID then
        return string.format("%.0f", id)
    end
    return "null"
end

-- A word of the client's, as far as it may stand in a log.
local function shown(word)
    return type(word) == "string" and #word <= 64 and word:match("^[%w_/.-]+$") or ""
end

-- For access_by_lua of /mcp: hand the request on to @repeatable or @once.
function M.route()
    local var = ngx.var
    local message
    if var.request_method == "POST" then
        -- Fails for an HTTP/2 request without a length; such a call is passed on unread.
        if pcall(ngx.req.read_body) then
            message = message_of(ngx.req.get_body_data())
        end
    end
    if message then
        var.mcp_id = id_of(message)
        var.mcp_method = shown(message.method)
        var.mcp_tool = shown(type(message.params) == "table" and message.params.name)
        if message.method == "subscriptions/listen" then
            var.edge_kind = "stream"
        end
    end
    if not members.any_active() then
        return ngx.exit(503)
    end
    local where = "@once"
    if message and repeatable(message) then
        var.edge_repeatable = "yes"
        where = "@repeatable"
    end
    if ngx.shared.edge:get("closing") then
        var.edge_parting = "yes"
        where = where .. "_parting"
    end
    return ngx.exec(where)
end

local function text_of(status)
    if status == 429 then
        return -32029, "too many requests or connections from this address; try again", 1
    elseif status == 413 then
        return -32600, "the request is larger than this service takes"
    elseif status == 503 then
        return -32000, members.view().settings.maintenance_message, 30
    elseif ngx.var.edge_repeatable == "yes" or not (ngx.var.upstream_connect_time or ""):find("%d") then
        return -32000, "no instance of the service could answer; try again", 2
    elseif status == 504 then
        return -32000, "the instance gave no answer in time; the call may have been carried out"
    end
    return -32000, "the instance that had the call was lost; it may have been carried out"
end

-- For content_by_lua of the error page: an answer of the edge's own, as JSON-RPC wants it.
function M.refuse()
    local code, text, retry_after = text_of(ngx.status)
    if retry_after then
        ngx.header["Retry-After"] = retry_after
    end
    ngx.header["Content-Type"] = "application/json"
    ngx.header["Cache-Control"] = "no-store"
    local id = ngx.var.mcp_id
    ngx.print('{"jsonrpc":"2.0","id":', id ~= "" and id or "null", ',"error":{"code":', code, ',"message":',
        cjson.encode(text), '}}\n')
end

-- For header_filter_by_lua: a call that began before a reload and ends after it. NGINX closes its connection, but has
-- promised to keep it. (HTTP/2 has no such header, and says GOAWAY.)
function M.part()
    if ngx.worker.exiting() and ngx.var.edge_parting == "" and ngx.req.http_version() < 2 then
        ngx.header["Connection"] = "close"
    end
end

return M
