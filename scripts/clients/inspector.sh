#!/usr/bin/env bash
# Drives a Tollgate with the official inspector, @modelcontextprotocol/inspector 2.12.0 (npx fetches it, and the Node 22 it wants):
#
#   inspector.sh http://127.0.0.1:8642/mcp KEY TOOL [argument=value …]
#
# As a client of 2025-11-25 and of 2026-07-28 it lists the tools, calls the one named and one that does not exist. Prints one line
# for each check, exits 1 if one fails.
set -uo pipefail

[ $# -ge 3 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
url=$1 key=$2 tool=$3
shift 3
export npm_config_loglevel=error
failed=0

inspect() {
  timeout 300 npx -y -p node@22 -p @modelcontextprotocol/inspector@2.12.0 mcp-inspector --cli "$url" --transport http \
    --protocol-era "$era" --header "Authorization: Bearer ${used_key:-$key}" "$@" 2>&1
}

check() {
  local what=$1 pattern=$2 seen=$3
  if grep -qE "$pattern" <<<"$seen"; then
    echo "ok   $what"
  else
    failed=1
    printf 'FAIL %s\n%s\n' "$what" "$seen"
  fi
}

pairs=()
for pair in "$@"; do pairs+=(--tool-arg "$pair"); done

for era in legacy modern; do
  listed=$(inspect --method tools/list --strict)
  check "$era: lists $tool" "\"name\": \"$tool\"" "$listed"
  check "$era: its schemas have no errors" '(^| )0 errors|^}$' "$listed"
  check "$era: $tool answers" '"isError": false' "$(inspect --method tools/call --tool-name "$tool" ${pairs[@]+"${pairs[@]}"})"
  check "$era: an unknown tool is not found" 'not found' "$(inspect --method tools/call --tool-name no_such_tool_anywhere)"
done
# It takes the 401 for an invitation to log in.
check "a wrong key is refused" 'auth_required|401' "$(used_key=tg_wrong inspect --method tools/list)"
exit $failed
