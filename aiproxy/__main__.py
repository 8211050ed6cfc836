"""`python -m aiproxy`: the script `aiproxy`, by the interpreter that is asked."""

from aiproxy.cli import main

main()
