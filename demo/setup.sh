# shellcheck shell=bash
# What ./run and ./test share: finding or installing what they need. Sourced by bash, from the root of the checkout.
# Nothing is written into the checkout; what is kept lies in $cache.

export DEBIAN_FRONTEND=noninteractive
cache=${XDG_CACHE_HOME:-${HOME:?HOME is not set}/.cache}/muster
venv=$cache/venv
mkdir -p "$cache"
export PATH="$PATH:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin"

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() { say "$*"; exit 1; }

# Installs those of the Debian packages that are missing.
need_packages() {
    local package missing=()
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "missing, and there is no apt-get to install them: ${missing[*]}"
    local as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    say "installing Debian packages (as root): ${missing[*]}"
    "${as_root[@]}" apt-get update -q >&2
    "${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# Puts cargo on the PATH, from wherever rustup left it; installs it when there is none.
need_cargo() {
    local home
    for home in "${CARGO_HOME:-}" "$HOME/.cargo" "$(getent passwd "$(id -u)" | cut -d: -f6)/.cargo" /usr/local/cargo; do
        if [ -n "$home" ] && [ -x "$home/bin/cargo" ]; then
            export CARGO_HOME=$home PATH="$home/bin:$PATH"
            # Found away from $HOME, the toolchains are beside it.
            [ ! -d "${home%/.cargo}/.rustup" ] || export RUSTUP_HOME="${RUSTUP_HOME:-${home%/.cargo}/.rustup}"
            break
        fi
    done
    if ! command -v cargo >/dev/null; then
        # Debian 12's own Rust is too old; rustup is a package only in later releases.
        need_packages ca-certificates curl
        say "installing the Rust toolchain with rustup (in $HOME/.cargo and $HOME/.rustup)"
        curl --proto '=https' --tlsv1.2 -fsS https://sh.rustup.rs |
            sh -s -- -y --no-modify-path --profile minimal --component clippy,rustfmt >&2
        export PATH="$HOME/.cargo/bin:$PATH"
    fi
    local wanted have
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    have=$(cargo --version | cut -d' ' -f2)
    [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ] ||
        fail "cargo $have is too old, $wanted is needed: rustup update stable"
}

# One target folder for all clones, outside of them, so that nothing is compiled twice.
need_target() {
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
    mkdir -p "$CARGO_TARGET_DIR"
}

# A venv with what demo/requirements.txt says, made anew when that file has changed.
need_venv() {
    local wanted
    wanted=$(sha256sum demo/requirements.txt | cut -d' ' -f1)
    [ "$(cat "$venv/requirements.sha256" 2>/dev/null)" = "$wanted" ] && return 0
    say "making the Python environment $venv"
    rm -rf "$venv"
    # Debian's own Python: one from elsewhere may lack modules that the venv needs.
    local python=/usr/bin/python3
    [ -x "$python" ] || python=python3
    "$python" -m venv "$venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r demo/requirements.txt >&2
    printf '%s\n' "$wanted" >"$venv/requirements.sha256"
}

export PYTHONDONTWRITEBYTECODE=1
