#!/usr/bin/env bash
# Runs a command where a kubelet can do as it likes: in network, mount, process, host name and cgroup namespaces of its own,
# with a bridge for pods, and with files of its own under those sysctls and folders that a kubelet writes to. The machine is
# left as it was, also when any of this is killed: what runs here ends with this process, and a watch outside removes the
# cgroup.
#
#   tests/node/run.sh NODE LOGS COMMAND…      NODE is what build.sh printed; LOGS is a folder that remains
#
# Ends with 3 where this machine does not let us; else with the command's own code.
set -euo pipefail

self=$(cd "$(dirname "$0")" && pwd)/${0##*/}
# The address of the node, of the bridge, and of whoever pods call on this machine; and that of the Service `kubernetes`.
address=10.88.0.1 api_address=10.0.0.1
# Where a kubelet writes whatever it is told. Everything else lies below /run, which is in memory here.
folders=(/var/lib/kubelet /var/lib/cni /var/log/containers)
namespaces=(--net --mount --pid --ipc --uts)

lacks() { printf 'node: %s\n' "$*" >&2; exit 3; }

# What fails while all of it is prepared, this machine does not let us do; it has said why.
from_here_on_a_failure_is_a_lack() { set -o errtrace; trap 'exit 3' ERR; }

# Where cgroups are to be made: the one hierarchy of version 2, or each of version 1.
hierarchies() {
    if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
        echo /sys/fs/cgroup
    else
        awk '$3 == "cgroup" { print $2 }' /proc/self/mounts
    fi
}

# Outside: what has to go when all else is gone.
clean_up() {
    local tries hierarchy folder
    for hierarchy in $(hierarchies); do
        for tries in {1..100}; do
            find "$hierarchy/$name" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [[ -e $hierarchy/$name ]] || break
            sleep 0.1
        done
    done
    for folder in "$@"; do rmdir "$folder" 2>/dev/null || true; done
}

# Follows the end of everything that holds the pipe to it. Not to be ended by a Ctrl-C that ends the others.
watch_over() {
    trap '' INT TERM HUP
    cat >/dev/null || true
    clean_up "$@"
}

missing_folders() {
    local folder
    for folder in "${folders[@]}"; do [[ -d $folder ]] || echo "$folder"; done
}

# Enters a cgroup of its own in each hierarchy.
enter_cgroups() {
    local hierarchy file
    for hierarchy in $(hierarchies); do
        mkdir "$hierarchy/$name"
        for file in cpuset.cpus cpuset.mems; do
            [[ ! -e $hierarchy/$file || -e $hierarchy/cgroup.controllers ]] || cat "$hierarchy/$file" >"$hierarchy/$name/$file"
        done
        echo $$ >"$hierarchy/$name/cgroup.procs"
    done
}

outside() {
    from_here_on_a_failure_is_a_lack
    unshare "${namespaces[@]}" --cgroup --fork true
    exec 9>"$(dirname "$node")/.run"
    flock 9 # the folders are the same for all who run this
    name=technical-user-node-$$
    local made
    made=$(missing_folders)
    # shellcheck disable=SC2086
    exec 8> >(watch_over $made)
    # shellcheck disable=SC2086
    [[ -z $made ]] || mkdir $made
    [[ -n $(hierarchies) ]] || lacks "no cgroups are mounted here"
    enter_cgroups
    # The cgroups that we are in are the root of what is seen from now on.
    exec unshare --cgroup "$self" --leaf "$name" "$node" "$logs" "$@"
}

# Of version 2 no process may stay where the kubelet makes cgroups below.
leaf() {
    from_here_on_a_failure_is_a_lack
    if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
        mkdir "/sys/fs/cgroup/$name/init"
        echo $$ >"/sys/fs/cgroup/$name/init/cgroup.procs"
    fi
    # Whoever started us may be killed outright.
    exec setpriv --pdeathsig KILL \
        unshare "${namespaces[@]}" --fork --kill-child --mount-proc "$self" --inside "$name" "$node" "$logs" "$@"
}

own_folders() {
    local hierarchy folder
    for hierarchy in $(hierarchies); do mount --bind "$hierarchy/$name" "$hierarchy"; done
    mount -t tmpfs -o mode=755 node /run
    mkdir -m 1777 /run/tmp /run/tally
    for folder in "${folders[@]}"; do
        mkdir -p "/run/own$folder"
        mount --bind "/run/own$folder" "$folder"
    done
    mkdir /run/logs
    mount --bind "$logs" /run/logs
    ln -s "$node" /run/node
}

# The kubelet sets these for the whole machine. It finds them set as it wants them, in a file of ours.
own_sysctls() {
    local setting
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        mkdir -p "/run/sysctl/$(dirname "${setting%=*}")"
        echo "${setting#*=}" >"/run/sysctl/${setting%=*}"
        mount --bind "/run/sysctl/${setting%=*}" "/proc/sys/${setting%=*}"
    done
}

# The kubelet refuses a loopback address for a node. No packet leaves this network.
own_network() {
    hostname node
    ip link set lo up
    ip link add node0 type bridge
    ip address add "$address/24" dev node0
    ip address add "$api_address/32" dev lo
    ip link set node0 up
}

inside() {
    from_here_on_a_failure_is_a_lack
    own_folders
    own_sysctls
    own_network
    trap - ERR
    export TMPDIR=/run/tmp NODE_ADDRESS=$address API_ADDRESS=$api_address
    # The first process of its namespace takes no signal that it has no trap for, and buries those that nobody waits for.
    trap 'exit 130' INT TERM HUP
    "$@" &
    wait $!
}

case $1 in
    --leaf | --inside) step=${1#--} name=$2 node=$3 logs=$4; shift 4 ;;
    *) step=outside node=$1 logs=$2; shift 2 ;;
esac
$step "$@"
