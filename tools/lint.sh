#!/usr/bin/env bash
# Every linter and type checker; runs all of them and fails if one does. `tools/lint.sh ruff` runs one.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

ruff_() { ruff check --quiet . && ruff format --check --quiet --diff .; }
mypy_() { mypy && mypy molecule roles && (cd server && mypy); }
yamllint_() { yamllint --strict .; }
ansible_() { ansible-lint --offline -q; }
docs_() { python -m tools.role_docs --check; }

# Side by side, since one of them takes as long as all others; each one's output in one piece.
output=$(mktemp -d)
trap 'rm -rf "$output"' EXIT
declare -A pids
for check in ${1:-ruff yamllint docs mypy ansible}; do
    { start=$SECONDS; "${check}_"; code=$?; echo $((SECONDS - start)) > "$output/$check.seconds"; exit $code; } \
        > "$output/$check" 2>&1 &
    pids[$check]=$!
done
failed=()
for check in ${1:-ruff yamllint docs mypy ansible}; do
    if wait "${pids[$check]}"; then state=ok; else state=FAILED; failed+=("$check"); cat "$output/$check"; fi
    printf 'lint: %-10s %-7s %3d s\n' "$check" "$state" "$(cat "$output/$check.seconds")"
done
[ ${#failed[@]} -eq 0 ] || { echo "lint: failed: ${failed[*]}"; exit 1; }
