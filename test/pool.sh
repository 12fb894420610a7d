# pool.sh
#    Runs jobs several at a time, and tells of them in the order in which they were asked for.
#
# Sourced by test/run, which has made the workdir (test/lib.sh), in the order
#
#   job NAME COMMAND ...    something to run: a command or a function, in a subshell; its output goes
#                           to the file that job_log gives, what it came to into results
#   tell COMMAND ...        something to say when all jobs so far are over, and all is said that was
#                           to be said before
#   run_jobs NAME ...       runs all of it, the jobs named here first, and says it
#   end_jobs                ends what still runs, however the run came to its end
#
# JOBS of them run at once: by default as many as there are processors, but not more than four.

job_names=()
declare -A job_commands=() job_pids=() job_gone=()
# What has been read of a line that is not whole yet.
begun_line=
tellings=()
# How many jobs there were when something to tell was added.
told_after=()
# By name: the status that a job ended with, and the microseconds that it took.
declare -A results=()

# The file with what a job has written.
job_log()
{
    echo "$CLAIR_WORKDIR/log/${1//\//_}.log"
}

job()
{
    job_names+=("$1")
    job_commands[$1]=$(printf '%q ' "${@:2}")
}

tell()
{
    tellings+=("$(printf '%q ' "$@")")
    told_after+=("${#job_names[@]}")
}

now()
{
    echo "${EPOCHREALTIME/[^0-9]/}"
}

# Microseconds as seconds with two digits.
in_seconds()
{
    local hundredths=$(($1 / 10000))

    printf '%d.%02d' $((hundredths / 100)) $((hundredths % 100))
}

# Within a job: runs a command as the server's user, for so many seconds at most.
within()
{
    local limit=$1 child

    shift
    clair_as_server_user_exec timeout --kill-after=20 "$limit" "$@" </dev/null &
    child=$!
    trap 'kill "$child"; wait "$child"; exit 143' TERM
    wait "$child"
}

# Within a job: says what it, or a part of it that has a name of its own, came to.
job_ended()
{
    echo "$1 $2 $(($(now) - $3))" >&"$ends"
}

start_job()
{
    local log

    log=$(job_log "$1")
    (
        since=$(now)
        eval "${job_commands[$1]}" >"$log" 2>&1
        job_ended "$1" $? "$since"
    ) &
    job_pids[$1]=$!
}

# Waits until a job ends. One that has been killed has not said so: it is given up when it was gone
# before and nothing of it has come since, for it may end just when we stop listening. What we then
# have of a line is its beginning.
wait_for_job()
{
    local line name status taken

    if IFS= read -r -t 5 line <&"$ends"; then
        read -r name status taken <<<"$begun_line$line"
        begun_line=
        results[$name]="$status $taken"
        unset "job_pids[$name]"
        return
    fi
    begun_line+=$line
    for name in "${!job_pids[@]}"; do
        kill -0 "${job_pids[$name]}" 2>/dev/null && continue
        [ -z "${job_gone[$name]:-}" ] || job_ended "$name" 137 "$(now)"
        job_gone[$name]=yes
    done
}

run_jobs()
{
    local at_once=${JOBS:-0} name order=() begun=0 over=0 told=0

    if [ "$at_once" -lt 1 ]; then
        at_once=$(nproc)
        [ "$at_once" -le 4 ] || at_once=4
    fi
    mkfifo "$CLAIR_WORKDIR/ends" && exec {ends}<>"$CLAIR_WORKDIR/ends" || return 1
    for name in "$@" "${job_names[@]}"; do
        [ -z "${job_commands[$name]:-}" ] || [[ " ${order[*]} " == *" $name "* ]] || order+=("$name")
    done
    while [ "$told" -lt "${#tellings[@]}" ]; do
        while [ "$begun" -lt "${#order[@]}" ] && [ "${#job_pids[@]}" -lt "$at_once" ]; do
            start_job "${order[begun]}"
            begun=$((begun + 1))
        done
        while [ "$over" -lt "${told_after[told]}" ] && [ -n "${results[${job_names[over]}]:-}" ]; do
            over=$((over + 1))
        done
        if [ "$over" -ge "${told_after[told]}" ]; then
            eval "${tellings[told]}"
            told=$((told + 1))
        else
            wait_for_job
        fi
    done
}

end_jobs()
{
    local name

    for name in "${!job_pids[@]}"; do
        kill -TERM "${job_pids[$name]}" 2>/dev/null
    done
}
