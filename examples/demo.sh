#!/usr/bin/env bash
# Shows the product at work, for real: a Kubernetes API server, a platform, the operator, and a credential that works.
#
#   examples/demo.sh [run] [<story>]        a story is one of examples/demo, such as neo or cloud-foundry: btp, or what
#   ENVIRONMENT says, unless given
#
# Without `run` it tells the environment's story, checks every step of it and takes all of it down again; the exit code
# is 0 only if every check held. With `run` it leaves the example running until Ctrl-C and prints the KUBECONFIG to use.
#
# The operator runs as a process of this machine, with the ServiceAccount and the rights that its chart installed. All
# platforms are played by btp-simulator, but uaa, which is a real UAA. Needs cargo and Go to build, curl, for neo OpenSSL,
# and for uaa Java and Maven.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

refuse() { printf 'demo: %s\n' "$*" >&2; exit 2; }

((BASH_VERSINFO[0] >= 5)) || refuse "bash 5 or newer is needed: the demo measures times with it"
command -v cargo >/dev/null || refuse "cargo is missing: it builds the operator (https://rustup.rs)"
command -v curl >/dev/null || refuse "curl is missing: it uses the credential that the operator made"
# Everything is on this machine: no proxy is to be asked for it.
export NO_PROXY="127.0.0.1,localhost${NO_PROXY:+,$NO_PROXY}" no_proxy="127.0.0.1,localhost${no_proxy:+,$no_proxy}"

mode=story environment=${ENVIRONMENT:-btp}
for argument in "$@"; do
    if [[ $argument == run ]]; then mode=run; else environment=$argument; fi
done
stories=$(grep --files-with-matches '^story()' examples/demo/*.sh | sed 's|.*/\(.*\)\.sh|\1|')
grep --quiet --line-regexp --fixed-strings -- "$environment" <<<"$stories" ||
    refuse "there is no story '$environment': choose one of" $stories
# Each story is that of the example of its name; the first one is told to those who read the README.
example=$environment
if [[ $environment == btp ]]; then example=quickstart; fi

# shellcheck source=examples/demo/say.sh
source examples/demo/say.sh
# shellcheck source=examples/demo/processes.sh
source examples/demo/processes.sh
# shellcheck source=examples/demo/stage.sh
source examples/demo/stage.sh
# shellcheck source=examples/demo/observe.sh
source examples/demo/observe.sh
# What the story of this environment needs and tells: platform_build, platform_start, platform_secrets, story.
# shellcheck source=examples/demo/btp.sh
source "examples/demo/$environment.sh"

# The namespace that each example brings along.
team=$(sed -n 's/^  name: //p' "examples/$example/namespace.yaml")
operator_namespace=technical-user-operator-system

title "The stage"
build
control_plane_start
platform_start
charts_install
platform_secrets
operator_start

title "The story: $environment"
example_apply
example_wait
if [[ $mode == run ]]; then
    objects_show
    run_until_interrupted
fi
story
title "All of it held, in $((SECONDS - stage_began)) s once built"
