# The processes of the demo: started in groups of their own, and all of them ended however the demo ends. Where this shell is
# killed outright, what it started sees the end of a pipe that only this shell holds open.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

work=$(mktemp -d "${TMPDIR:-/tmp}/demo.XXXXXX")
chmod 700 "$work"
# Ended last to first: the operator before the API server it talks to.
groups=()

mkfifo "$work/alive"
exec 7<>"$work/alive"

# Starts a server that ends by itself when its input does: NAME COMMAND…; its output goes to $work/NAME.{out,log}. Sets started.
start() {
    local name=$1
    shift
    set -m
    "$@" <"$work/alive" >"$work/$name.out" 2>"$work/$name.log" 7>&- &
    set +m
    started=$!
    groups+=("$started")
}

# The same for one that does not care about its input.
start_tethered() {
    start "$@"
    set -m
    { read -r _ <"$work/alive" || kill -TERM -- "-$started"; } 2>/dev/null 7>&- &
    set +m
    groups+=("$!")
}

# Runs a command that may take long and yet lets a signal through at once.
interruptible() {
    set -m
    "$@" 7>&- &
    local job=$!
    set +m
    groups+=("$job")
    wait "$job"
}

# Waits for the first line of the server just started, in which it says where it is. Sets line.
announced() {
    local name=$1 limit=$((SECONDS + $2))
    until [[ -s $work/$name.out ]]; do
        kill -0 "$started" 2>/dev/null || fail "it ended: $(tail -n 1 "$work/$name.log")"
        ((SECONDS < limit)) || fail "it has said nothing for $2 s"
        sleep 0.1
    done
    line=$(head -n 1 "$work/$name.out")
}

# The text of one field of a flat JSON object.
field() { sed -n "s/.*\"$1\":\"\\([^\"]*\\)\".*/\\1/p" <<<"$2"; }

end_group() {
    local group=$1 patience=250
    kill -TERM -- "-$group" 2>/dev/null || return 0
    while ((patience-- > 0)) && kill -0 -- "-$group" 2>/dev/null; do sleep 0.1; done
    kill -KILL -- "-$group" 2>/dev/null || true
}

finish() {
    local code=$? index
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    if [[ -n $doing && $code -ne 0 && $code -lt 128 ]]; then conclude "$red" '✗' "failed"; fi
    mkdir -p target/demo && rm -f target/demo/*.log && cp "$work"/*.log target/demo/
    if [[ $code -ne 0 && $code -lt 128 ]]; then last_words; fi
    for ((index = ${#groups[@]} - 1; index >= 0; index--)); do end_group "${groups[index]}"; done
    wait
    rm -rf "$work"
    exit "$code"
} 2>/dev/null

last_words() {
    printf 'The logs are in target/demo. The last the operator said:\n'
    tail -n 8 target/demo/operator.log 2>/dev/null | cut -c 1-500 | quote
}

trap finish EXIT
trap 'printf "\n"; exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP
