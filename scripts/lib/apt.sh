# Other Debian suites through private apt lists: the host's own sources and lists stay as they are.
# The mirror is the one that the host's apt already uses. Needs common.sh.
# shellcheck shell=bash

apt_usable() { have apt-get && have dpkg-query; }

# The address of the host's Debian mirror. Hosts whose apt knows only a derivative have none.
apt_mirror() {
    local uri
    uri=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | head -n 1)
    if [ -z "$uri" ]; then # no lists yet: read the sources themselves
        uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
            grep -v '^[[:space:]]*#' | grep -oE '[a-z+]+:/[^][ ]*/debian/?' | head -n 1)
    fi
    [ -n "$uri" ] || {
        warn "this machine's apt names no Debian mirror (looked for an address ending in /debian);" \
            "add one to /etc/apt/sources.list and run apt-get update"
        return 1
    }
    printf '%s\n' "$uri"
}

# apt_suite SUITE COMMAND...: run apt-get or apt-cache against that suite alone.
apt_suite() {
    local suite=$1 cmd=$2 dir=$adit_cache/apt/$1
    shift 2
    "$cmd" -o "Dir::State::Lists=$dir/lists" -o "Dir::Etc::SourceList=$dir/sources.list" \
        -o Dir::Etc::SourceParts=/dev/null -o "Dir::Cache=$dir/cache" -o "APT::Sandbox::User=$(id -un)" \
        -o "Acquire::Retries=2" -o "Dir::State::status=/dev/null" "$@"
}

# apt_suite_update SUITE [max-age-minutes]: fetch the suite's lists unless they are fresh enough.
apt_suite_update() {
    local suite=$1 age=${2:-60} dir=$adit_cache/apt/$1 mirror
    mirror=$(apt_mirror) || return 1
    mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
    printf 'deb %s %s main\ndeb-src %s %s main\n' "$mirror" "$suite" "$mirror" "$suite" >"$dir/sources.list"
    [ -z "$(find "$dir/updated" -mmin "-$age" 2>/dev/null)" ] || return 0
    apt_suite "$suite" apt-get -q update >"$dir/update.log" 2>&1 || {
        warn "cannot fetch the package lists of Debian $suite from $mirror:"
        grep -E '^(E|W|Err)' "$dir/update.log" | head -n 5 | sed 's/^/    | /' >&2
        return 1
    }
    touch "$dir/updated"
}

# apt_source_versions SUITE SOURCE: its versions, newest first.
apt_source_versions() {
    apt_suite "$1" apt-cache showsrc --only-source "$2" 2>/dev/null | sed -n 's/^Version: //p' |
        sort -u | while read -r v; do printf '%s\n' "$v"; done | apt_sort_newest
}

apt_sort_newest() { # Debian's own order (sort -V does not know about "~")
    local sorted=() v i
    while read -r v; do
        for ((i = 0; i < ${#sorted[@]}; i++)); do
            if dpkg --compare-versions "$v" gt "${sorted[i]}"; then break; fi
        done
        sorted=("${sorted[@]:0:i}" "$v" "${sorted[@]:i}")
    done
    [ "${#sorted[@]}" = 0 ] || printf '%s\n' "${sorted[@]}"
}

# apt_source_fetch SUITE SOURCE DIR MINIMUM: download the newest version whose files are really there
# (lists may name versions that the mirror has already dropped); prints the version.
apt_source_fetch() {
    local suite=$1 source=$2 dir=$3 minimum=$4 v tried=
    for v in $(apt_source_versions "$suite" "$source"); do
        dpkg --compare-versions "$v" ge "$minimum" || continue
        mkdir -p "$dir"
        if (cd "$dir" && apt_suite "$suite" apt-get -q source --download-only --only-source "$source=$v") >"$dir/fetch.log" 2>&1; then
            printf '%s\n' "$v"
            return 0
        fi
        tried="$tried $v"
        find "$dir" -maxdepth 1 -type f ! -name fetch.log -delete
    done
    if [ -n "$tried" ]; then
        warn "none of the versions of $source that Debian $suite lists could be downloaded (tried$tried):"
        grep -E '^(E|W|Err)' "$dir/fetch.log" | head -n 5 | sed 's/^/    | /' >&2
    else
        warn "Debian $suite lists no $source of version $minimum or later"
    fi
    return 1
}
