# SPDX-License-Identifier: Apache-2.0
"""`python -m faultwave ...`: the command line program. Python gets here only where the package did not start it."""

from _faultwave.program import main

main()
