#!/usr/bin/env python3
"""Drives a Tollgate with the official Python client: pip install mcp==2.3.0

    python_mcp.py --url http://127.0.0.1:8642/mcp --key tg_… TOOL '{"argument": "value"}'
    python_mcp.py --stdio TOOL '{"argument": "value"}' -- tollgate serve --stdio --as AGENT

The whole conversation runs twice: as a client of 2026-07-28 and as an older one with its handshake. It lists the tools,
calls the one named, calls one that does not exist, and over HTTP comes with a wrong key. Prints one line for each check
and exits 1 if one fails. The result of the call is printed as JSON with --print.
"""

import argparse
import asyncio
import json
import os
import sys

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

failed = 0


def check(what: str, holds: bool, seen: object = "") -> None:
    global failed
    failed += not holds
    print(f"{'ok  ' if holds else 'FAIL'} {what}" + ("" if holds else f": {seen}"))


def over_http(url: str, key: str):
    headers = {"Authorization": f"Bearer {key}"}
    return streamable_http_client(url, http_client=httpx2.AsyncClient(headers=headers, timeout=30))


async def converse(server, mode: str, version: str, tool: str, arguments: dict, show: bool) -> None:
    async with Client(server, mode=mode) as client:
        check(f"{mode}: speaks {version}", client.protocol_version == version, client.protocol_version)
        check(f"{mode}: the server is tollgate", client.server_info.name == "tollgate", client.server_info)
        listed = {entry.name: entry for entry in (await client.list_tools()).tools}
        check(f"{mode}: lists {tool}", tool in listed, sorted(listed))
        if tool in listed:
            closed = listed[tool].input_schema.get("additionalProperties") is False
            check(f"{mode}: {tool} takes no unknown arguments", closed, listed[tool].input_schema)
        result = await client.call_tool(tool, arguments)
        check(f"{mode}: {tool} answers", not result.is_error, result)
        check(f"{mode}: text and structure agree", json.loads(result.content[0].text) == result.structured_content)
        if show:
            print(json.dumps(result.structured_content))
        try:
            unknown = await client.call_tool("no_such_tool_anywhere", {})
            check(f"{mode}: an unknown tool is an error", False, unknown)
        except MCPError as error:
            check(f"{mode}: an unknown tool is an error", error.code == -32602 and "TG301" in error.message, error)
        try:
            prompts = await client.list_prompts()
            check(f"{mode}: no prompts are offered", False, prompts)
        except MCPError as error:
            check(f"{mode}: no prompts are offered", error.code == -32601, error)


async def wrong_key(url: str) -> None:
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    async with httpx2.AsyncClient(headers={"Authorization": "Bearer tg_wrong"}) as client:
        reply = await client.post(url, json=ping)
    check("a wrong key gets 401 and a challenge", reply.status_code == 401 and "www-authenticate" in reply.headers, reply)


async def main() -> int:
    words, command = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("--url")
    parser.add_argument("--key", default=os.environ.get("TOLLGATE_KEY"))
    parser.add_argument("--stdio", action="store_true")
    parser.add_argument("--print", action="store_true", dest="show")
    parser.add_argument("tool")
    parser.add_argument("arguments", nargs="?", default="{}", type=json.loads)
    options = parser.parse_args(words)

    for mode, version in (("auto", "2026-07-28"), ("legacy", "2025-11-25")):
        if options.stdio:
            server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ))
        else:
            server = over_http(options.url, options.key)
        await converse(server, mode, version, options.tool, options.arguments, options.show)
    if not options.stdio:
        await wrong_key(options.url)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
