# Sourced by tools/run and tools/test: a virtual environment in .venv that follows pyproject.toml.

# make_venv ROOT WHAT: WHAT is "run" for the program alone, "test" for the tests' packages too. Does nothing when
# .venv was made from the pyproject.toml that is there now, so a second start costs no time.
make_venv() {
    venv=$1/.venv
    made=$venv/made-for-$2
    for known in "$made" "$venv/made-for-test"; do # what is enough for the tests is enough to run
        if [ -f "$known" ] && cmp -s "$known" "$1/pyproject.toml"; then
            return
        fi
    done
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
        echo "aiproxy needs Python 3.11 or newer; python3 is $(python3 -V 2>&1)" >&2
        exit 1
    }
    [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
    case $2 in
        test) extras='[test]' ;;
        *) extras= ;;
    esac
    echo "Installing aiproxy into .venv ..." >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$1$extras"
    cp "$1/pyproject.toml" "$made"
}
