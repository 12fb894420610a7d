# lib.sh
#    What test/run, test/demo and test/bench/run share: a workdir, a private tree and a server.
#
# Sourced by bash scripts, which run in the order
#
#   clair_workdir                    makes $CLAIR_WORKDIR; at exit everything below it ends and goes
#   clair_install                    a private copy of the server with clair in it, first in PATH
#   clair_template                   a cluster with clair in it, for servers of tests to begin as
#   clair_start DATABASE [SETTING]   a throwaway server on a socket; PGHOST, PGPORT, PGUSER, PGDATABASE
#   as_server_user COMMAND ...       runs a command as the user that the server runs as
#   clair_stop, clair_start_again    stops the server before the exit does, and starts it again
#
# PostgreSQL refuses to run as root. For root, the server and the tests run as "postgres" or, where
# there is none, as "nobody"; that user may not be able to enter the folder that the repository lies
# in, so whatever it needs is copied into the workdir, which belongs to it.

CLAIR_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PG_CONFIG=$(command -v "${PG_CONFIG:-pg_config}") ||
    { echo 'clair: there is no pg_config; "make deps" installs or names what is missing' >&2; exit 1; }

# Says why, and ends.
clair_die()
{
    echo "clair: $*" >&2
    exit 1
}

# The commands that change to the server's user; none for who is not root.
clair_user_prefix=()
clair_choose_user()
{
    local user

    [ "$(id -u)" -eq 0 ] || return 0
    for user in postgres nobody; do
        id -u "$user" >/dev/null 2>&1 || continue
        CLAIR_SERVER_USER=$user
        if command -v setpriv >/dev/null; then
            clair_user_prefix=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups --)
        else
            clair_user_prefix=(runuser -u "$user" --)
        fi
        return 0
    done
    clair_die 'there is neither a user "postgres" nor a user "nobody" to run the server as'
}

# Runs a command as the server's user; that user must be able to enter the current folder.
as_server_user()
{
    "${clair_user_prefix[@]}" env HOME="$CLAIR_WORKDIR" TMPDIR="$CLAIR_WORKDIR/tmp" "$@"
}

# The same in place of this shell, for what runs in the background; there, a shell has signals ignored.
clair_as_server_user_exec()
{
    exec "${clair_user_prefix[@]}" env --default-signal=INT,QUIT HOME="$CLAIR_WORKDIR" TMPDIR="$CLAIR_WORKDIR/tmp" "$@"
}

clair_workdir()
{
    clair_choose_user
    CLAIR_WORKDIR=$(mktemp -d "${TMPDIR:-/tmp}/clair.XXXXXX") || clair_die 'could not make a workdir'
    trap clair_cleanup EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    mkdir "$CLAIR_WORKDIR/tmp"
    clair_give "$CLAIR_WORKDIR"
    export CLAIR_WORKDIR
    # what the caller has set for libpq is not for our server
    unset PGHOST PGHOSTADDR PGPORT PGUSER PGDATABASE PGPASSFILE PGSERVICE PGOPTIONS PGTZ PGDATESTYLE
    export PG_CONFIG
}

# Gives files to the server's user.
clair_give()
{
    [ "${#clair_user_prefix[@]}" -eq 0 ] || chown -R "$CLAIR_SERVER_USER" "$@"
}

# Whether a server with these data runs: a pid that a dead server left may be another's by now.
clair_runs()
{
    [ "$(readlink "/proc/$1/cwd")" = "$2" ]
}

# Ends every server whose data lie in the workdir, and removes the workdir.
clair_cleanup()
{
    local status=$? file pid

    trap - EXIT
    trap '' HUP INT TERM
    cd /
    # TERM for the moments before it is a server
    if [ -n "${CLAIR_SERVER_PID:-}" ] && kill -QUIT "$CLAIR_SERVER_PID" 2>/dev/null; then
        kill -TERM "$CLAIR_SERVER_PID" 2>/dev/null
        wait "$CLAIR_SERVER_PID" 2>/dev/null
    fi
    while IFS= read -r file; do
        pid=$(head -n 1 "$file" 2>/dev/null)
        clair_runs "$pid" "${file%/*}" || continue
        kill -QUIT "$pid"
        for _ in $(seq 50); do
            clair_runs "$pid" "${file%/*}" || break
            sleep 0.1
        done
    done < <(find "$CLAIR_WORKDIR" -name postmaster.pid 2>/dev/null)
    rm -rf "$CLAIR_WORKDIR"
    exit "$status"
}

# Installs clair into a private tree below the workdir, and puts the tree's programs first in PATH.
clair_install()
{
    local tree=$CLAIR_WORKDIR/tree

    "$CLAIR_TOP/test/tree" "$tree" || clair_die 'could not build the private tree'
    clair_give "$tree"
    CLAIR_BINDIR=$tree$("$PG_CONFIG" --bindir)
    CLAIR_LIBDIR=$tree$("$PG_CONFIG" --pkglibdir)
    export CLAIR_BINDIR CLAIR_LIBDIR
    export PATH=$CLAIR_BINDIR:$PATH
}

