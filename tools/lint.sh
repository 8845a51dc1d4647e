#!/usr/bin/env bash
# Every linter and type checker; runs all of them and fails if one does. `tools/lint.sh ruff` runs one.
set -uo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/.venv/bin:$PATH

ruff_() { ruff check --quiet . && ruff format --check --quiet --diff .; }
mypy_() { mypy && (cd server && mypy); }
yamllint_() { yamllint --strict .; }
ansible_() { ansible-lint --offline -q; }
docs_() { python -m tools.role_docs --check; }

failed=()
for check in ${1:-ruff mypy yamllint ansible docs}; do
    start=$SECONDS
    if "${check}_"; then state=ok; else state=FAILED; failed+=("$check"); fi
    printf 'lint: %-10s %-7s %3d s\n' "$check" "$state" $((SECONDS - start)) >&2
done
[ ${#failed[@]} -eq 0 ] || { echo "lint: failed: ${failed[*]}" >&2; exit 1; }
