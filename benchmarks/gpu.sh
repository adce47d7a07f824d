#!/usr/bin/env bash
# The GPU halves of all benchmarks and the tests marked `gpu`, on data made for it: no downloads.
#
#     benchmarks/gpu.sh [--device cuda|cpu] [--results FOLDER]
#
# Writes FOLDER/DATE-gpu-NAME/speed.json (FOLDER: benchmarks/results; DATE-cpu-NAME with --device
# cpu, where the same programs run small, so that they are tried where there is no GPU). Each program
# has a time of its own, eight minutes in all; one that fails does not keep the others from running,
# and ends in a non-zero exit.
set -uo pipefail
cd "$(dirname "$0")/.."

device=cuda results=benchmarks/results
while (($#)); do
    case $1 in
        --device) device=$2 ;;
        --results) results=$2 ;;
        *) sed -n '2,9s/^# \{0,1\}//p' benchmarks/gpu.sh; exit 2 ;;
    esac
    shift 2
done
case $device in
    cuda) kind=gpu rounds=5 patience=1 train=5000 samples=5000 images=64 steps=500 protocol=small width=64 ;;
    cpu) kind=cpu rounds=1 patience=4 train=4096 samples=300 images=8 steps=100 protocol=tiny width=4 ;;
    *) echo "error: --device $device: cuda or cpu" && exit 2 ;;
esac

python=${PYTHON:-.venv/bin/python}
command -v "$python" >/dev/null || python=python3
if [[ $device == cuda ]] && ! "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())'; then
    echo "error: no GPU is seen here; --device cpu tries the same programs, small" >&2
    exit 1
fi

ROBUSTINFO_DATA=$(mktemp -d)
export ROBUSTINFO_DATA
trap 'rm -rf "$ROBUSTINFO_DATA"' EXIT
"$python" -m benchmarks.made_data "$ROBUSTINFO_DATA" --train $train --test 5000 || exit 1

day=$(date +%F) failed=()
measure() { # SECONDS NAME OPTION ...: one program, its numbers to a folder of its own
    local limit=$1 name=$2 start=$SECONDS
    shift 2
    printf '== %s' "$name"
    if timeout $((patience * limit)) "$python" -m "benchmarks.$name" "$@" --device "$device" \
        --out "$results/$day-$kind-${name//_/-}" >"$ROBUSTINFO_DATA/said" 2>&1; then
        printf ': %s s\n' $((SECONDS - start))
    else
        printf ': failed after %s s\n' $((SECONDS - start))
        tail -n 5 "$ROBUSTINFO_DATA/said"
        failed+=("$name")
    fi
}

measure 60 training_step --rounds $rounds
measure 40 entropic_step --rounds $rounds --steps $steps
measure 40 mutual_information --rounds $rounds --samples $samples
measure 30 nhsic --rounds $rounds
measure 30 jacobian --rounds $rounds --images $images
measure 190 attack_speed --rounds $rounds --autoattacks 1
measure 40 judge_speed --protocol $protocol --width $width
if [[ $device == cuda ]]; then
    mapfile -t files < <(grep -rl --include='test_*.py' 'mark\.gpu' tests) # the others need not be read
    timeout 30 "$python" -m pytest -q -m gpu -p no:cacheprovider "${files[@]}" ||
        failed+=("tests marked gpu")
fi
((${#failed[@]} == 0)) || { printf 'failed: %s\n' "${failed[*]}" >&2 && exit 1; }
