# lib.sh
#    What the scripts of test/deploy share. Sourced by bash scripts, after "set -euo pipefail".

CLAIR_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DEPLOY=$CLAIR_TOP/test/deploy

die()
{
    echo "clair: $*" >&2
    exit 1
}

step()
{
    printf '\n== %s\n' "$*"
}

# The version of releases: three numbers, of which the first two are the extension's.
release_version()
{
    sed -n '0,/"version":/s/^ *"version": "\([0-9.]*\)",$/\1/p' "$CLAIR_TOP/META.json"
}

# Copies the sources into a folder: the files that git knows, as they are now, or, where there is
# no git, all but what was built.
copy_sources()
{
    mkdir -p "$1"
    if [ -e "$CLAIR_TOP/.git" ]; then
        git -C "$CLAIR_TOP" ls-files -z --deduplicate
    else
        cd "$CLAIR_TOP" && find . -path ./build -prune -o \( -type f -o -type l \) -print0
    fi | tar -C "$CLAIR_TOP" --create --null --no-recursion --ignore-failed-read --files-from=- |
        tar -C "$1" --extract --no-same-owner
}

# Where this machine gets Debian's packages from, as a line of sources.list for a suite.
debian_source()
{
    local mirror

    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | head -n 1)
    [ -n "$mirror" ] || die 'apt knows no mirror of Debian here'
    echo "deb $mirror $1 main"
}

# Makes the smallest system of a suite once, as build/chroot/SUITE.tar.
make_base_system()
{
    local suite=$1 folder=$CLAIR_TOP/build/chroot

    [ ! -e "$folder/$suite.tar" ] || return 0
    mkdir -p "$folder"
    # some mirrors are old, and this machine's apt may have been told not to mind
    apt-config dump | grep '^Acquire::Check-' >"$folder/apt.conf" || true
    mmdebstrap --quiet --variant=apt --mode=root --aptopt="$folder/apt.conf" "$suite" \
        "$folder/$suite.part.tar" "$(debian_source "$suite")"
    mv "$folder/$suite.part.tar" "$folder/$suite.tar"
}
