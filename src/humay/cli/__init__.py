"""The `humay` command: one verb a stage, files in and files out."""

from humay.cli.app import app, main
from humay.cli.flights import fly, init, process, run
from humay.cli.items import catalogue_app
from humay.cli.plans import check, plan
from humay.cli.surveys import calibration, contacts, eclipses, opportunities, stereo, timeline

for verb in (
    *(init, opportunities, stereo, contacts, eclipses, calibration, timeline),
    *(plan, check, run, fly, process),
):
    app.command()(verb)
app.add_typer(catalogue_app)

__all__ = ["app", "main"]