# Whether pg_cron is there to be preloaded.
clair_has_pg_cron()
{
    [ -e "$CLAIR_LIBDIR/pg_cron.so" ]
}

# Makes a cluster with clair in its database "postgres", as which the servers of TAP tests begin
# (test/t/lib/IndexTest.pm): $CLAIR_TEST_TEMPLATE. Nothing is set in it.
clair_template()
{
    local log=$CLAIR_WORKDIR/template.log

    export CLAIR_TEST_TEMPLATE=$CLAIR_WORKDIR/template
    # by a server that has clients: what one of a single user makes is the system's for pg_dump
    {
        as_server_user "$CLAIR_BINDIR/initdb" -D "$CLAIR_TEST_TEMPLATE" --auth=trust --no-sync \
            --encoding=UTF8 --locale=C &&
            as_server_user "$CLAIR_BINDIR/pg_ctl" -D "$CLAIR_TEST_TEMPLATE" -w -l "$log.server" \
                -o "-F -c listen_addresses='' -k $CLAIR_WORKDIR -p 5431" start &&
            as_server_user "$CLAIR_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -h "$CLAIR_WORKDIR" -p 5431 \
                -d postgres -c 'CREATE EXTENSION clair' &&
            as_server_user "$CLAIR_BINDIR/pg_ctl" -D "$CLAIR_TEST_TEMPLATE" -w -m fast stop
    } >"$log" 2>&1 || { cat "$log" >&2; clair_die 'could not make a cluster with clair in it'; }
}

# Starts a server with one database of the name given, in which pg_cron, if installed, works too.
# Further arguments are lines of postgresql.conf.
clair_start()
{
    local database=$1 data=$CLAIR_WORKDIR/data sockets=$CLAIR_WORKDIR

    shift
    [ "${#sockets}" -lt 80 ] || clair_die "the path \"$sockets\" is too long for a socket; set TMPDIR"
    as_server_user "$CLAIR_BINDIR/initdb" -D "$data" -U postgres --auth=trust --no-sync \
        --encoding=UTF8 --locale=C >"$CLAIR_WORKDIR/initdb.log" 2>&1 ||
        { cat "$CLAIR_WORKDIR/initdb.log" >&2; clair_die 'could not make a database cluster'; }
    as_server_user tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = ''
unix_socket_directories = '$sockets'
port = 5432
max_worker_processes = 16
max_prepared_transactions = 2
timezone = 'UTC'
log_line_prefix = '%m [%p] %b %a '
$(clair_has_pg_cron && cat <<CRON
shared_preload_libraries = 'pg_cron'
cron.database_name = '$database'
cron.use_background_workers = on
CRON
)
$(printf '%s\n' "$@")
CONF
    # before pg_cron looks for it
    echo "CREATE DATABASE \"$database\"" |
        as_server_user "$CLAIR_BINDIR/postgres" --single -D "$data" -c shared_preload_libraries= \
            postgres >"$CLAIR_WORKDIR/initdb.log" 2>&1 || clair_die 'could not create the database'
    export PGHOST=$sockets PGPORT=5432 PGUSER=postgres PGDATABASE=$database
    clair_start_again
}

# Starts the server once more, after clair_stop. It is a child of this shell, and not of pg_ctl:
# whoever is process 1 in a container may reap nobody.
clair_start_again()
{
    clair_as_server_user_exec "$CLAIR_BINDIR/postgres" -D "$CLAIR_WORKDIR/data" \
        >>"$CLAIR_WORKDIR/server.log" 2>&1 </dev/null &
    CLAIR_SERVER_PID=$!
    for _ in $(seq 300); do
        "$CLAIR_BINDIR/pg_isready" -q && return 0
        kill -0 "$CLAIR_SERVER_PID" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 20 "$CLAIR_WORKDIR/server.log" >&2
    clair_die 'could not start the server'
}

# Stops the server, and waits for it.
clair_stop()
{
    kill -INT "$CLAIR_SERVER_PID"
    wait "$CLAIR_SERVER_PID"
    CLAIR_SERVER_PID=
}

# Sets CLAIR_TEST_DATA to a folder that the server's user can read, copying it if need be. Returns 1
# when there are no data: tests that use them then say that they are skipped.
clair_test_data()
{
    local data=${CLAIR_TEST_DATA:-$CLAIR_TOP/../shared/data}

    data=$(realpath -m "$data")
    if [ -d "$data" ] && ! as_server_user test -r "$data/README.md" 2>/dev/null; then
        cp -R "$data" "$CLAIR_WORKDIR/test-data"
        clair_give "$CLAIR_WORKDIR/test-data"
        data=$CLAIR_WORKDIR/test-data
    fi
    export CLAIR_TEST_DATA=$data
    [ -d "$data" ]
}
