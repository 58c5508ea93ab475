# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev fmt and ./dev lint. Formats are made by one and checked by the other.

# What is neither the tree's nor Bazel's nor Debian's.
cache_folder=${XDG_CACHE_HOME:-$HOME/.cache}/statecpp
buildifier_version=8.2.1

# list_files PATTERN...: the tree's files of these names, but for those that
# tools made.
list_files() {
  local names=() pattern
  for pattern in "$@"; do names+=(-o -name "$pattern"); done
  find . \( -path './bazel-*' -o -name .git -o -name .bin -o -name .statecpp \
    -o -name node_modules -o -name .venv -o -path ./examples/java/target \) \
    -prune -o -type f \( "${names[@]:1}" \) -print
}

list_cxx() { list_files '*.h' '*.cc'; }
list_build_files() { list_files BUILD WORKSPACE '*.bzl'; }
list_shell_scripts() {
  list_files '*.sh'
  printf '%s\n' ./dev ./.ci/run
}

# npm's copy of buildifier, kept outside the tree. Sets $buildifier.
ensure_buildifier() {
  local folder=$cache_folder/buildifier-$buildifier_version
  buildifier=$folder/node_modules/.bin/buildifier
  if [[ ! -x $buildifier ]]; then
    say "installing buildifier $buildifier_version from npm into $folder"
    npm install --prefix "$folder" --no-audit --no-fund --loglevel=error \
      "@bazel/buildifier@$buildifier_version"
  fi
}

format_all() {
  ensure_packages lint
  ensure_buildifier
  say "formatting C++"
  list_cxx | xargs clang-format -i
  say "formatting BUILD files"
  list_build_files | xargs "$buildifier" -mode=fix
  if command -v gofmt > /dev/null; then
    say "formatting Go"
    gofmt -w tests/dapr examples/go
  else
    say "SKIPPED: formatting Go: no gofmt on this machine"
  fi
}

# Runs every check, whatever the others found, and names those that failed.
lint_all() {
  ensure_packages build test clang lint
  ensure_buildifier
  local failed=() check
  local checks=(check_cxx_format check_build_format check_shell check_style
    check_deploy)
  if command -v go > /dev/null; then
    # Vet last: it reads what go test compiles, which CI runs beside this.
    checks+=(check_go_format check_with_clang check_go_vet)
  else
    say "SKIPPED: gofmt and go vet: no Go on this machine"
    checks+=(check_with_clang)
  fi
  for check in "${checks[@]}"; do
    say "lint: ${check//_/ }"
    "$check" || failed+=("$check")
  done
  if [[ ${#failed[@]} -gt 0 ]]; then
    fail "lint found faults: ${failed[*]//_/ }; ./dev fmt mends formats"
  fi
  say "lint found nothing in ${#checks[@]} checks"
}

# Names the files; --dry-run shows every place in them.
check_cxx_format() {
  local unformatted
  unformatted=$(list_cxx | xargs clang-format --dry-run 2>&1 |
    sed -nE 's/^([^:]+):[0-9]+:.*-Wclang-format-violations.*/\1/p' | sort -u)
  [[ -z $unformatted ]] || { echo "not formatted: $unformatted"; return 1; }
}

check_build_format() { list_build_files | xargs "$buildifier" -mode=check; }

check_shell() { list_shell_scripts | xargs shellcheck --external-sources; }

check_style() { tests/style/tidy_test.py; }

# What deploy/ ships, by the tools and schemas of what will read it.
check_deploy() {
  build && tests/deploy/check_deploy.py bazel-bin/statecpp
}

check_go_format() {
  local unformatted
  unformatted=$(gofmt -l tests/dapr examples/go)
  [[ -z $unformatted ]] || { echo "not formatted: $unformatted"; return 1; }
}

check_go_vet() {
  CGO_ENABLED=0 GOTOOLCHAIN=${GOTOOLCHAIN:-auto} go -C tests/dapr vet \
    -tags integration ./... &&
    CGO_ENABLED=0 GOTOOLCHAIN=${GOTOOLCHAIN:-auto} go -C examples/go vet ./...
}

# Thread annotations and undeclared dependencies, which g++ does not see. For that
# nothing need be linked.
check_with_clang() {
  local packages
  mapfile -t packages < <(list_packages)
  bazel_with_clang lint build --output_groups=compilation_outputs \
    "${packages[@]}"
}
