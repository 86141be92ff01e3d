#!/usr/bin/env python3
"""How the store in this directory was made: with the program at commit 2421972, whose schema was 2.

    AGENTCOM_HISTORY_MESSAGES=5 agentcom serve --data-dir DIR --port 4999
    generate.py http://127.0.0.1:4999 ADMIN_TOKEN
    agentcom backup --data-dir DIR COPY                                     (after the hub's end)

It is no part of the build, since today's program writes a later schema; schema_test.cpp says what
must be read.
"""
import json
import sys
import urllib.request

BASE, ADMIN = sys.argv[1:3]


def call(method, path, token=ADMIN, body=None, key=None):
    request = urllib.request.Request(BASE + path, method=method)
    request.add_header("Authorization", "Bearer " + token)
    if key:
        request.add_header("Idempotency-Key", key)
    data = None
    if body is not None:
        request.add_header("Content-Type", "application/json")
        data = json.dumps(body).encode()
    with urllib.request.urlopen(request, data) as answer:
        return json.loads(answer.read() or "null")


def send(token, to, payload, key=None, **more):
    body = {"payload": payload, **more}
    if to:
        body["to"] = to
    return call("POST", "/api/message", token, body, key)["id"]


tokens = {name: call("POST", "/admin/tokens", body={"agent_id": name})["token"] for name in ("alice", "bob", "carol")}
call("POST", "/admin/tokens", body={"agent_id": "watcher", "role": "observer", "name": "eyes"})
call("POST", "/admin/tokens", body={"agent_id": "carol", "expires_in": 31536000, "name": "short"})
call("POST", "/api/channels", tokens["alice"], {"name": "ops", "description": "about ops"})
call("POST", "/api/channels", tokens["alice"], {"name": "secret", "private": True, "members": ["bob"]})
call("POST", "/api/channels", tokens["bob"], {"name": "gone"})
for who, name in (("bob", "ops"), ("carol", "ops"), ("bob", "secret")):
    call("POST", f"/api/channels/{name}/subscribe", tokens[who], {"agent_id": who})
for n in range(1, 4):
    call("POST", "/api/channels/ops/publish", tokens["alice"], {"payload": {"n": n}})
call("POST", "/api/channels/secret/publish", tokens["alice"], {"payload": {"text": "hush"}})
root = send(tokens["alice"], "bob", "root")
send(tokens["bob"], "alice", "answer", reply_to=root)
send(tokens["carol"], "broadcast", "to all")
send(tokens["alice"], "ghost", "waits")
send(tokens["alice"], "carol", "keyed", key="key-1")
last = call("GET", "/api/mailbox/bob", tokens["bob"])["messages"]
call("POST", "/api/mailbox/bob/ack", tokens["bob"], {"seq": last[2]["seq"]})
call("DELETE", "/api/channels/gone", tokens["bob"])
call("PUT", "/api/config/mailbox-retention", body={"mailbox_ttl_ms": 864000000000})
print("made", [m["seq"] for m in last])
