# How the demo speaks: one line a step, what it does and what came out. Colour only on a terminal, and not where NO_COLOR is set.
# shellcheck shell=bash disable=SC2034,SC2154 # the parts of the demo share their variables

if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' grey=$'\e[2m' plain=$'\e[0m'
else
    bold='' green='' red='' grey='' plain=''
fi

# What is being done, for the line that says what came out of it; empty between steps.
doing=''

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

milliseconds() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }

seconds_since() {
    local elapsed=$(($(milliseconds) - $1))
    printf '%d.%d s' $((elapsed / 1000)) $((elapsed % 1000 / 100))
}

# Begins a step. On a terminal it shows at once what is under way.
begin() {
    doing=$*
    if [[ -t 1 ]]; then printf '%s… %s%s' "$grey" "$doing" "$plain"; fi
}

# Begins a step that has output of its own or takes minutes: said in a line of its own in any case.
begin_long() {
    doing=$*
    printf '%s… %s%s\n' "$grey" "$doing" "$plain"
}

conclude() {
    if [[ -t 1 ]]; then printf '\r\e[K'; fi
    printf '%s%s%s %s: %s\n' "$1" "$2" "$plain" "$doing" "$3"
    doing=''
}

# Ends the step well.
ok() { conclude "$green" '✓' "$*"; }

# Ends the step, and with it the demo.
fail() {
    conclude "$red" '✗' "$*"
    exit 1
}

# Sets text from standard input apart from the steps.
quote() { sed 's/^/    /'; }

# Asks until the command succeeds; fails after so many seconds.
eventually() {
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < limit)) || return 1
        sleep 0.3
    done
}
