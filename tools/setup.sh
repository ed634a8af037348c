#!/bin/sh
# Installs the Debian packages of tools/packages.txt that are missing; quick and silent when none is.
#
#   tools/setup.sh [group...]      `base` is always meant
#
# POSIX sh, because a fresh machine has no Python. Needs no terminal. Where it may not install (not root, no
# sudo) it prints the one command to type and exits 1. The stamp in build/ saves even the question to dpkg
# until either the list or the machine's packages change.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
list=$root/tools/packages.txt
groups="base $*"
mkdir -p "$root/build"
stamp=$root/build/.setup.$(echo "$groups" | tr -c 'a-z\n' _)
log=$root/build/setup.log

newer() { [ -n "$(find "$1" -prune -newer "$2" 2>/dev/null)" ]; }
if [ -e "$stamp" ] && ! newer "$list" "$stamp" && ! newer /var/lib/dpkg/status "$stamp"; then
    exit 0
fi

wanted=
while read -r group package _; do
    for asked in $groups; do
        [ "$asked" = "$group" ] && wanted="$wanted $package"
    done
done < "$list"

if ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian. Install these by hand, then call make with SETUP=no:$wanted" >&2
    exit 1
fi

# dpkg-query fails for packages that it has never heard of and still lists the others.
# shellcheck disable=SC2086  # a list of words
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p') || true
missing=
for package in $wanted; do
    echo "$installed" | grep -qx "$package" || missing="$missing $package"
done

if [ -n "$missing" ]; then
    command="apt-get install --yes --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    elif command -v sudo >/dev/null && [ -t 0 ]; then
        as_root=sudo
    else
        echo "setup: packages are missing and this user may not install them. As root, type:" >&2
        echo "    $command" >&2
        exit 1
    fi
    options="-q -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3"
    echo "  APT   update"
    # An update that fails is no reason to stop: the lists that are there may do.
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get $options update </dev/null >"$log" 2>&1 || true
    echo "  APT   install$missing"
    # shellcheck disable=SC2086
    if ! $as_root env DEBIAN_FRONTEND=noninteractive ${command%% *} $options ${command#* } \
            </dev/null >>"$log" 2>&1; then
        echo "setup: apt-get failed; the end of build/setup.log:" >&2
        tail -n 15 "$log" >&2
        echo "setup: to try it by hand, as root: apt-get update && $command" >&2
        exit 1
    fi
fi
touch "$stamp"
