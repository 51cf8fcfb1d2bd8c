"""`python -m humay.cli`: the same as `humay`."""

from humay.cli import main

main()
