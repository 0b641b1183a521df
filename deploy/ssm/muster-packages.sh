#!/bin/sh
# Writes this instance's packages, with their source packages, as SSM inventory type Custom:MusterPackages.
#
# The SSM agent sends what stands in its custom inventory folder with its next inventory collection
# (AWS-GatherSoftwareInventory with customInventory enabled). AWS:Application alone does not tell that libssl3 comes
# from openssl, and advisories name openssl.
#
# Runs as root on Debian and its kin; needs what every Debian has (dpkg, dash, sed, coreutils, cmp). Running it again changes nothing
# unless the packages have changed. SSM takes at most 1 MB per inventory type and instance: a larger list is not
# written, the old one is removed, and the script fails.
#
# MUSTER_INVENTORY_FOLDER  where to write (default: the agent's folder of this instance)
# MUSTER_OS_RELEASE        the os-release file (default: /etc/os-release, /usr/lib/os-release)
# MUSTER_KERNEL_RELEASE    the running kernel, empty for none (default: what uname -r says)
# DPKG_ADMINDIR            dpkg's database, as dpkg-query itself reads it
# MUSTER_SIZE_MAX          bytes (default: 1048576)
set -eu
LC_ALL=C
export LC_ALL
umask 022

fail() {
    printf 'muster-packages: %s\n' "$1" >&2
    exit 1
}

command -v dpkg-query >/dev/null 2>&1 || fail 'dpkg-query is not there: only Debian and its kin are read'

agent_folder=/var/lib/amazon/ssm
folder=${MUSTER_INVENTORY_FOLDER:-}
if [ -z "$folder" ]; then
    # The agent tells a command the instance; without it, there is one folder named after an instance.
    instance=${AWS_SSM_INSTANCE_ID:-}
    if [ -z "$instance" ]; then
        for candidate in "$agent_folder"/i-* "$agent_folder"/mi-*; do
            [ -d "$candidate" ] || continue
            [ -z "$instance" ] || fail "$agent_folder holds more than one instance: set AWS_SSM_INSTANCE_ID"
            instance=${candidate##*/}
        done
    fi
    [ -n "$instance" ] || fail "no folder of an instance in $agent_folder: is the SSM agent registered?"
    folder=$agent_folder/$instance/inventory/custom
fi
mkdir -p "$folder" || fail "cannot make folder $folder"

os_release=${MUSTER_OS_RELEASE:-}
if [ -z "$os_release" ]; then
    os_release=/etc/os-release
    [ -r "$os_release" ] || os_release=/usr/lib/os-release
fi
[ -r "$os_release" ] || fail "cannot read $os_release"

tab=$(printf '\t')

# Fields parted by tabs to JSON members: control characters out, backslashes and quotes escaped.
escape() {
    tr -d '\000-\010\013-\037\177' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g'
}

kernel_release=${MUSTER_KERNEL_RELEASE-$(uname -r)}

# os-release is made to be read by a shell (os-release(5)); in a subshell, so that its names stay there. The running kernel
# goes with it: of the kernels that are installed side by side, only that one's faults matter before the next restart.
system() {
    (
        ID=linux VERSION_ID='' PRETTY_NAME='' VERSION_CODENAME=''
        set +eu
        . "$os_release" >/dev/null 2>&1
        for value in "$ID" "$VERSION_ID" "$PRETTY_NAME" "$VERSION_CODENAME" "$kernel_release"; do
            printf '%s' "$value" | tr '\t\n' '  '
            printf '\t'
        done
        printf '\n'
    ) | escape | sed -e "s/^\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)$tab\$/\
{\"Manager\":\"os-release\",\"Name\":\"\1\",\"Version\":\"\2\",\"PrettyName\":\"\3\",\"Codename\":\"\4\",\
\"RunningKernel\":\"\5\"}/"
}

# Packages of which files are on the disk, sorted; in the two states that are left out none is.
packages() {
    sed -e "/^not-installed$tab/d" -e "/^config-files$tab/d" -e "s/^[^$tab]*$tab//" "$1" | sort | escape |
        sed -e "s/^\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)$tab\([^$tab]*\)\$/\
,{\"Manager\":\"dpkg\",\"Name\":\"\1\",\"Version\":\"\2\",\"Architecture\":\"\3\",\
\"SourceName\":\"\4\",\"SourceVersion\":\"\5\"}/"
}

file=$folder/MusterPackages.json
list=$folder/.MusterPackages.list.$$
new=$folder/.MusterPackages.json.$$
trap 'rm -f "$list" "$new"' EXIT
trap 'exit 1' HUP INT TERM

# Into a file first: a pipe would hide that dpkg-query failed, and a part must not pass for the whole.
dpkg-query -W -f '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n' \
    >"$list" || fail 'dpkg-query failed'

{
    printf '{"SchemaVersion":"1.0","TypeName":"Custom:MusterPackages","Content":[\n'
    system
    packages "$list"
    printf ']}\n'
} >"$new" || fail "cannot write into $folder"

size=$(($(wc -c <"$new")))
size_max=${MUSTER_SIZE_MAX:-1048576}
if [ "$size" -gt "$size_max" ]; then
    rm -f "$file" # an old list would be taken for today's
    fail "the list has $size bytes, more than the $size_max that SSM takes"
fi

# The rename is atomic: the agent reads the old list or the new one, never a part. An unchanged list is left alone.
if [ -f "$file" ] && cmp -s "$new" "$file" 2>/dev/null; then
    printf 'muster-packages: %s is up to date\n' "$file"
else
    mv -f "$new" "$file" || fail "cannot write $file"
    printf 'muster-packages: wrote %s bytes to %s\n' "$size" "$file"
fi
