#!/bin/sh
# The worker of the demo. A real one would be a coding agent or a build script; like this one it
# reads its prompt, reports how far it is, and leaves its work in the repository.
set -eu

# Tells how far it is: percent, then what it does.
report() {
    printf -- '---\nstate: working\nprogress: %s\nmessage: %s\nusage: {input_tokens: %s, output_tokens: %s, cost_usd: 0.0%s}\n---\n' \
        "$1" "$2" "$(($1 * 12))" "$(($1 * 3))" "$(($1 / 25))" >"$ORCH_STATUS_FILE.tmp"
    mv "$ORCH_STATUS_FILE.tmp" "$ORCH_STATUS_FILE"
}

mkdir -p site
report 10 "reading the prompt"
sleep 0.3
report 40 "writing"
sleep 0.4

case "$ORCH_TASK_ID" in
PLAN-1) echo "1. hello 2. links 3. goodbye" >site/outline.txt ;;
PLAN-2) echo "hello, links, goodbye" >site/words.txt ;;
PLAN-3) echo "header, text, footer" >site/layout.txt ;;
BUILD-2)
    # The first attempt leaves a broken link. The second finds the failure in its prompt.
    if grep -q 'broken link' "$ORCH_PROMPT_FILE"; then
        echo "[about](about.html)" >site/links.txt
    else
        echo "[about](missing.html)" >site/links.txt
    fi
    ;;
BUILD-5)
    report 80 "assembling"
    cat site/header.txt site/text.txt site/links.txt site/footer.txt >site/page.txt
    ;;
CI-1)
    # What a CI system would do when its build has passed: it opens a gate with a file.
    mkdir -p .orch/events/ci
    printf 'state: pass\nby: ci\nnote: all checks passed\n' >.orch/events/ci/.build.tmp
    mv .orch/events/ci/.build.tmp .orch/events/ci/build.yaml
    ;;
BUILD-1) echo "== hello ==" >site/header.txt ;;
BUILD-3) echo "== goodbye ==" >site/footer.txt ;;
BUILD-4) echo "Welcome to the demo." >site/text.txt ;;
*) echo "$ORCH_TASK_ID is done" >"site/$ORCH_TASK_ID.txt" ;;
esac

sleep 0.3
report 100 "finished"
echo "$ORCH_TASK_ID: finished"
